"""The pure driver's entrance: accepting, and the two ways to stop."""

from __future__ import annotations

import socket

import anyio
import pytest

from esg.asgi import Receive, Scope, Send
from esg.pure.server import serve
from tests.pure.driver import BOUND, GET, answer, driving, hello, service_for

pytestmark = pytest.mark.anyio


def listening() -> socket.socket:
    listener = socket.create_server(("127.0.0.1", 0))
    listener.setblocking(False)
    return listener


async def test_serves_every_listener() -> None:
    listeners = [listening(), listening()]
    ports = [listener.getsockname()[1] for listener in listeners]
    service = service_for(hello, listeners)
    serving: list[bool] = []
    service.on_serving = lambda: serving.append(True)
    with anyio.fail_after(BOUND):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(serve, service)
            for port in ports:
                async with await anyio.connect_tcp("127.0.0.1", port) as stream:
                    await stream.send(GET)
                    assert (await stream.receive()).startswith(b"HTTP/1.1 200 ")
            service.stop.set()
    assert serving == [True]
    for port in ports:
        with socket.socket() as client:
            assert client.connect_ex(("127.0.0.1", port)) != 0


async def test_what_the_kernel_has_accepted_is_served() -> None:
    """A connection that was complete before the stop is not reset."""
    listener = listening()
    service = service_for(hello, [listener])
    with anyio.fail_after(BOUND):
        async with (
            await anyio.connect_tcp(*listener.getsockname()) as client,
            anyio.create_task_group() as tasks,
        ):
            await client.send(GET)
            service.stop.set()
            tasks.start_soon(serve, service)
            assert (await client.receive()).startswith(b"HTTP/1.1 200 ")
            await client.aclose()


async def test_stop_waits_for_requests() -> None:
    begun, go_on = anyio.Event(), anyio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        begun.set()
        await go_on.wait()
        await answer(send)

    async with driving(app) as driven, driven.client() as client, driven.client() as idle:
        await client.send(GET)
        await begun.wait()
        driven.server.service.stop.set()
        assert await idle.at_end()
        go_on.set()
        assert await client.response() == (200, b"hello")
        assert await client.at_end()


async def test_forced_stop_cancels() -> None:
    begun = anyio.Event()
    ended: list[BaseException] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        begun.set()
        try:
            await anyio.sleep_forever()
        except BaseException as error:
            ended.append(error)
            raise

    async with driving(app, timeout_graceful_shutdown=0) as driven, driven.client() as client:
        await client.send(GET)
        await begun.wait()
        driven.server.service.stop.set()
        driven.server.service.force_stop.set()
        assert await client.at_end()
    assert isinstance(ended[0], anyio.get_cancelled_exc_class())


async def test_many_connections_at_once() -> None:
    """More than are accepted in one turn."""
    async with driving(hello) as driven:
        clients = [
            socket.create_connection(("127.0.0.1", driven.port), timeout=BOUND) for _ in range(100)
        ]
        await driven.until(lambda: len(driven.server.connections) == 100)
        for client in clients:
            client.close()
        await driven.emptied()
