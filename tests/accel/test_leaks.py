"""Requests and connections of every kind leave nothing behind in the fast driver's process."""

from __future__ import annotations

import json
import socket
import ssl
import struct
import time
import zlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.certificates import Authority
from tests.conformance import websocket_frames
from tests.conformance.websocket_frames import BINARY, CONTINUATION, PING, TEXT, frame
from tests.conftest import Serve, require
from tests.rows import ROWS, Row
from tests.server import ServerProcess

REQUESTS = 200_000
SESSIONS = 4_000
# Seconds for connections that their clients have left; the machine may be busy.
AT_REST = 15.0
# What one connection's request takes, behind which nothing else is left.
ALONE = {
    **dict.fromkeys(("HttpProtocol", "HttpRequest", "RequestTask"), 1),
    **dict.fromkeys(("FilePart", "ProxyHeaderProtocol", "WebSocketProtocol", "WebSocket"), 0),
    **dict.fromkeys(("WebSocketTask", "FrameReader", "AppWaiter"), 0),
}
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


def exchange(client: socket.socket, data: bytes) -> None:
    """Send requests, the last of which closes, and read until the end."""
    client.sendall(data)
    while client.recv(65536):
        pass


def aborted(client: socket.socket, data: bytes) -> None:
    """Send a request and reset the connection."""
    client.sendall(data)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)


def half_closed(client: socket.socket, data: bytes) -> None:
    """Send requests and FIN, and read until the end."""
    client.sendall(data)
    client.shutdown(socket.SHUT_WR)
    while client.recv(65536):
        pass


def closed(client: socket.socket, data: bytes) -> None:
    """Send requests and a closure alert, and wait for the server's."""
    assert isinstance(client, ssl.SSLSocket)
    client.sendall(data)
    with suppress(ssl.SSLError):  # answers come before it, and nobody reads them
        client.unwrap()


Kind = tuple[int, Callable[[socket.socket, bytes], None], bytes]

# How many requests, what is done, and the bytes.
KINDS: tuple[Kind, ...] = (
    (400, exchange, get("/") * 399 + CLOSE),
    (100, exchange, get("/later") * 99 + CLOSE),
    (100, exchange, post("/echo", b"x" * 100) * 99 + CLOSE),
    (50, exchange, post("/echo", b"x" * 70_000) + post("/", b"unread") * 48 + CLOSE),
    (100, exchange, CHUNKED * 99 + CLOSE),
    (50, exchange, get("/stream") * 49 + CLOSE),
    (50, exchange, get("/timeout") * 49 + CLOSE),
    (10, exchange, get("/by-path") * 9 + CLOSE),
    (10, exchange, get("/by-parts") * 9 + CLOSE),
    (1, exchange, get("/no-file")),
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
    (1, aborted, get("/by-path") * 9),
    (1, aborted, get("/by-parts") * 9),
    (1, aborted, b"POST /echo HTTP/1.1\r\n" + HOST + b"Content-Length: 5\r\n\r\nhe"),
    (1, aborted, b"GET / HT"),
    (1, aborted, b""),
)
ROUND = sum(kind[0] for kind in KINDS)


def opening(path: str, *fields: bytes) -> bytes:
    """Return the opening handshake of a WebSocket."""
    asked = (
        *(b"Upgrade: websocket", b"Connection: Upgrade", b"Sec-WebSocket-Version: 13"),
        *(b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", *fields),
    )
    lines = b"".join(field + b"\r\n" for field in asked)
    return b"GET /socket/%s HTTP/1.1\r\n%s%s\r\n" % (path.encode(), HOST, lines)


def deflated(data: bytes) -> bytes:
    """Return the payload of a message that is compressed by itself."""
    deflater = zlib.compressobj(wbits=-9)
    return (deflater.compress(data) + deflater.flush(zlib.Z_FULL_FLUSH))[:-4]


DEFLATE = b"Sec-WebSocket-Extensions: permessage-deflate"
NORMAL_END = frame(websocket_frames.CLOSE, b"\x03\xe8bye")
MESSAGES = (
    frame(TEXT, "é".encode() * 20) * 20
    + frame(BINARY, b"x" * 300) * 20
    + frame(PING, b"ping")
    + frame(TEXT, b"fragm", fin=False)
    + frame(CONTINUATION, b"ent")
    + frame(BINARY, b"y" * 200_000)
)
COMPRESSED = frame(TEXT, deflated(b"compressed" * 50), rsv=0x40) * 20
SOCKET_KINDS: tuple[Kind, ...] = (
    (1, exchange, opening("echo") + MESSAGES + NORMAL_END),
    (1, exchange, opening("echo", DEFLATE) + COMPRESSED + MESSAGES + NORMAL_END),
    (1, exchange, opening("slow") + frame(TEXT, b"slowly") * 200 + frame(websocket_frames.CLOSE)),
    (1, exchange, opening("tasks") + NORMAL_END),
    (1, exchange, opening("raise") + NORMAL_END),
    (1, exchange, opening("nothing")),
    (1, exchange, opening("deny")),
    (1, exchange, opening("refuse")),
    (1, exchange, opening("echo").replace(b"13", b"12")),
    (1, exchange, opening("echo") + frame(TEXT, b"x") + frame(3)),
    (1, exchange, opening("echo") + frame(TEXT, b"\xff" * 20)),
    (1, exchange, opening("echo") + frame(BINARY, b"x" * 1000, fin=False) + frame(BINARY)),
    (1, exchange, opening("echo", DEFLATE) + frame(TEXT, b"\xff" * 20, rsv=0x40)),
    (1, half_closed, opening("echo") + MESSAGES),
    (1, half_closed, opening("slow") + frame(TEXT, b"slowly") * 200),
    (1, aborted, opening("echo") + MESSAGES),
    (1, aborted, opening("echo") + frame(BINARY, b"x" * 70_000)[:-1]),
    (1, aborted, opening("flood")),
    (1, aborted, opening("slow")),
)

TOLD = b"PROXY TCP4 203.0.113.7 198.51.100.1 4711 443\r\n"
FORWARDED = (
    b"GET / HTTP/1.1\r\nX-Forwarded-For: 203.0.113.5, 10.0.0.1\r\nX-Forwarded-Proto: https\r\n"
    + HOST
    + b"\r\n"
)
PROXIED_KINDS: tuple[Kind, ...] = (
    (1, exchange, TOLD + get("/") * 5 + CLOSE),
    (1, exchange, b"PROXY UNKNOWN\r\n" + FORWARDED * 5 + CLOSE),
    (1, exchange, TOLD + opening("echo") + MESSAGES + NORMAL_END),
    (1, exchange, TOLD + b"\x16\x03\x01"),
    (1, exchange, TOLD + post("/echo", b"x" * 300_000) + CLOSE),
    (1, half_closed, TOLD[:-5]),
    (1, half_closed, TOLD),
    (1, half_closed, b""),
    (1, aborted, TOLD[:-5]),
    (1, aborted, TOLD + get("/until-disconnect")),
    (1, aborted, get("/")),
)


# Some that speak TLS, then some that do not, or not to its end.
SECURED_KINDS: tuple[Kind, ...] = (
    (1, exchange, get("/") * 5 + CLOSE),
    (1, exchange, post("/echo", b"x" * 300_000) + CLOSE),
    (1, exchange, get("/by-path") + get("/by-parts") + get("/later") + CLOSE),
    (1, exchange, get("/raise")),
    (1, exchange, b"no request\r\n\r\n"),
    (1, exchange, opening("echo", DEFLATE) + COMPRESSED + MESSAGES + NORMAL_END),
    (1, half_closed, get("/")),
    (1, half_closed, get("/until-disconnect")),
    (1, closed, b""),
    (1, closed, get("/")),
    (1, closed, get("/until-disconnect")),
    (1, closed, get("/by-path")),
    (1, aborted, get("/until-disconnect")),
    (1, aborted, get("/by-path")),
    (1, aborted, opening("flood")),
    (1, aborted, opening("slow")),
    (1, aborted, b""),
)
UNSECURED_KINDS: tuple[Kind, ...] = (
    (1, exchange, get("/")),
    (1, exchange, b"\x16\x03\x01\x02\x00" + bytes(512)),
    (1, half_closed, b""),
    (1, half_closed, b"\x16\x03\x01\x02\x00"),
    (1, aborted, b"\x16\x03\x01\x02\x00"),
    (1, aborted, b""),
)


def rounds(
    server: ServerProcess,
    count: int,
    kinds: tuple[Kind, ...] = KINDS,
    tls: ssl.SSLContext | None = None,
) -> None:
    """Make every kind of request `count` times."""
    for _ in range(count):
        for _, act, data in kinds:
            with server.connect(tls=tls) as connection:
                act(connection.socket, data)


def held(
    server: ServerProcess, header: bytes = b"", tls: ssl.SSLContext | None = None
) -> dict[str, Any]:
    """Return what the process holds, once no connection but the asking one is left."""
    deadline = time.monotonic() + AT_REST
    while True:
        with server.connect(tls=tls) as connection:
            connection.send(header)
            found: dict[str, Any] = json.loads(connection.get("/held").body)
        if found == {**found, **ALONE} or time.monotonic() > deadline:
            return found


def check_alone(found: dict[str, Any]) -> None:
    """Check that of our objects only those of one connection are there."""
    assert {kind: found[kind] for kind in ALONE} == ALONE


@pytest.fixture(params=[r for r in ROWS if r.impl == "fast"], ids=lambda r: r.id)
def fast_row(request: pytest.FixtureRequest) -> Row:
    return require(request.param)


@pytest.fixture
def server(fast_row: Row, serve: Serve) -> ServerProcess:
    return serve("--no-access-log", app="tests.accel.leaks_app:app", row=fast_row)


def test_nothing_is_left(server: ServerProcess) -> None:
    total = REQUESTS // ROUND
    rounds(server, total // 10)
    before, memory_before = held(server), server.memory()
    rounds(server, total - total // 10)
    after, memory_after = held(server), server.memory()
    check_alone(after)
    assert after["files"] == before["files"]
    # Less than one block in ten rounds: caches and allocators may still settle.
    assert after["blocks"] - before["blocks"] < total // 10 + 200
    # asyncio's transports wait for the collection; the system does not have all their memory back.
    assert memory_after - memory_before < 8 * 2**20


def test_nothing_is_left_of_websockets(server: ServerProcess) -> None:
    total = SESSIONS // len(SOCKET_KINDS)
    rounds(server, total // 5, SOCKET_KINDS)
    before, memory_before = held(server), server.memory()
    rounds(server, total - total // 5, SOCKET_KINDS)
    after, memory_after = held(server), server.memory()
    check_alone(after)
    assert after["blocks"] - before["blocks"] < total // 10 + 200
    assert memory_after - memory_before < 4 * 2**20


def test_nothing_is_left_of_proxied_connections(fast_row: Row, serve: Serve) -> None:
    options = ("--no-access-log", "--proxy-protocol")
    server = serve(*options, app="tests.accel.leaks_app:app", row=fast_row)
    total = SESSIONS // len(PROXIED_KINDS)
    rounds(server, total // 5, PROXIED_KINDS)
    before, memory_before = held(server, TOLD), server.memory()
    rounds(server, total - total // 5, PROXIED_KINDS)
    after, memory_after = held(server, TOLD), server.memory()
    check_alone(after)
    assert after["blocks"] - before["blocks"] < total // 10 + 200
    assert memory_after - memory_before < 4 * 2**20


def test_nothing_is_left_of_tls(fast_row: Row, serve: Serve, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    options = ("--no-access-log", *authority.issue("server").options)
    server = serve(*options, app="tests.accel.leaks_app:app", row=fast_row)
    tls = authority.client()

    def several(count: int) -> None:
        rounds(server, count, SECURED_KINDS, tls)
        rounds(server, count, UNSECURED_KINDS)

    kinds = len(SECURED_KINDS) + len(UNSECURED_KINDS)
    total = SESSIONS // kinds // 4
    several(total // 5)
    before, memory_before = held(server, tls=tls), server.memory()
    several(total - total // 5)
    after, memory_after = held(server, tls=tls), server.memory()
    check_alone(after)
    assert [after[kind] for kind in ("TLSProtocol", "TLSSession", "SSLObject")] == [1, 1, 1]
    assert after["files"] == before["files"]
    assert after["descriptors"] == before["descriptors"]
    assert after["TimerHandle"] <= before["TimerHandle"] + 1
    # Less than one for each connection: here and there a table of Python's own grows once.
    assert after["blocks"] - before["blocks"] < total * kinds * 3 // 4
    assert memory_after - memory_before < 4 * 2**20
