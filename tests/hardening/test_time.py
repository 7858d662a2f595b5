"""Clients that give, or take, a little at a time: none of them keeps its connection for ever."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from pathlib import Path

from tests.certificates import Authority
from tests.client import Connection
from tests.conftest import Serve
from tests.rows import Row
from tests.server import ServerProcess

HOST = b"Host: test\r\n"
# Seconds between two bytes, shorter than every timeout; and after which nothing may be left.
PAUSE = 0.1
BOUND = 45.0
TIMEOUTS = (
    *("--timeout-headers", "1", "--timeout-keep-alive", "1", "--timeout-body", "1"),
    *("--timeout-write", "1", "--timeout-request", "2"),
)


class Dripping:
    """One client, that sends its bytes one by one, and then others for ever.

    Args:
        server: where it connects to.
        at_once: what it sends first, as a whole.
        drops: what it goes on with.
        takes: how many bytes it takes at a time.
    """

    def __init__(
        self, server: ServerProcess, at_once: bytes, drops: Iterator[int], takes: int = 65_536
    ) -> None:
        self._client = Connection(server.address, receive_buffer=None if takes > 9999 else 4096)
        self._drops = drops
        self._takes = takes
        self.received = b""
        self.ended = False
        self._client.send(at_once)

    def go_on(self) -> None:
        """Send a byte, and take what has come."""
        try:
            self._client.send(bytes([next(self._drops)]))
            if self._client.is_readable():
                data = self._client.socket.recv(self._takes)
                self.received += data
                self.ended = not data
        except ConnectionError:
            self.ended = True

    def close(self) -> None:
        """Leave."""
        self._client.close()


def clients_of(server: ServerProcess) -> dict[str, Dripping]:
    """Connect every kind of client."""
    chunked = b"Transfer-Encoding: chunked\r\n\r\n"
    field = itertools.cycle(b"Name: value\r\n")
    return {
        "head": Dripping(server, b"GET / HTTP/1.1\r\n" + HOST, field),
        "target": Dripping(server, b"GET /", itertools.cycle(b"t")),
        "empty-lines": Dripping(server, b"", itertools.cycle(b"\r\n")),
        "second-head": Dripping(
            server, b"GET / HTTP/1.1\r\n" + HOST + b"\r\nGET / HTTP/1.1\r\n", itertools.cycle(b"n")
        ),
        "content": Dripping(
            server,
            b"POST /count HTTP/1.1\r\n" + HOST + b"Content-Length: 1000000\r\n\r\n",
            itertools.cycle(b"c"),
        ),
        "chunks": Dripping(
            server, b"POST /count HTTP/1.1\r\n" + HOST + chunked, itertools.cycle(b"1\r\nx\r\n")
        ),
        "unread-content": Dripping(
            server,
            b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 10000\r\n\r\n",
            itertools.cycle(b"c"),
        ),
        "behind-a-rejection": Dripping(server, b"no request\r\n\r\n", itertools.cycle(b"x")),
        "slow-reader": Dripping(
            server, b"GET /big?100000000 HTTP/1.1\r\n" + HOST + b"\r\n", itertools.cycle(b"G"), 100
        ),
    }


# How the answer begins; one of them where a busy machine may have let another timeout be first.
ANSWERS: dict[str, tuple[bytes, ...]] = {
    "head": (b"HTTP/1.1 408 ",),
    "target": (b"HTTP/1.1 408 ",),
    "empty-lines": (b"",),
    "second-head": (b"HTTP/1.1 200 ",),
    "content": (b"HTTP/1.1 503 ", b"HTTP/1.1 408 "),
    "chunks": (b"HTTP/1.1 503 ", b"HTTP/1.1 408 "),
    "unread-content": (b"HTTP/1.1 200 ",),
    "behind-a-rejection": (b"HTTP/1.1 400 ",),
    "slow-reader": (b"HTTP/1.1 200 ",),
}


def drip(clients: dict[str, Dripping]) -> None:
    """Let every client go on until all have been ended, or the time is up."""
    deadline = time.monotonic() + BOUND
    while (left := [c for c in clients.values() if not c.ended]) and time.monotonic() < deadline:
        for client in left:
            client.go_on()
        time.sleep(PAUSE)  # their pace is what this is about
    for client in clients.values():
        client.close()


def test_every_dripping_client_is_ended(serve: Serve, row: Row) -> None:
    server = serve(*TIMEOUTS, app="tests.apps.besieged:app", row=row)
    clients = clients_of(server)
    drip(clients)
    assert [name for name, client in clients.items() if not client.ended] == []
    for name, client in clients.items():
        assert client.received.startswith(ANSWERS[name]), (name, client.received[:200])


def test_opening_that_drips_over_tls(serve: Serve, row: Row, tmp_path: Path) -> None:
    """A handshake, and a PROXY header before it, have the time of a head."""
    pair = Authority(tmp_path).issue("server")
    server = serve(*TIMEOUTS, "--proxy-protocol", *pair.options, row=row)
    header = b"PROXY TCP4 203.0.113.7 198.51.100.1 4711 443\r\n"
    hello = itertools.chain(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc", itertools.repeat(0))
    clients = {
        "header": Dripping(server, b"", iter(header.replace(b"\r\n", b" " * 1000))),
        "hello": Dripping(server, header, hello),
    }
    drip(clients)
    assert [name for name, client in clients.items() if not client.ended] == []
