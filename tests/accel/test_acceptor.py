"""Accepting connections: what the driver's other tests cannot bring about."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import pytest

acceptor = pytest.importorskip("esg.accel.acceptor")


def test_a_connection_that_fails_leaves_its_room() -> None:
    """With no other connection open, nothing else would make the listener accept again."""

    async def main() -> None:
        loop = asyncio.get_running_loop()
        connected = asyncio.Event()
        failures = 0
        accepting: Any

        class Connection(asyncio.Protocol):
            def __init__(self) -> None:
                nonlocal failures
                if not failures:
                    failures += 1
                    raise ConnectionResetError

            def connection_made(self, transport: asyncio.BaseTransport) -> None:
                connected.set()
                assert isinstance(transport, asyncio.Transport)
                transport.abort()

        def accept_again() -> None:
            if accepting.is_full:
                accepting.start()

        with socket.create_server(("127.0.0.1", 0)) as listener:
            listener.setblocking(False)
            accepting = acceptor.Acceptor(
                listener, Connection, lambda: 1 - accepting.opening(set()), accept_again, loop
            )
            with (
                socket.create_connection(listener.getsockname()),
                socket.create_connection(listener.getsockname()),
            ):
                accepting.start()
                await asyncio.wait_for(connected.wait(), 60)
                assert failures == 1
            accepting.close()

    asyncio.run(main())
