"""The memory that one HTTP client can take, whatever it sends and however little it reads."""

from __future__ import annotations

import pytest

from tests.client import Connection
from tests.conftest import Serve
from tests.hardening.endless import ENDLESS, HOST
from tests.hardening.memory import BOUND, MEBIBYTE, Growth
from tests.hardening.throwing import throw_repeatedly
from tests.rows import Row
from tests.server import ServerProcess

TOTAL = 256 * MEBIBYTE
# What the kernel holds of both directions of one connection, and then some.
IN_FLIGHT = 32 * MEBIBYTE


@pytest.fixture(scope="module")
def server(serve_module: Serve, row: Row) -> ServerProcess:
    """Return a server of every row that has served requests before."""
    started = serve_module("--no-access-log", app="tests.apps.besieged:app", row=row)
    for _ in range(3):
        with started.connect() as client:
            client.request("/count", "POST", content=bytes(MEBIBYTE))
            assert client.response().status == 200
    return started


@pytest.mark.parametrize("kind", ENDLESS)
def test_what_does_not_end(server: ServerProcess, kind: str) -> None:
    """It is refused at its limit; what comes after that is thrown away for as long as we linger."""
    endless = ENDLESS[kind]
    growth = Growth(server)
    with server.connect() as client:
        client.send(endless.begin + endless.block)
        answer = client.response()
        assert (answer.status, answer.field("connection")) == (endless.status, "close")
        throw_repeatedly(client, endless.block, TOTAL)
    assert growth.size < BOUND
    assert serves(server)


def test_content_behind_the_answer(server: ServerProcess) -> None:
    """An application that has answered reads no upload."""
    growth = Growth(server)
    with server.connect() as client:
        client.request("/", "POST", [("Content-Length", str(2 * TOTAL))])
        assert client.response().body == b"hello"
        throw_repeatedly(client, bytes(MEBIBYTE), TOTAL)
    assert growth.size < BOUND
    assert serves(server)


@pytest.mark.parametrize(
    ("framing", "block"),
    [
        (b"Content-Length: 1000000000000\r\n\r\n", bytes(MEBIBYTE)),
        (b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n" * 100_000),
    ],
    ids=["one-length", "chunks-of-one-byte"],
)
def test_content_that_nobody_receives(server: ServerProcess, framing: bytes, block: bytes) -> None:
    """The client is held back."""
    growth = Growth(server)
    since = len(server.stdout())
    with server.connect() as client:
        client.send(b"POST /early HTTP/1.1\r\n" + HOST + framing)
        server.stdout.wait_for("early: waiting", since=since)
        assert throw_repeatedly(client, block, TOTAL) < IN_FLIGHT
        assert growth.size < BOUND
        server.open_gate()
        client.reset()
    assert serves(server)


@pytest.mark.parametrize("target", [b"/", b"/big?100000"], ids=["small", "large"])
def test_answers_that_nobody_reads(server: ServerProcess, target: bytes) -> None:
    """A client that pipelines requests without reading is soon not read any more."""
    growth = Growth(server)
    requests = b"GET %b HTTP/1.1\r\n%b\r\n" % (target, HOST) * 20_000
    with server.connect() as client:
        assert throw_repeatedly(client, requests, TOTAL) < IN_FLIGHT
        assert growth.size < BOUND
        client.reset()
    assert serves(server)


def test_download_that_nobody_reads(server: ServerProcess) -> None:
    growth = Growth(server)
    since = len(server.stdout())
    with server.connect() as client:
        client.request("/pour")
        server.stdout.wait_for("pour: blocked", since=since)
        assert growth.size < BOUND
        client.reset()
    server.stdout.wait_for("pour: ClientDisconnected", since=since)
    assert serves(server)


def test_sending_on_after_a_reset(server: ServerProcess) -> None:
    """An application that does not heed the error is told again, and nothing piles up."""
    growth = Growth(server)
    since = len(server.stdout())
    with server.connect() as client:
        client.request("/insist")
        client.read_line()
        client.reset()
    server.stdout.wait_for(r"insist: \d+ refused", since=since)
    assert growth.size < BOUND
    assert serves(server)


def serves(server: ServerProcess) -> bool:
    """Tell whether somebody else is served."""
    with Connection(server.address) as client:
        return client.get("/").body == b"hello"
