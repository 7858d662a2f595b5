"""Bytes on their way to a slow client: their order, and who waits for them."""

from __future__ import annotations

import socket
import time
from types import SimpleNamespace

import anyio
import pytest

from esg.asgi import Receive, Scope, Send
from esg.pure import write_queue
from tests.pure.driver import GET, Client, answer, content, driving, start

pytestmark = pytest.mark.anyio
# More than the kernel takes for a client that does not read.
LARGE = 20_000_000


async def read(client: Client, size: int) -> bytes:
    """Read exactly `size` bytes."""
    found = bytearray()
    while len(found) < size:
        found += await client.stream.receive(size - len(found))
    return bytes(found)


def length(size: int) -> tuple[bytes, bytes]:
    return (b"content-length", b"%d" % size)


async def test_send_waits_for_the_client() -> None:
    sent: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send(start(200, length(LARGE)))
        await send(content(b"x" * LARGE))
        sent.append("all")

    async with driving(app) as driven, driven.client() as client:
        await client.send(GET)
        await anyio.wait_all_tasks_blocked()
        head = await client.until(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200 ")
        assert sent == []
        await _drain(client, LARGE)
        await driven.until(lambda: sent == ["all"])


async def _drain(client: Client, size: int) -> None:
    """Read what is left of a content of `size` bytes, all of it `x`."""
    left = size - len(client.take())
    assert set(await read(client, left)) == {ord("x")}


async def test_a_cancelled_send_leaves_no_half_message() -> None:
    """What was begun goes out whole, and what comes next follows it."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send(start(200, length(LARGE + 4)))
        with anyio.move_on_after(0.05) as waiting:
            await send(content(b"x" * LARGE, more_body=True))
        assert waiting.cancelled_caught
        cancelled.set()
        await send(content(b"tail"))

    cancelled = anyio.Event()
    async with driving(app) as driven, driven.client() as client:
        await client.send(GET)
        await cancelled.wait()
        await client.until(b"\r\n\r\n")
        await _drain(client, LARGE)
        assert await read(client, 4) == b"tail"


async def test_a_buffer_may_change_once_a_cancelled_send_is_over() -> None:
    """The application has its bytearray back when send() ends, however it ends."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        buffer = bytearray(b"x" * LARGE)
        await send(start(200, length(LARGE)))
        with anyio.move_on_after(0.05):
            await send({"type": "http.response.body", "body": buffer})
        buffer[:] = b"y" * LARGE
        changed.set()

    changed = anyio.Event()
    async with driving(app) as driven, driven.client() as client:
        await client.send(GET)
        await changed.wait()
        await client.until(b"\r\n\r\n")
        await _drain(client, LARGE)


async def test_a_lost_client_ends_the_wait() -> None:
    ended: list[BaseException] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send(start(200, length(LARGE)))
        try:
            await send(content(b"x" * LARGE))
        except OSError as error:
            ended.append(error)

    async with driving(app) as driven:
        async with driven.client() as client:
            await client.send(GET)
            await client.until(b"\r\n\r\n")
        await driven.until(lambda: len(ended) == 1)
        await driven.emptied()


async def test_the_next_response_follows_the_last() -> None:
    sizes = [LARGE, 5]

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await answer(send, b"x" * sizes.pop(0))

    async with driving(app) as driven, driven.client() as client:
        await client.send(GET + GET)
        status, body = await client.response()
        assert (status, len(body)) == (200, LARGE)
        assert await client.response() == (200, b"x" * 5)


async def test_a_writer_that_is_woken_for_nothing_stalls(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only what the kernel takes shows that the client reads."""
    passed = [0.0]
    clock = SimpleNamespace(monotonic=lambda: time.monotonic() + passed[0])
    monkeypatch.setattr(write_queue, "time", clock)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send(start(200, length(LARGE)))
        await send(content(b"x" * LARGE))

    async with driving(app) as driven:
        client = socket.create_connection(("127.0.0.1", driven.port))  # nobody reads from it
        client.sendall(GET)
        await driven.until(lambda: bool(driven.server.connections))
        (connection,) = driven.server.connections
        for _ in range(10):  # the kernel takes a little more as it moves things
            await driven.sweep(0)
            connection.transport.wake()
        await driven.sweep(0)
        passed[0] = 50
        connection.transport.wake()
        await driven.sweep(61)
        await anyio.wait_all_tasks_blocked()
        assert not driven.server.connections
        client.close()
