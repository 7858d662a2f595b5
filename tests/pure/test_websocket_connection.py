"""A WebSocket on the pure driver: what must not depend on the application, timers, ends."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import pytest

from esg.asgi import ASGIApp, Message, Receive, Scope, Send
from esg.errors import ClientDisconnected
from tests.conformance.websocket_frames import (
    BINARY,
    CLOSE,
    PING,
    PONG,
    TEXT,
    WireFrame,
    cut,
    frame,
)
from tests.pure.driver import GET, HEAD_END, Client, Driven, current_task, driving, hello

pytestmark = pytest.mark.anyio

OPENING = (
    b"GET / HTTP/1.1\r\nHost: test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
ACCEPT: Message = {"type": "websocket.accept"}
NORMAL = b"\x03\xe8"


class Seen:
    """An application that echoes and keeps what it receives."""

    def __init__(self) -> None:
        self.events: list[Message] = []
        self.ended = anyio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            self.events.append(await receive())
            await send(ACCEPT)
            while True:
                event = await receive()
                self.events.append(event)
                if event["type"] == "websocket.disconnect":
                    return
                await send({**event, "type": "websocket.send"})
        finally:
            self.ended.set()

    @property
    def end(self) -> tuple[int, str]:
        """Code and reason of the disconnect event."""
        return self.events[-1]["code"], self.events[-1]["reason"]


class Socket:
    """The client's end of a WebSocket."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self._unread = client.take()

    async def send(self, *frames: bytes) -> None:
        """Send frames in one segment."""
        await self.client.send(b"".join(frames))

    async def next(self) -> WireFrame:
        """Read a frame."""
        while (found := cut(self._unread)) is None:
            self._unread += await self.client.stream.receive()
        self._unread = self._unread[found[1] :]
        return found[0]

    async def close_code(self) -> int:
        """Read a close frame."""
        found = await self.next()
        assert found.opcode == CLOSE, str(found)
        return int.from_bytes(found.payload[:2], "big")


async def ask(client: Client, more: bytes = b"") -> int:
    """Send an opening handshake; return the answer's status."""
    await client.send(OPENING + more)
    return int((await client.until(HEAD_END)).split()[1])


@asynccontextmanager
async def talking(app: ASGIApp, **settings: Any) -> AsyncIterator[tuple[Driven, Socket]]:
    """Serve an application and open a WebSocket to it."""
    async with driving(app, **settings) as driven, driven.client() as client:
        assert await ask(client) == 101
        yield driven, Socket(client)


async def test_echo() -> None:
    app = Seen()
    async with talking(app) as (_, socket):
        await socket.send(frame(TEXT, b"h\xc3\xa9"), frame(BINARY, b""))
        assert (await socket.next()).payload == b"h\xc3\xa9"
        assert (await socket.next()).opcode == BINARY
        await socket.send(frame(CLOSE, NORMAL + b"bye"))
        assert await socket.close_code() == 1000
        assert await socket.client.at_end()
    assert app.end == (1000, "bye")
    assert [e["type"] for e in app.events][:2] == ["websocket.connect", "websocket.receive"]


async def test_data_that_comes_with_the_handshake() -> None:
    app = Seen()
    async with driving(app) as driven, driven.client() as client:
        assert await ask(client, frame(TEXT, b"early")) == 101
        assert (await Socket(client).next()).payload == b"early"


async def test_an_application_that_does_not_receive_holds_no_ping_up() -> None:
    go_on = anyio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send(ACCEPT)
        await go_on.wait()

    async with talking(app) as (_, socket):
        await socket.send(frame(PING, b"there?"))
        found = await socket.next()
        assert (found.opcode, found.payload) == (PONG, b"there?")
        await socket.send(frame(CLOSE, NORMAL))
        assert await socket.close_code() == 1000
        go_on.set()


async def test_a_slow_application_is_given_no_more_than_its_queue() -> None:
    """What it does not take stays with the client."""
    go_on = anyio.Event()
    count = 0

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal count
        await send(ACCEPT)
        await go_on.wait()
        await receive()
        while (await receive())["type"] == "websocket.receive":
            count += 1

    async with talking(app, ws_max_queue=4) as (driven, socket):
        blocked = False
        sent = 0
        while not blocked and sent < 4096:
            with anyio.move_on_after(0.5) as waiting:
                await socket.send(frame(BINARY, bytes(65000)))
                sent += 1
            blocked = waiting.cancelled_caught
        assert blocked
        go_on.set()
        await driven.until(lambda: count >= sent)


async def test_send_waits_for_a_slow_client() -> None:
    sent = 0
    stopped = anyio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal sent
        await send(ACCEPT)
        try:
            while True:
                await send({"type": "websocket.send", "bytes": bytes(65536)})
                sent += 1
        except ClientDisconnected:
            stopped.set()
            raise

    async with talking(app) as (driven, _):
        await anyio.wait_all_tasks_blocked()
        before = sent
        await anyio.wait_all_tasks_blocked()
        assert sent == before
        await driven.sweep(61)
        await stopped.wait()


async def test_the_application_has_a_task_and_a_context_of_its_own() -> None:
    tasks: set[object] = set()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        tasks.add(current_task())
        await Seen()(scope, receive, send)

    async with driving(app) as driven:
        for _ in range(2):
            async with driven.client() as client:
                assert await ask(client) == 101
    assert len(tasks) == 2


async def test_failure_comes_behind_the_answers() -> None:
    app = Seen()
    async with talking(app) as (_, socket):
        await socket.send(frame(TEXT, b"good"), frame(3), frame(PING))
        assert (await socket.next()).payload == b"good"
        assert await socket.close_code() == 1002
        assert await socket.client.at_end()
    assert app.end == (1002, "reserved opcode")


async def test_failure_does_not_wait_for_ever() -> None:
    stuck = anyio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send(ACCEPT)
        await stuck.wait()

    async with talking(app) as (driven, socket):
        await socket.send(frame(TEXT, b"good"), frame(3))
        await driven.sweep(1.1)
        assert await socket.close_code() == 1002
        stuck.set()


async def test_client_is_lost() -> None:
    app = Seen()
    async with talking(app) as (_, socket):
        await socket.send(frame(TEXT, b"last"))
        await socket.next()
        await socket.client.stream.aclose()
        await app.ended.wait()
    assert app.end == (1006, "")


async def test_answers_go_out_behind_a_fin() -> None:
    app = Seen()
    async with talking(app) as (_, socket):
        await socket.send(frame(TEXT, b"a"), frame(TEXT, b"b"))
        await socket.client.stream.send_eof()
        assert [(await socket.next()).payload for _ in range(2)] == [b"a", b"b"]
        assert await socket.client.at_end()
    assert app.end == (1006, "")


async def test_an_application_learns_of_a_fin_when_it_asks() -> None:
    go_on = anyio.Event()
    events: list[Message] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send(ACCEPT)
        events.extend([await receive(), await receive()])
        await go_on.wait()
        events.append(await receive())

    async with talking(app) as (driven, socket):
        await socket.send(frame(TEXT, b"a"))
        await socket.client.stream.send_eof()
        await anyio.wait_all_tasks_blocked()
        go_on.set()
        await driven.until(lambda: len(events) == 3)
    assert events[-1] == {"type": "websocket.disconnect", "code": 1006, "reason": ""}


async def test_messages_before_a_fin_are_received() -> None:
    go_on = anyio.Event()
    events: list[Message] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send(ACCEPT)
        await go_on.wait()
        while not events or events[-1]["type"] != "websocket.disconnect":
            events.append(await receive())

    async with talking(app, ws_max_queue=1) as (_, socket):
        await socket.send(*[frame(TEXT, b"a")] * 5)
        await socket.client.stream.send_eof()
        await anyio.wait_all_tasks_blocked()
        go_on.set()
        assert await socket.client.at_end()
    assert len(events) == 7
    assert events[-1]["code"] == 1006


async def test_accept_timeout() -> None:
    events: list[Message] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        events.extend([await receive(), await receive()])

    async with driving(app) as driven, driven.client() as client:
        await client.send(OPENING)
        await driven.sweep(11)
        assert (await client.response())[0] == 503
        assert await client.at_end()
    assert events[-1] == {"type": "websocket.disconnect", "code": 1006, "reason": ""}


async def test_close_timeout() -> None:
    events: list[Message] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send(ACCEPT)
        await send({"type": "websocket.close", "code": 4000})
        events.extend([await receive(), await receive()])

    async with talking(app) as (driven, socket):
        assert await socket.close_code() == 4000
        await driven.sweep(9)
        assert driven.server.connections
        await driven.sweep(11)
        assert await socket.client.at_end()
    assert events[-1] == {"type": "websocket.disconnect", "code": 1006, "reason": ""}


async def test_close_frame_behind_messages_that_nobody_took() -> None:
    go_on = anyio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send(ACCEPT)
        await go_on.wait()
        await send({"type": "websocket.close", "code": 4000})

    async with talking(app, ws_close_timeout=0) as (driven, socket):
        await socket.send(*[frame(BINARY, bytes(4000))] * 40, frame(CLOSE, NORMAL))
        [connection] = driven.server.connections
        websocket = connection.websocket
        assert websocket is not None
        await driven.until(lambda: websocket._reader_waits is not None)
        go_on.set()
        with anyio.fail_after(60):
            assert await socket.close_code() == 4000
            assert await socket.client.at_end()


async def test_ping_and_pong() -> None:
    app = Seen()
    async with talking(app) as (driven, socket):
        for _ in range(2):
            await driven.sweep(21)
            assert (await socket.next()).opcode == PING
            await socket.send(frame(PONG))
        await driven.sweep(21)
        assert (await socket.next()).opcode == PING
        await driven.sweep(21)
        assert await socket.close_code() == 1011
        assert await socket.client.at_end()
    assert app.end == (1011, "ping timeout")


async def test_server_stops() -> None:
    app = Seen()
    async with talking(app) as (driven, socket):
        driven.server.service.stop.set()
        assert await socket.close_code() == 1012
        await socket.send(frame(CLOSE, b"\x03\xf4"))
        assert await socket.client.at_end()
    assert app.end == (1012, "")


async def test_application_that_does_not_end_is_cancelled() -> None:
    cancelled = anyio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send(ACCEPT)
        try:
            await anyio.sleep_forever()
        finally:
            cancelled.set()

    async with talking(app, timeout_graceful_shutdown=0.3) as (driven, _):
        driven.server.service.stop.set()
        await cancelled.wait()


async def test_limit_counts_websockets() -> None:
    app = Seen()
    async with talking(app, limit_concurrency=1) as (driven, socket), driven.client() as second:
        assert await ask(second) == 503
        await socket.send(frame(CLOSE, NORMAL))
        await socket.client.at_end()
        async with driven.client() as third:
            assert await ask(third) == 101


async def test_handshake_rejected() -> None:
    async with driving(Seen()) as driven:
        async with driven.client() as client:
            await client.send(OPENING.replace(b"Version: 13", b"Version: 8"))
            head = await client.until(HEAD_END)
            assert b" 426 " in head
            assert b"\r\nsec-websocket-version: 13\r\n" in head
            assert b"\r\nconnection: upgrade, close\r\n" in head
        async with driven.client() as client:
            await client.send(OPENING.replace(b"GET", b"POST"))
            assert b" 400 " in await client.until(HEAD_END)


async def test_no_websocket() -> None:
    async with driving(hello, ws="none") as driven, driven.client() as client:
        for request in (OPENING, GET):
            await client.send(request)
            assert await client.response() == (200, b"hello")


@pytest.mark.parametrize("raises", [False, True])
async def test_application_ends_without_an_answer(raises: bool) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if raises:
            raise ValueError("on purpose")

    async with driving(app) as driven, driven.client() as client:
        await client.send(OPENING)
        assert (await client.response())[0] == 500
        assert await client.at_end()


@pytest.mark.parametrize(("raises", "code"), [(False, 1000), (True, 1011)])
async def test_application_ends(raises: bool, code: int) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send(ACCEPT)
        if raises:
            raise ValueError("on purpose")

    async with talking(app) as (_, socket):
        assert await socket.close_code() == code
        await socket.send(frame(CLOSE, code.to_bytes(2, "big")))
        assert await socket.client.at_end()


async def test_denial_is_held_until_the_sweep() -> None:
    go_on = anyio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(b"content-length", b"2")]
        message = {"type": "websocket.http.response.start", "status": 401, "headers": headers}
        await send(message)
        await go_on.wait()
        await send({"type": "websocket.http.response.body", "body": b"no"})

    async with driving(app) as driven, driven.client() as client:
        await client.send(OPENING)
        await driven.sweep(1)
        assert b" 401 " in await client.until(HEAD_END)
        await client.stream.send_eof()
        await anyio.wait_all_tasks_blocked()
        go_on.set()
        assert await client.until(b"no") == b"no"
        assert await client.at_end()
