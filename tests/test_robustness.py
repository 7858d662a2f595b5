"""What must not harm a server: applications that misbehave, clients that vanish, full tables."""

from __future__ import annotations

import json
import socket
import time
from collections import Counter
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import pytest

from tests.client import Connection, Response
from tests.conftest import Serve
from tests.rows import Row
from tests.server import ESG, ServerProcess

MANY = 1000
AT_ONCE = 100
REQUEST = b"GET / HTTP/1.1\r\nHost: test\r\n\r\n"


@pytest.fixture(scope="module")
def server(serve_module: Serve, row: Row) -> ServerProcess:
    """Return a server of every row."""
    return serve_module("--log-level", "debug", row=row)


def get(server: ServerProcess, target: str) -> Response:
    with server.connect() as client:
        return client.get(target)


def serves(server: ServerProcess) -> bool:
    return get(server, "/").body == b"hello"


ERRORS = ["ValueError", "OSError", "KeyboardInterrupt", "SystemExit", "CancelledError", "cancel"]


def _skip_what_trio_has_not(row: Row, what: str) -> None:
    if row.loop == "trio" and what == "cancel":
        pytest.skip("a trio task cannot cancel itself but by a scope of its own")


@pytest.mark.parametrize("what", ERRORS)
def test_app_that_raises_before_its_response(server: ServerProcess, row: Row, what: str) -> None:
    _skip_what_trio_has_not(row, what)
    mark = len(server.stderr())
    answer = get(server, f"/ill?what={what}")
    assert (answer.status, answer.field("connection")) == (500, "close")
    assert b"purpose" not in answer.body
    logged = "CancelledError" if what == "cancel" else what
    server.stderr.wait_for("^ERROR: +Exception in the application", since=mark)
    server.stderr.wait_for(rf"^ +(\w+\.)*{logged}", since=mark)
    assert serves(server)


@pytest.mark.parametrize("what", ERRORS)
def test_app_that_raises_inside_its_response(server: ServerProcess, row: Row, what: str) -> None:
    """No last chunk may tell the client that the content is complete (RFC 9112 section 8)."""
    _skip_what_trio_has_not(row, what)
    with server.connect() as client:
        client.request(f"/ill?what={what}&when=inside")
        while (line := client.read_line()) != b"\r\n":
            assert line
        assert client.read(1000) == b"4\r\nsome\r\n"
    assert serves(server)


@pytest.mark.parametrize("what", ERRORS)
def test_app_that_raises_after_its_response(server: ServerProcess, row: Row, what: str) -> None:
    """The response stands, and so does the connection."""
    _skip_what_trio_has_not(row, what)
    with server.connect() as client:
        for _ in range(2):
            answer = client.get(f"/ill?what={what}&when=after")
            assert (answer.status, answer.body) == (200, b"some")
        assert client.get("/").body == b"hello"


def test_app_that_returns_a_value(server: ServerProcess) -> None:
    mark = len(server.stderr())
    assert get(server, "/ill?what=return&when=after").body == b"some"
    assert get(server, "/ill?what=return").status == 500
    for line in (
        "^WARNING:  The application returned 'a value'; None was expected",
        "^ERROR:    The application returned without a response",
    ):
        server.stderr.wait_for(line, since=mark)


def test_timeouts_inside_the_app(server: ServerProcess, row: Row) -> None:
    if row.loop == "trio":
        pytest.skip("asyncio.timeout needs asyncio")
    with server.connect() as client:
        for _ in range(3):
            assert client.get("/timeouts").body == b"anyio asyncio"


def test_contexts_do_not_leak(server: ServerProcess) -> None:
    with server.connect() as client:
        assert [client.get(f"/contexts?{n}").body for n in range(3)] == [b"unset"] * 3


def held_by(server: ServerProcess, watcher: Connection) -> Counter[str]:
    """Count the server's own objects, and its descriptors, by a connection that stays open."""
    objects: dict[str, int] = json.loads(watcher.get("/objects").body)
    return Counter({**objects, "descriptors": server.descriptors()})


def left_over(server: ServerProcess, watcher: Connection, before: Counter[str]) -> Counter[str]:
    """Return what a server holds beyond what it did, as soon as that is nothing or at the end."""
    deadline = time.monotonic() + 10
    while (more := held_by(server, watcher) - before) and time.monotonic() < deadline:
        pass
    return more


def open_many(server: ServerProcess) -> list[Connection]:
    return [server.connect() for _ in range(AT_ONCE)]


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"GET / HTTP/1.1\r\nHo",
        REQUEST,
        b"POST /count HTTP/1.1\r\nHost: test\r\nContent-Length: 10\r\n\r\nabc",
        b"GET /stream HTTP/1.1\r\nHost: test\r\n\r\n",
        b"GET /listen HTTP/1.1\r\nHost: test\r\n\r\n",
        b"\x16\x03\x01 this is no HTTP",
    ],
    ids=["nothing", "part of a head", "request", "part of content", "stream", "listen", "TLS"],
)
def test_reset_connections_leave_nothing(server: ServerProcess, sent: bytes) -> None:
    """Neither objects nor descriptors."""
    with server.connect() as watcher:
        before = held_by(server, watcher)
        for _ in range(MANY // AT_ONCE if sent == REQUEST else 1):
            clients = open_many(server)
            for client in clients:
                client.send(sent)
            for client in clients:
                client.reset()
        assert left_over(server, watcher, before) == Counter()


def test_full_descriptor_table(serve: Serve, row: Row) -> None:
    """The server says so, keeps those it has, and goes on when there is room again."""
    limited = ("sh", "-c", 'ulimit -n 40 && exec "$@"', "sh", *ESG)
    server = serve(
        "--timeout-headers", "60", "--timeout-keep-alive", "60", row=row, command=limited
    )
    with server.connect() as first:
        assert first.get("/").status == 200
        clients = [server.connect() for _ in range(45)]
        server.stderr.wait_for("ERROR: +Cannot accept connections: Too many open files")
        assert first.get("/").status == 200
        for client in clients:
            client.close()
        assert serves(server)
    assert server.stop() == 0
    # Not a line for every turn of a loop that can do nothing.
    assert len(server.stderr.matching("Cannot accept")) < 20


def test_listener_that_somebody_else_shut_down(serve: Serve, row: Row) -> None:
    """Such as the owner of an inherited one: said once, and no reason to leave the clients."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        number = listener.fileno()
        server = serve("--fd", str(number), row=row, pass_fds=[number])
        with server.connect() as client:
            assert client.get("/").status == 200
            listener.shutdown(socket.SHUT_RDWR)
            server.stderr.wait_for("^ERROR: +Cannot accept connections: Invalid argument")
            assert client.get("/").status == 200
        assert server.stop() == 0
    assert len(server.stderr.matching("Cannot accept")) == 1


def test_date_is_that_of_the_response(server: ServerProcess) -> None:
    """Not of the request, however long the application took (RFC 9110 section 6.6.1)."""
    since = len(server.stdout())
    with server.connect() as client:
        client.request("/early")
        server.stdout.wait_for("# early: waiting", since=since)
        time.sleep(1 - time.time() % 1)  # the clock's next second is what the test waits for
        now = datetime.fromtimestamp(int(time.time()), UTC)
        server.open_gate()
        date = client.response().field("date")
        assert date
        assert parsedate_to_datetime(date) >= now


def test_many_silent_clients_do_not_hold_up_others(serve: Serve, row: Row) -> None:
    server = serve(row=row)
    silent = open_many(server)
    assert serves(server)
    for client in silent:
        client.close()
    assert server.stop() == 0
