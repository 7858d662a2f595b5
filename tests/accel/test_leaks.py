"""200,000 requests of every kind leave nothing behind in the fast implementation's process."""

from __future__ import annotations

import json
import socket
import struct
from collections.abc import Callable
from typing import Any

import pytest

from tests.conftest import Serve
from tests.rows import ROWS, Row
from tests.server import ServerProcess

REQUESTS = 200_000
HOST = b"Host: example.org\r\n"
CLOSE = b"GET / HTTP/1.1\r\nHost: example.org\r\nConnection: close\r\n\r\n"
RESET = struct.pack("ii", 1, 0)


def get(path: str) -> bytes:
    """Return a request without content."""
    return b"GET %s HTTP/1.1\r\n%s\r\n" % (path.encode(), HOST)


def post(path: str, body: bytes) -> bytes:
    """Return a request whose content has a length."""
    head = b"POST %s HTTP/1.1\r\n%sContent-Length: %d\r\n\r\n"
    return head % (path.encode(), HOST, len(body)) + body


CHUNKED = (
    b"POST /echo HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n"
    b"3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nTrailer: 1\r\n\r\n"
)


def exchange(server: ServerProcess, data: bytes) -> None:
    """Send requests, the last of which closes, and read until the end."""
    with socket.create_connection(("127.0.0.1", server.port)) as client:
        client.sendall(data)
        while client.recv(65536):
            pass


def aborted(server: ServerProcess, data: bytes) -> None:
    """Send a request and reset the connection."""
    with socket.create_connection(("127.0.0.1", server.port)) as client:
        client.sendall(data)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)


def half_closed(server: ServerProcess, data: bytes) -> None:
    """Send requests and FIN, and read until the end."""
    with socket.create_connection(("127.0.0.1", server.port)) as client:
        client.sendall(data)
        client.shutdown(socket.SHUT_WR)
        while client.recv(65536):
            pass


Kind = tuple[int, Callable[[ServerProcess, bytes], None], bytes]

# How many requests, what is done, and the bytes.
KINDS: tuple[Kind, ...] = (
    (400, exchange, get("/") * 399 + CLOSE),
    (100, exchange, get("/later") * 99 + CLOSE),
    (100, exchange, post("/echo", b"x" * 100) * 99 + CLOSE),
    (50, exchange, post("/echo", b"x" * 70_000) + post("/", b"unread") * 48 + CLOSE),
    (100, exchange, CHUNKED * 99 + CLOSE),
    (50, exchange, get("/stream") * 49 + CLOSE),
    (50, exchange, get("/timeout") * 49 + CLOSE),
    (100, exchange, b"GET http://h/?q HTTP/1.1\r\nhost:  h \r\nX: \r\n\r\n" * 99 + CLOSE),
    (1, exchange, get("/raise")),
    (1, exchange, get("/nothing")),
    (1, exchange, b"GET / HTTP/1.1\r\n\r\n"),
    (1, exchange, b"\x16\x03\x01"),
    (1, exchange, b"GET / HTTP/1.0\r\n\r\n"),
    (1, exchange, b"POST /echo HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n"),
    (1, half_closed, get("/")),
    (1, half_closed, get("/until-disconnect")),
    (1, half_closed, b"GET / HTT"),
    (1, half_closed, b"POST /echo HTTP/1.1\r\n" + HOST + b"Content-Length: 5\r\n\r\nhe"),
    (1, aborted, get("/until-disconnect")),
    (1, aborted, get("/stream") * 20),
    (1, aborted, b"POST /echo HTTP/1.1\r\n" + HOST + b"Content-Length: 5\r\n\r\nhe"),
    (1, aborted, b"GET / HT"),
    (1, aborted, b""),
)
ROUND = sum(kind[0] for kind in KINDS)


def rounds(server: ServerProcess, count: int) -> None:
    """Make every kind of request `count` times."""
    for _ in range(count):
        for _, act, data in KINDS:
            act(server, data)


def held(server: ServerProcess) -> dict[str, Any]:
    """Return what the process holds."""
    with server.connect() as connection:
        answer: dict[str, Any] = json.loads(connection.get("/held").body)
        return answer


@pytest.fixture(params=[r for r in ROWS if r.impl == "fast"], ids=lambda r: r.id)
def server(request: pytest.FixtureRequest, serve: Serve) -> ServerProcess:
    row: Row = request.param
    if row.missing:
        pytest.skip(row.missing)
    return serve("--no-access-log", app="tests.accel.leaks_app:app", row=row, env={})


def test_nothing_is_left(server: ServerProcess) -> None:
    total = REQUESTS // ROUND
    rounds(server, total // 10)
    before, memory_before = held(server), server.memory()
    rounds(server, total - total // 10)
    after, memory_after = held(server), server.memory()
    assert after["HttpProtocol"] == 1, "connections that have ended are still there"
    assert after["HttpRequest"] <= 1
    assert after["RequestTask"] <= 1
    # Less than one block in ten rounds: caches and allocators may still settle.
    assert after["blocks"] - before["blocks"] < total // 10 + 200
    assert memory_after - memory_before < 4 * 2**20
