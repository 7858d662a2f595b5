"""A connection between two requests: whose bytes are whose, and whose timer it is."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from tests.client import Connection
from tests.conftest import Serve
from tests.rows import Row
from tests.server import ServerProcess

EXCHANGES = "tests.apps.exchanges:app"
# What a server that takes content for requests would answer, and show.
SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: test\r\n\r\n"
MANY = 10


@pytest.fixture(scope="module")
def server(serve_module: Serve, row: Row) -> ServerProcess:
    """Return a server of every row."""
    return serve_module(app=EXCHANGES, row=row)


def head(target: str, *fields: str, method: str = "POST") -> bytes:
    return "\r\n".join([f"{method} {target} HTTP/1.1", "Host: test", *fields, "", ""]).encode()


def get(target: str) -> bytes:
    return head(target, method="GET")


def in_chunks(body: bytes, size: int, trailer: bytes = b"Trailer: x") -> bytes:
    pieces = [body[i : i + size] for i in range(0, len(body), size)]
    return b"".join(b"%x\r\n%s\r\n" % (len(p), p) for p in pieces) + b"0\r\n%s\r\n\r\n" % trailer


def filled(size: int) -> bytes:
    """Return content that is made of requests."""
    return (SMUGGLED * (size // len(SMUGGLED) + 1))[:size]


def bodies(client: Connection, count: int) -> list[bytes]:
    return [client.response().body for _ in range(count)]


@pytest.mark.parametrize("chunk", [0, 5000], ids=["length", "chunked"])
def test_content_that_is_still_being_read_is_not_the_next_request(
    server: ServerProcess, chunk: int
) -> None:
    """One task reads on while another answers, and more requests are right behind."""
    body = filled(130_000)
    sent = in_chunks(body, chunk) if chunk else body
    field = "Transfer-Encoding: chunked" if chunk else f"Content-Length: {len(body)}"
    targets = [f"/next-{number}" for number in range(3)]
    for _ in range(6):
        since = len(server.stdout())
        with server.connect() as client:
            client.send(head("/answered-early", field))
            server.stdout.wait_for("^# receiving", since=since)
            client.send(sent + b"".join(map(get, targets)))
            found = bodies(client, 1 + len(targets))
        assert found == [b"early", *(f"{target}?".encode() for target in targets)]


def test_pipeline_with_content_that_nobody_reads(server: ServerProcess) -> None:
    """Some of it read, some not, with lengths and in chunks: all answered in order."""
    large = filled(60_000)
    chunked = "Transfer-Encoding: chunked"
    pipeline = [
        (head("/a", "Content-Length: 5") + b"GET /", b"/a?"),
        (head("/measure", chunked) + in_chunks(b"abc", 3), b"3"),
        (head("/b", chunked) + in_chunks(SMUGGLED * 5, 7), b"/b?"),
        (head("/measure", "Content-Length: 60000") + large, b"60000"),
        (head("/c", "Content-Length: 60000") + large, b"/c?"),
        (head("/d", chunked) + in_chunks(large, 4096), b"/d?"),
        (get("/e"), b"/e?"),
        (head("/measure", "Content-Length: 0"), b"0"),
        (head("/f", "Content-Length: 0"), b"/f?"),
    ]
    with server.connect() as client:
        for _ in range(3):
            client.send(b"".join(sent for sent, _ in pipeline))
            assert bodies(client, len(pipeline)) == [expected for _, expected in pipeline]
        assert client.get("/last").body == b"/last?"


@pytest.mark.parametrize(
    "trailer",
    [
        b"Transfer-Encoding: gzip",
        b"Content-Length: abc",
        b"Content-Length: 5\r\nContent-Length: 6",
        b"Connection: close",
        b"Host: a\r\nHost: b",
    ],
)
def test_trailers_say_nothing_of_the_connection(server: ServerProcess, trailer: bytes) -> None:
    """They are read and thrown away, whatever they would mean in a head (RFC 9110 6.5.1)."""
    with server.connect() as client:
        client.send(head("/measure", "Transfer-Encoding: chunked"))
        client.send(in_chunks(b"abc", 2, trailer) + get("/following"))
        assert bodies(client, 2) == [b"3", b"/following?"]


@pytest.mark.parametrize("split", [0, 1, 20, None], ids=["after", "byte", "inside", "before"])
def test_a_finished_requests_listener_takes_nothing(
    server: ServerProcess, split: int | None
) -> None:
    """Its receive() waits beside the next request's bytes, which come before or after its end."""
    following = get("/following")
    with server.connect() as client:
        for _ in range(MANY):
            since = len(server.stdout())
            client.request("/overheard")
            server.stdout.wait_for("^# listening", since=since)
            client.send(following[:split])
            server.open_gate()
            assert client.response().body == b"overheard"
            client.send(following[len(following) if split is None else split :])
            assert client.response().body == b"/following?"
            server.stdout.wait_for(r"^# heard http\.disconnect", since=since)


def test_answer_before_content_that_never_comes(serve: Serve, row: Row) -> None:
    """The server gives up on the content, although another task still waits for it.

    Little is waited for before the connection is closed, much is not; neither may stay open, nor
    hold up the stop.
    """
    server = serve("--timeout-keep-alive", "0.2", app=EXCHANGES, row=row)
    with ExitStack() as stack:
        little, much = (
            [stack.enter_context(_unheard(server, length)) for _ in range(MANY)]
            for length in (100, 1_000_000)
        )
        for client in [*little, *much]:
            assert client.response().body == b"unheard"
        for client in little:
            assert client.at_end()
            client.close()
        assert server.stop() == 0
    assert not server.stderr.matching("do not end")


def _unheard(server: ServerProcess, length: int) -> Connection:
    """Send a request and the first byte of its content alone."""
    client = server.connect()
    client.send(head("/unheard", f"Content-Length: {length}") + b"!")
    return client


def test_requests_that_came_while_the_loop_was_blocked(serve: Serve, row: Row) -> None:
    """A timer that ran out meanwhile says nothing of a client that was in time."""
    options = ("--timeout-keep-alive", "1", "--timeout-headers", "1")
    server = serve(*options, app=EXCHANGES, row=row)
    for _ in range(4 if row.loop == "trio" else 1):  # which runs what wakes together in any order
        _ask_a_blocked_server(server)


def _ask_a_blocked_server(server: ServerProcess) -> None:
    since = len(server.stdout())
    with ExitStack() as stack:
        idle = [stack.enter_context(server.connect()) for _ in range(MANY)]
        begun = [stack.enter_context(server.connect()) for _ in range(MANY)]
        blocker = stack.enter_context(server.connect())
        for client in idle:
            assert client.get("/first").status == 200
        for client in begun:
            client.send(get("/second")[:-10])
        blocker.request("/blocking")
        server.stdout.wait_for("^# blocking", since=since)
        for client in idle:
            client.request("/second")
        for client in begun:
            client.send(get("/second")[-10:])
        server.open_gate()
        for client in [*idle, *begun]:
            assert client.response().body == b"/second?"
        assert blocker.response().body == b"blocked"
