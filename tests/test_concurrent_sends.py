"""send() in several tasks, and send() given up: whatever they do, messages stay whole."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.apps.exchanges import GIVEN_UP_SIZE, LARGE, LETTERS, PIECE
from tests.client import Connection
from tests.conftest import Serve
from tests.rows import Row
from tests.server import ServerProcess

MEBIBYTE = 2**20


@pytest.fixture(scope="module")
def server(serve_module: Serve, row: Row) -> ServerProcess:
    """Return a server of every row."""
    return serve_module(app="tests.apps.exchanges:app", row=row)


class Told:
    """What an application tells from a moment on."""

    def __init__(self, server: ServerProcess) -> None:
        self._server = server
        self._since = len(server.stdout())

    def wait_for(self, pattern: str) -> None:
        self._server.stdout.wait_for(pattern, since=self._since)


@contextmanager
def given_up(
    server: ServerProcess, target: str, version: str = "1.1", field: str = "Host: test"
) -> Iterator[Connection]:
    """Connect, ask, and have the application give up its send() before anything is read."""
    told = Told(server)
    with server.connect() as client:
        client.send(f"GET {target} HTTP/{version}\r\n{field}\r\n\r\n".encode())
        told.wait_for("^# waiting")
        server.open_gate()
        told.wait_for("^# given up")
        yield client


@pytest.mark.parametrize("target", ["/given-up", "/given-up?length"])
def test_next_response_is_never_inside_a_send_that_was_given_up(
    server: ServerProcess, target: str
) -> None:
    with given_up(server, target) as client:
        client.request("/next")
        assert client.response().body == b"a" * LARGE
        assert client.response().body == b"/next?"


def test_response_goes_on_behind_a_send_that_was_given_up(server: ServerProcess) -> None:
    with given_up(server, "/given-up-inside") as client:
        client.request("/next")
        assert client.response().body == b"a" * LARGE + b"tail"
        assert client.response().body == b"/next?"


@pytest.mark.parametrize(
    ("target", "version", "field"),
    [
        ("/given-up?length", "1.1", "Host: test\r\nConnection: close"),
        ("/given-up", "1.1", "Host: test\r\nConnection: close"),
        ("/given-up?length", "1.0", "Host: test"),
        ("/given-up", "1.0", "Host: test"),
    ],
    ids=["close with a length", "close in chunks", "1.0 with a length", "1.0 until the close"],
)
def test_close_waits_for_a_send_that_was_given_up(
    server: ServerProcess, target: str, version: str, field: str
) -> None:
    """Without a length, an early end would look like the content's own (RFC 9112 section 8)."""
    told = Told(server)
    with given_up(server, target, version, field) as client:
        told.wait_for(rf'"GET {target.replace("?", ".")} HTTP/{version}" 200')
        assert client.response().body == b"a" * LARGE
        assert client.at_end()


def test_sends_that_are_given_up_do_not_pile_up(server: ServerProcess) -> None:
    told = Told(server)
    before = server.memory()
    with server.connect() as client:
        client.request("/given-up-often")
        told.wait_for("^# given up often")
        assert server.memory("VmHWM") - before < 48 * MEBIBYTE
        server.open_gate()
        body = client.response().body
        assert body.endswith(b"tail")
        assert _whole_pieces(body.removesuffix(b"tail"))
        assert client.get("/next").body == b"/next?"


def _whole_pieces(body: bytes) -> bool:
    """Tell whether a content is made of whole pieces, some at least, each of one letter."""
    starts = range(0, len(body), GIVEN_UP_SIZE)
    pieces = [body[i : i + GIVEN_UP_SIZE] for i in starts]
    return bool(pieces) and all(piece == piece[:1] * GIVEN_UP_SIZE for piece in pieces)


def test_sends_of_several_tasks_keep_their_order(server: ServerProcess, row: Row) -> None:
    """The last of them ends the response, so that none may come behind it."""
    for _ in range(6 if row.loop == "trio" else 1):  # it runs what wakes together in any order
        told = Told(server)
        with server.connect() as client:
            client.request("/in-turn")
            for letter in "a" + LETTERS:
                told.wait_for(f"^# sending {letter}")
                server.open_gate()
            told.wait_for("^# sending z")
            client.request("/next")
            body = client.response().body
            assert client.response().body == b"/next?"
        assert body[:LARGE] == b"a" * LARGE
        assert body[LARGE:].decode() == "".join(letter * PIECE for letter in LETTERS + "z")


def test_end_of_a_response_does_not_overtake_what_waits(server: ServerProcess) -> None:
    """The task whose send() is over first may not slip its next one in before another's."""
    told = Told(server)
    with server.connect() as client:
        client.request("/hasty")
        told.wait_for("^# sending b")
        client.request("/next")
        body = client.response().body
        assert client.response().body == b"/next?"
    assert body.lstrip(b"a") == b"b" * PIECE + b"END"
