"""A connection of the fast driver; what it does, the pure one does as well."""

from __future__ import annotations

import asyncio
import contextvars
import socket
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from esg import Config
from esg.asgi import ASGIApp, Receive, Scope, Send
from esg.service import Service
from tests.apps.stage import content, start
from tests.conftest import Serve
from tests.hardening.memory import MEBIBYTE, Growth
from tests.rows import Row
from tests.server import ServerProcess

APPS = "tests.accel.odd_apps"
KIBIBYTE = 1024


@pytest.fixture(scope="module")
def server(serve_module: Serve, row: Row) -> ServerProcess:
    """Return a server of every row."""
    return serve_module(app=f"{APPS}:app", row=row)


def head(target: str, *fields: str) -> bytes:
    return "\r\n".join([f"POST {target} HTTP/1.1", "Host: test", *fields, "", ""]).encode()


@pytest.mark.parametrize("sent", [b"", b"0123456789"], ids=["nothing", "ten bytes"])
def test_unread_content_that_stops_coming(server: ServerProcess, sent: bytes) -> None:
    """What has come does not keep the connection waiting for the rest (RFC 9112 section 9.5)."""
    with server.connect() as client:
        client.send(head("/at-once", "Content-Length: 60000") + sent)
        assert client.response().body == b"at once"
        assert client.at_end()


def test_application_that_raises_when_called(serve: Serve, row: Row) -> None:
    """It is answered for and not counted for ever."""
    options = ("--limit-concurrency", "1", "--lifespan", "off")
    server = serve(*options, app=f"{APPS}:raises_when_called", row=row)
    for _ in range(3):
        with server.connect() as client:
            assert client.get("/").status == 500
    server.stderr.wait_for("Exception in the application", count=3)


def test_response_does_not_wait_behind_an_empty_line(server: ServerProcess) -> None:
    since = len(server.stdout())
    with server.connect() as client:
        client.send(head("/answer-and-block", "Content-Length: 0") + b"\r\n")
        server.stdout.wait_for("^# answered", since=since)
        assert client.response().body == b"before"
        server.open_gate()


def test_byte_behind_a_request_wakes_nobody(server: ServerProcess) -> None:
    """Not even its own application, which would find nothing and wait again without an end."""
    with server.connect() as client:
        client.send(head("/patient", "Content-Length: 0") + b"P")
        assert float(client.response().body) < 0.2


def test_messages_to_a_client_that_is_gone(server: ServerProcess) -> None:
    """The loop's own transport has nothing to say of them in the log."""
    since = len(server.stdout())
    with server.connect() as client:
        client.send(head("/to-nobody", "Content-Length: 0"))
        server.stdout.wait_for("^# sent the first", since=since)
        client.reset()
        server.open_gate()
        server.stdout.wait_for("^# sent all", since=since)
    with server.connect() as client:  # behind whatever was to be said
        assert client.get("/at-once").status == 200
    assert not server.stderr.matching("socket.send")


def test_content_that_came_while_the_loop_was_blocked(serve: Serve, asyncio_row: Row) -> None:
    """A timer that ran out meanwhile says nothing of a client that was in time."""
    server = serve("--timeout-body", "1", app=f"{APPS}:app", row=asyncio_row)
    with server.connect() as client, server.connect() as blocker:
        client.send(head("/measure", "Content-Length: 4") + b"ab")
        server.stdout.wait_for("^# measuring")
        blocker.request("/block")
        server.stdout.wait_for("^# blocking")
        client.send(b"cd")
        server.open_gate()
        assert client.response().body == b"4"
        assert blocker.response().status == 200


def test_reset_behind_content_that_is_rejected(serve: Serve, asyncio_row: Row) -> None:
    """Nothing went wrong: the connection is gone before the server can end it."""
    server = serve(app=f"{APPS}:app", row=asyncio_row)
    with server.connect() as client, server.connect() as blocker:
        client.send(head("/at-once", "Transfer-Encoding: chunked"))
        assert client.response().body == b"at once"
        blocker.request("/block")
        server.stdout.wait_for("^# blocking")
        client.send(b"no chunk\r\n")
        client.reset()
        server.open_gate()
        assert blocker.response().status == 200
        assert blocker.get("/at-once").status == 200
    assert server.stop() == 0
    assert not server.stderr.matching("Internal error")


def test_no_response_for_a_client_whose_end_is_unread(serve: Serve, asyncio_row: Row) -> None:
    """No news: it may have left, so its log line is for debugging."""
    server = serve(app=f"{APPS}:app", row=asyncio_row)
    with server.connect() as client, server.connect() as blocker:
        blocker.request("/block")
        server.stdout.wait_for("^# blocking")
        client.request("/nothing")
        client.finish_writing()
        server.open_gate()
        server.stdout.wait_for("^# nothing")
        assert client.response().status == 500
    assert server.stop() == 0
    assert not server.stderr.matching("returned without a response")


def test_requests_in_threads_are_not_forgotten(serve: Serve, row: Row) -> None:
    """A cancelled task would be gone at once, and the server with it, but not the thread."""
    options = ("--timeout-graceful-shutdown", "0.3")
    server = serve(*options, app="tests.apps.exchanges:app", row=row)
    with server.connect() as client:
        client.request("/in-a-thread")
        server.stdout.wait_for("^# in a thread")
        assert server.stop() == 0
    assert server.stderr.matching("Requests go on though they are cancelled")


def test_idle_connections_keep_nothing_of_large_fields(server: ServerProcess) -> None:
    """What was room for a response's head is not held until its client leaves."""
    growth = Growth(server)
    with ExitStack() as opened:
        for _ in range(50):
            client = opened.enter_context(server.connect())
            assert client.get("/large-fields").status == 200
        assert growth.size < 16 * MEBIBYTE


def test_timeout_that_the_application_gives_to_all_sockets(serve: Serve, asyncio_row: Row) -> None:
    """None of the server's own waits for a client because of it."""
    server = serve(app=f"{APPS}:app", row=asyncio_row)
    with server.connect() as client:
        assert client.get("/set-default-timeout").status == 200
        assert client.get("/nothing").status == 500


class Transport(asyncio.Transport):
    """A transport whose bytes are the test's; a real socket stands for its own."""

    def __init__(self, sock: socket.socket) -> None:
        super().__init__({"socket": sock, "peername": ("::1", 1), "sockname": ("::1", 2)})

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """Have none."""

    def pause_reading(self) -> None:
        """Know it already."""

    def is_closing(self) -> bool:
        """Stay open."""
        return False

    def abort(self) -> None:
        """Need nothing."""


def feed(protocol: asyncio.BufferedProtocol, data: bytes) -> None:
    """Be read into a protocol's buffer."""
    memoryview(protocol.get_buffer(-1)).cast("B")[: len(data)] = data
    protocol.buffer_updated(len(data))


def play(app: ASGIApp, script: Callable[[Any], None]) -> None:
    """Run `script(serving)` as a loop calls a protocol, outside of any task."""
    serving = pytest.importorskip("esg.accel.serving")

    async def run() -> None:
        loop = asyncio.get_running_loop()
        shared = serving.Serving(_service(app), loop)
        played = loop.create_future()

        def once() -> None:
            try:
                script(shared)
            finally:
                played.set_result(None)

        loop.call_soon(once)
        await played
        shared.cancel()

    asyncio.run(run())


@pytest.fixture
def sock() -> Iterator[socket.socket]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours


def test_content_in_tiny_pieces_costs_little_more_than_itself(sock: socket.socket) -> None:
    """Whatever an object costs, the client decides how many bytes come at once."""
    http_protocol = pytest.importorskip("esg.accel.http_protocol")
    serving = pytest.importorskip("esg.accel.serving")

    async def app(_scope: Scope, _receive: Receive, _send: Send) -> None:
        await asyncio.get_running_loop().create_future()

    async def run() -> int:
        loop = asyncio.get_running_loop()
        shared = serving.Serving(_service(app), loop)
        protocol = http_protocol.HttpProtocol(shared)
        measured: asyncio.Future[int] = loop.create_future()

        def measure() -> None:
            protocol.connection_made(Transport(sock))
            feed(protocol, head("/", "Content-Length: 100000"))
            before = tracemalloc.get_traced_memory()[0]
            for _ in range(10_000):
                feed(protocol, b"ab")
            measured.set_result(tracemalloc.get_traced_memory()[0] - before)
            protocol.connection_lost(None)

        loop.call_soon(measure)  # outside of any task, as a loop calls a protocol
        try:
            return await measured
        finally:
            shared.cancel()
            await shared.emptied()

    tracemalloc.start()
    try:
        assert asyncio.run(run()) < 64 * KIBIBYTE
    finally:
        tracemalloc.stop()


def _service(app: ASGIApp) -> Service:
    return Service(
        app=app,
        config=Config(app),
        listeners=[],
        state={},
        context=contextvars.copy_context(),
        server_info={},
        on_serving=lambda: None,
    )


def test_read_from_within_an_application(sock: socket.socket) -> None:
    """nest_asyncio makes one of them run the loop: what others send meanwhile is theirs alone."""
    http_protocol = pytest.importorskip("esg.accel.http_protocol")
    other: asyncio.BufferedProtocol
    received: list[bytes] = []

    async def app(_scope: Scope, receive: Receive, _send: Send) -> None:
        feed(other, head("/", "Cookie: " + "secret " * 100)[:-2])
        received.append((await receive())["body"])

    def script(serving: Any) -> None:
        nonlocal other
        other = http_protocol.HttpProtocol(serving)
        protocol = http_protocol.HttpProtocol(serving)
        for connection in (other, protocol):
            connection.connection_made(Transport(sock))
        feed(protocol, head("/", "Transfer-Encoding: chunked") + b"4\r\nmine\r\n0\r\n\r\n")

    play(app, script)
    assert received == [b"mine"]


@pytest.mark.parametrize("later", [False, True], ids=["in its own step", "in another task's"])
def test_write_that_fails(sock: socket.socket, later: bool) -> None:
    """Nobody knows what is lost: another response must not be taken for the rest of this one."""
    http_protocol = pytest.importorskip("esg.accel.http_protocol")
    server = pytest.importorskip("esg.accel.server")
    sends: list[Send] = []
    calls: list[str] = []

    class Failing(Transport):
        def write(self, data: object) -> None:
            raise RecursionError  # as asyncio's own, where an application has left no room for it

        def abort(self) -> None:
            calls.append("abort")

    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        calls.append("app")
        await send(start())
        sends.append(send)
        if later:
            await asyncio.get_running_loop().create_future()
        with pytest.raises(RecursionError):
            await send(content())

    def script(serving: Any) -> None:
        protocol = http_protocol.HttpProtocol(serving)
        protocol.connection_made(Failing(sock))
        feed(protocol, head("/", "Content-Length: 0"))
        if later:
            with pytest.raises(RecursionError):
                sends[0](content()).__await__().__next__()
            server._sweep(serving)  # as its timer does
        feed(protocol, head("/", "Content-Length: 0"))

    play(app, script)
    assert calls == ["app", "abort"]
