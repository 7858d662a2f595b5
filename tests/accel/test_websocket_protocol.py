"""A WebSocket on the fast driver: its callbacks, one after the other, on a transport of the test's."""

from __future__ import annotations

import asyncio
import contextvars
import socket
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest

from esg import Config
from esg.asgi import ASGIApp, Message, Receive, Scope, Send
from esg.errors import ClientDisconnected
from esg.service import Service
from tests.conformance.websocket_frames import BINARY, CLOSE, PING, PONG, TEXT, cut_all, frame

http_protocol = pytest.importorskip("esg.accel.http_protocol")
serving = pytest.importorskip("esg.accel.serving")

OPENING = (
    b"GET / HTTP/1.1\r\nHost: test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
ACCEPT: Message = {"type": "websocket.accept"}
variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="unset")


class Transport(asyncio.Transport):
    """Keep what is written; report nothing that the test does not."""

    def __init__(self, sock: socket.socket) -> None:
        super().__init__({"socket": sock, "peername": ("::1", 1), "sockname": ("::1", 2)})
        self.writes: list[bytes] = []
        self.reading = True
        self.closed = ""
        self.protocol: Any = None

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self.protocol = protocol

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """Have none."""

    def get_write_buffer_size(self) -> int:
        return 0

    def write(self, data: Any) -> None:
        assert not self.closed
        self.writes.append(data)

    def writelines(self, list_of_data: Any) -> None:
        assert not self.closed
        self.writes += list_of_data

    def pause_reading(self) -> None:
        assert self.reading
        self.reading = False

    def resume_reading(self) -> None:
        assert not self.reading
        self.reading = True

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        self.closed = "FIN"

    def is_closing(self) -> bool:
        return bool(self.closed)

    def close(self) -> None:
        self.closed = "closed"

    def abort(self) -> None:
        self.closed = "aborted"


class Client:
    """Do to a connection what its transport would; each call is a callback of the loop."""

    def __init__(self, sock: socket.socket, app: ASGIApp, **settings: Any) -> None:
        self.loop = asyncio.get_running_loop()
        self.shared = serving.Serving(service(app, settings), self.loop)
        self.transport = Transport(sock)
        self.transport.protocol = http_protocol.HttpProtocol(self.shared)

    async def call(self, act: Callable[[], object]) -> None:
        """Have the loop call a function: outside of any task, as it calls a protocol."""
        done: asyncio.Future[None] = self.loop.create_future()

        def run() -> None:
            try:
                act()
            except BaseException as error:
                done.set_exception(error)
            else:
                done.set_result(None)

        self.loop.call_soon(run)
        await done

    def read(self, data: bytes) -> None:
        """Report bytes; at once."""
        protocol = self.transport.protocol
        memoryview(protocol.get_buffer(-1)).cast("B")[: len(data)] = data
        protocol.buffer_updated(len(data))

    async def send(self, *data: bytes) -> None:
        """Report bytes in one read."""
        await self.call(lambda: self.read(b"".join(data)))

    async def open(self, *more: bytes) -> None:
        """Open the connection, with a handshake and whatever follows it in the same read."""

        def connect() -> None:
            self.transport.protocol.connection_made(self.transport)
            self.read(OPENING + b"".join(more))

        await self.call(connect)
        await self.turns()

    async def turns(self, count: int = 5) -> None:
        """Let everything run that can."""
        for _ in range(count):
            await asyncio.sleep(0)

    async def pause_writing(self) -> None:
        await self.call(self.transport.protocol.pause_writing)

    async def resume_writing(self) -> None:
        await self.call(self.transport.protocol.resume_writing)
        await self.turns()

    async def finish_writing(self) -> None:
        """Report the client's FIN."""
        await self.call(self.transport.protocol.eof_received)
        await self.turns()

    async def lose(self) -> None:
        """Report that the connection is gone."""
        await self.call(lambda: self.transport.protocol.connection_lost(None))
        await self.turns()

    def is_read(self) -> bool:
        """Tell whether the connection reads on."""
        return self.transport.reading

    def received(self) -> list[tuple[int, bytes]]:
        """Return the frames behind the 101 as far as they have been written."""
        data = b"".join(self.transport.writes)
        head, _, rest = data.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 101 ")
        frames, left = cut_all(rest)
        assert not left
        return [(found.opcode, found.payload) for found in frames]


def service(app: ASGIApp, settings: dict[str, Any]) -> Service:
    return Service(
        app=app,
        config=Config(app, access_log=False, **settings),
        listeners=[],
        state={},
        context=contextvars.copy_context(),
        server_info={},
        on_serving=lambda: None,
    )


@pytest.fixture
def sock() -> Iterator[socket.socket]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours


@pytest.fixture
def run(sock: socket.socket) -> Callable[..., None]:
    """Return a function that runs a test against an application."""

    def run(app: ASGIApp, test: Callable[[Client], Awaitable[None]], **settings: Any) -> None:
        async def all_of_it() -> None:
            client = Client(sock, app, **settings)
            try:
                await test(client)
            finally:
                if client.transport.protocol.__class__.__name__ == "WebSocketProtocol":
                    await client.lose()
                client.shared.cancel()
                await client.shared.emptied()

        asyncio.run(all_of_it())

    return run


Run = Callable[..., None]


class Echo:
    """Echo, and keep what was received."""

    def __init__(self) -> None:
        self.events: list[Message] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send(ACCEPT)
        while (event := await receive())["type"] == "websocket.receive":
            self.events.append(event)
            await send({**event, "type": "websocket.send"})
        self.events.append(event)

    @property
    def end(self) -> tuple[int, str]:
        """Code and reason of the disconnect."""
        return self.events[-1]["code"], self.events[-1]["reason"]


CODECS = pytest.mark.parametrize("ws", ["auto", "wsproto", "websockets"])


@CODECS
def test_answers_leave_together_within_the_read(run: Run, ws: str) -> None:
    app = Echo()

    async def test(client: Client) -> None:
        await client.open()

        def send_and_look() -> None:
            client.read(frame(TEXT, b"one") + frame(BINARY, b"two") + frame(TEXT, b"three"))
            assert client.received() == [(TEXT, b"one"), (BINARY, b"two"), (TEXT, b"three")]

        await client.call(send_and_look)
        await client.send(frame(CLOSE, b"\x0b\xb9bye"))
        assert client.received()[3:] == [(CLOSE, b"\x0b\xb9")]
        assert client.transport.closed == "FIN"
        await client.turns()
        assert app.end == (3001, "bye")

    run(app, test, ws=ws)


def test_three_answers_are_one_write(run: Run) -> None:
    async def test(client: Client) -> None:
        await client.open()
        written = len(client.transport.writes)
        await client.send(frame(TEXT, b"one") * 3)
        assert len(client.transport.writes) == written + 1

    run(Echo(), test)


@CODECS
def test_messages_before_the_accept_are_kept(run: Run, ws: str) -> None:
    gate = asyncio.Event()
    echo = Echo()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await gate.wait()
        await echo(scope, receive, send)

    async def test(client: Client) -> None:
        await client.open(frame(TEXT, b"early"), frame(BINARY, b"frag", fin=False))
        await client.send(frame(0, b"ment"))
        assert client.transport.writes == []
        gate.set()
        await client.turns()
        assert client.received() == [(TEXT, b"early"), (BINARY, b"fragment")]

    run(app, test, ws=ws)


def test_task_and_context_are_the_sessions_own(run: Run) -> None:
    seen: list[tuple[object, str]] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append((asyncio.current_task(), variable.get()))
        variable.set("set")
        await receive()
        await send(ACCEPT)
        await receive()
        seen.append((asyncio.current_task(), variable.get()))
        async with asyncio.timeout(10):
            await receive()
        seen.append((asyncio.current_task(), variable.get()))

    async def test(client: Client) -> None:
        await client.open()
        await client.send(frame(TEXT, b"one"))
        await client.send(frame(TEXT, b"two"))
        await client.turns()
        assert len({id(task) for task, _ in seen}) == 1
        assert [value for _, value in seen] == ["unset", "set", "set"]
        assert variable.get() == "unset"

    run(app, test)


def test_many_messages_let_others_run(run: Run) -> None:
    app = Echo()

    async def test(client: Client) -> None:
        await client.open()
        others: list[int] = []

        def send_and_look() -> None:
            client.loop.call_soon(lambda: others.append(len(app.events)))
            client.read(frame(TEXT, b"x") * 1000)

        await client.call(send_and_look)
        await client.turns(100)
        assert 0 < others[0] < 500
        assert len(client.received()) == 1000

    run(app, test)


@pytest.mark.parametrize("size", [0, 1000, 70_000])
@CODECS
def test_slow_application_stops_the_reading(run: Run, ws: str, size: int) -> None:
    gate = asyncio.Event()
    received: list[Message] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send(ACCEPT)
        await gate.wait()
        while (event := await receive())["type"] == "websocket.receive":
            received.append(event)

    async def test(client: Client) -> None:
        await client.open()
        message = frame(BINARY, bytes(size))
        sent = 0
        while client.is_read():
            batch = max(1, 65536 // len(message))
            await client.send(message * batch)
            sent += batch
            assert sent * len(message) < 400_000
        gate.set()
        await client.turns(1000)
        assert len(received) == sent
        assert client.is_read()
        assert all(event["bytes"] == bytes(size) for event in received)

    run(app, test, ws=ws)


def test_slow_client_makes_send_wait(run: Run) -> None:
    told: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send(ACCEPT)
        await receive()

        async def say(text: str) -> None:
            await send({"type": "websocket.send", "text": text})
            told.append(text)

        tasks = [asyncio.ensure_future(say(text)) for text in ("one", "two", "three")]
        await asyncio.sleep(0)
        tasks[1].cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await receive()

    async def test(client: Client) -> None:
        await client.open()
        await client.pause_writing()
        await client.send(frame(TEXT, b"go"))
        await client.turns()
        assert told == []
        assert client.received() == []
        await client.resume_writing()
        assert told == ["one", "three"]
        assert client.received() == [(TEXT, b"one"), (TEXT, b"three")]

    run(app, test)


def test_client_that_does_not_read_its_pongs_is_not_read(run: Run) -> None:
    async def test(client: Client) -> None:
        await client.open()
        await client.pause_writing()
        for _ in range(3):
            await client.send(frame(PING, b"p" * 100) * 400)
        assert client.received() == []
        assert not client.is_read()
        await client.resume_writing()
        assert client.received() == [(PONG, b"p" * 100)] * 1200
        assert client.is_read()

    run(Echo(), test)


def test_large_message_is_not_copied(run: Run) -> None:
    large = bytes(100_000)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send(ACCEPT)
        await send({"type": "websocket.send", "bytes": large})
        await receive()
        await receive()

    async def test(client: Client) -> None:
        await client.open()
        assert any(data is large for data in client.transport.writes)
        assert client.received() == [(BINARY, large)]

    run(app, test)


@CODECS
def test_lost_connection(run: Run, ws: str) -> None:
    raised: list[BaseException] = []
    ends: list[Message] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send(ACCEPT)
        ends.extend([await receive() for _ in range(2)])
        try:
            await send({"type": "websocket.send", "text": "late"})
        except OSError as error:
            raised.append(error)

    async def test(client: Client) -> None:
        await client.open()
        await client.lose()
        assert ends == [{"type": "websocket.disconnect", "code": 1006, "reason": ""}] * 2
        assert type(raised[0]) is ClientDisconnected

    run(app, test, ws=ws)


def test_messages_before_a_fin_are_delivered(run: Run) -> None:
    gate = asyncio.Event()
    received: list[Message] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send(ACCEPT)
        await gate.wait()
        while (event := await receive())["type"] == "websocket.receive":
            received.append(event)
        received.append(event)

    async def test(client: Client) -> None:
        await client.open()
        await client.send(frame(TEXT, b"x") * 100)
        await client.finish_writing()
        gate.set()
        await client.turns(20)
        assert [event.get("text") for event in received[:-1]] == ["x"] * 100
        assert received[-1]["code"] == 1006
        assert client.transport.closed

    run(app, test)


def test_answers_go_out_behind_a_fin(run: Run) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send(ACCEPT)
        while (event := await receive())["type"] == "websocket.receive":
            await asyncio.sleep(0)
            await send({**event, "type": "websocket.send"})

    async def test(client: Client) -> None:
        await client.open()
        await client.send(frame(TEXT, b"one") + frame(TEXT, b"two"))
        await client.finish_writing()
        await client.turns()
        assert client.received() == [(TEXT, b"one"), (TEXT, b"two")]
        assert client.transport.closed == "closed"

    run(app, test)


def test_receiving_in_tasks_of_the_applications_own(run: Run) -> None:
    received: list[object] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send(ACCEPT)
        given_up = asyncio.ensure_future(receive())
        await asyncio.sleep(0)
        given_up.cancel()
        try:
            await asyncio.wait_for(receive(), 0)
        except TimeoutError:
            received.append("nothing")
        waiting = [asyncio.ensure_future(receive()) for _ in range(2)]
        received.extend([(await task).get("text") for task in waiting])
        await receive()

    async def test(client: Client) -> None:
        await client.open()
        await client.turns()
        await client.send(frame(TEXT, b"one") + frame(TEXT, b"two"))
        await client.turns()
        assert received[0] == "nothing"
        assert sorted(map(str, received[1:])) == ["one", "two"]

    run(app, test)


async def returns(scope: Scope, receive: Receive, send: Send) -> None:
    """Return at once."""


async def closes(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "websocket.close"})


async def accepts_and_closes(scope: Scope, receive: Receive, send: Send) -> None:
    await send(ACCEPT)
    await send({"type": "websocket.close", "code": 4000})


async def accepts_and_raises(scope: Scope, receive: Receive, send: Send) -> None:
    await send(ACCEPT)
    raise ValueError("on purpose")


async def denies(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "websocket.http.response.start", "status": 418})
    await send({"type": "websocket.http.response.body", "body": b"no"})


@pytest.mark.parametrize(
    ("app", "status", "closed"),
    [
        (returns, 500, "FIN"),
        (closes, 403, "FIN"),
        (accepts_and_closes, 101, ""),
        (accepts_and_raises, 101, ""),
        (denies, 418, "FIN"),
    ],
)
def test_sessions_that_end_within_their_first_step(
    run: Run, app: ASGIApp, status: int, closed: str
) -> None:
    async def test(client: Client) -> None:
        await client.open()
        assert b"".join(client.transport.writes).startswith(b"HTTP/1.1 %d " % status)
        assert client.transport.closed == closed
        if status == 101:
            await client.send(frame(CLOSE, b"\x03\xe8"))
            assert client.transport.closed == "FIN"

    run(app, test)


def test_close_in_the_segment_of_the_handshake(run: Run) -> None:
    """An application that ends first is answered by the client's close frame, already here."""

    async def test(client: Client) -> None:
        await client.open(frame(CLOSE, b"\x03\xe8"))
        assert client.transport.closed == "FIN"

    run(accepts_and_raises, test)


def test_unusual_messages_are_the_rules(run: Run) -> None:
    failures: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send(ACCEPT)
        wrong: list[Any] = [
            {"type": "websocket.send"},
            {"type": "websocket.send", "text": "a", "bytes": b"b"},
            {"type": "websocket.send", "text": b"a"},
            {"type": "websocket.send", "text": "\ud800"},
            {"type": "http.response.body"},
            "message",
        ]
        for message in wrong:
            try:
                await send(message)
            except (RuntimeError, TypeError) as error:
                failures.append(type(error).__name__)
        await send({"type": "websocket.send", "bytes": memoryview(b"view"), "text": None})
        await send({"type": "websocket.send", "bytes": bytearray(b"array")})
        await send({"type": "websocket.send", "text": "ü"})
        await receive()

    async def test(client: Client) -> None:
        await client.open()
        error, type_error = "MessageError", "TypeError"
        assert failures == [error, error, type_error, error, error, type_error]
        sent = [(BINARY, b"view"), (BINARY, b"array"), (TEXT, "ü".encode())]
        assert client.received() == sent

    run(app, test)


def test_server_that_stops_tells_both_sides(run: Run) -> None:
    app = Echo()

    async def test(client: Client) -> None:
        await client.open()
        server = pytest.importorskip("esg.accel.server")
        await client.call(lambda: server._stop_idle(client.shared))
        await client.turns()
        assert client.received() == [(CLOSE, b"\x03\xf4")]
        assert app.end == (1012, "")
        await client.send(frame(CLOSE, b"\x03\xf4"))
        assert client.transport.closed == "FIN"

    run(app, test)


@CODECS
def test_close_by_another_task_goes_on_reading(run: Run, ws: str) -> None:
    """The application's own task is busy; the client's close frame must be read all the same."""
    gate = asyncio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send(ACCEPT)
        closing = asyncio.create_task(close(send))
        await asyncio.Event().wait()
        await closing

    async def close(send: Send) -> None:
        await gate.wait()
        await send({"type": "websocket.close", "code": 4000})

    async def test(client: Client) -> None:
        await client.open()
        await client.send(frame(BINARY, bytes(70_000)))
        await client.turns()
        assert not client.is_read()
        gate.set()
        await client.turns()
        assert client.is_read()
        await client.send(frame(CLOSE, b"\x0f\xa0"))
        assert client.transport.closed == "FIN"

    run(app, test, ws=ws)


def test_server_that_stops_reads_on(run: Run) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send(ACCEPT)
        await asyncio.Event().wait()

    async def test(client: Client) -> None:
        await client.open()
        await client.send(*[frame(TEXT, b"a")] * 40, frame(CLOSE, b"\x03\xe8"))
        server = pytest.importorskip("esg.accel.server")
        await client.call(lambda: server._stop_idle(client.shared))
        assert client.received() == [(CLOSE, b"\x03\xf4")]
        assert client.transport.closed == "FIN"

    run(app, test)


def test_client_that_goes_on_sending_does_not_put_the_close_timeout_off(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    protocol = pytest.importorskip("esg.accel.websocket_protocol")
    server = pytest.importorskip("esg.accel.server")
    monkeypatch.setattr(protocol, "is_readable", lambda _: True)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send(ACCEPT)
        await send({"type": "websocket.close", "code": 4000})

    async def test(client: Client) -> None:
        await client.open()
        async with asyncio.timeout(60):
            while not client.transport.closed:
                await client.send(frame(TEXT, b"more"))
                await client.call(lambda: server._sweep(client.shared))
                await asyncio.sleep(0.01)

    run(app, test, ws_close_timeout=0.05)
