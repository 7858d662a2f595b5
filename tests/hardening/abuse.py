"""Clients that abuse a server by the hundred: what each kind sends, waits for, and ends with.

The application is `tests.apps.held`. Kinds are data: the leak tests count what a hundred thousand
of one kind leave behind, and the soak puts all of them among the honest clients.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from tests.client import SILENCE_BOUND, Address
from tests.conformance.websocket_frames import BINARY, CLOSE, PING, TEXT, frame
from tests.websocket_client import OPENING

HOST = b"Host: test\r\n"
_RESET = struct.pack("ii", 1, 0)


def reset(client: socket.socket) -> None:
    """Send RST."""
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)


def read_to_end(client: socket.socket) -> None:
    """Wait for the server's end, whatever it sends before."""
    with suppress(ConnectionError):
        while client.recv(65_536):
            pass


def half_close(client: socket.socket) -> None:
    """Send FIN, and wait for the server's."""
    with suppress(OSError):  # the server may have been first
        client.shutdown(socket.SHUT_WR)
    read_to_end(client)


def leave(_client: socket.socket) -> None:
    """Send FIN, or RST where something has come that was not read."""


@dataclass(frozen=True)
class Abuse:
    """One kind of client.

    Args:
        sent: its bytes.
        awaited: it waits until these have come.
        then: bytes that it sends behind that.
        end: what it does last, before it closes.
        at_once: how many there are at the same time.
        share: of how many connections one is of this kind, where it takes the server's timeouts.
    """

    sent: bytes = b""
    awaited: bytes = b""
    then: bytes = b""
    end: Callable[[socket.socket], None] = reset
    at_once: int = 100
    share: int = 1

    def open_many(self, address: Address, count: int) -> None:
        """Be this client as often as said, `at_once` of them together."""
        for begun in range(0, count, self.at_once):
            self._open_together(address, min(self.at_once, count - begun))

    def _open_together(self, address: Address, count: int) -> None:
        clients = [socket.create_connection(address, SILENCE_BOUND) for _ in range(count)]  # type: ignore[arg-type]
        for step in (self._send, self._wait, self._go_on, self.end):
            for client in clients:
                with suppress(ConnectionError):  # a server may close on abuse whenever it likes
                    step(client)
        for client in clients:
            client.close()

    def _send(self, client: socket.socket) -> None:
        if self.sent:
            client.sendall(self.sent)

    def _wait(self, client: socket.socket) -> None:
        seen = b""
        while self.awaited not in seen:
            data = client.recv(4096)
            if not data:
                raise ConnectionResetError
            seen += data

    def _go_on(self, client: socket.socket) -> None:
        if self.then:
            client.sendall(self.then)


def get(target: str, *fields: bytes) -> bytes:
    """Write a request without content."""
    return b"GET %b HTTP/1.1\r\n%b\r\n" % (target.encode(), HOST + b"".join(fields))


def post(target: str, field: bytes, content: bytes) -> bytes:
    """Write a request with content, or with the beginning of it."""
    return b"POST %b HTTP/1.1\r\n%b%b\r\n\r\n%b" % (target.encode(), HOST, field, content)


def opening(target: str, *fields: bytes) -> bytes:
    """Write the opening handshake of a WebSocket."""
    lines = [f"{name}: {value}\r\n".encode() for name, value in OPENING]
    return get(target, *lines, *fields)


_LENGTH = b"Content-Length: 1000"
_CHUNKED = b"Transfer-Encoding: chunked"
_SWITCHED = b"101 Switching Protocols"
_DEFLATE = b"Sec-WebSocket-Extensions: permessage-deflate\r\n"

KINDS: dict[str, Abuse] = {
    "nothing, then a reset": Abuse(),
    "part of a head, then a reset": Abuse(b"GET / HTTP/1.1\r\nHo"),
    "part of a head, then half a close": Abuse(b"GET / HTTP/1.1\r\nHo", end=half_close),
    "a request, then a reset": Abuse(get("/")),
    "twenty requests, then a reset": Abuse(get("/") * 20),
    "part of the content, then a reset": Abuse(post("/count", _LENGTH, b"part")),
    "part of the content, then half a close": Abuse(
        post("/count", _LENGTH, b"part"), end=half_close
    ),
    "part of a chunk, then a reset": Abuse(post("/count", _CHUNKED, b"5\r\npar")),
    "a chunk that is none": Abuse(post("/count", _CHUNKED, b"5\r\npartszz"), end=read_to_end),
    "content that nobody receives, then a reset": Abuse(post("/unread", _LENGTH, b"part")),
    "content behind the answer, then a reset": Abuse(
        post("/", b"Content-Length: 100000", b""), b"hello", bytes(10_000)
    ),
    "no request": Abuse(b"no request\r\n\r\n", end=read_to_end),
    "TLS, to a plain port": Abuse(b"\x16\x03\x01\x02\x00\x01", end=read_to_end),
    "a request that fails": Abuse(get("/fail"), end=read_to_end),
    "an unread answer without an end, then a reset": Abuse(get("/pour"), b"HTTP/1.1 200"),
    "an answer that waits, then a reset": Abuse(get("/listen"), b"first"),
    "an answer that waits, then half a close": Abuse(get("/listen"), b"first", end=half_close),
    "a WebSocket, then a reset": Abuse(opening("/echo"), _SWITCHED),
    "a WebSocket, reset at once": Abuse(opening("/echo")),
    "a WebSocket that is not accepted, then a reset": Abuse(
        opening("/hang") + frame(TEXT, b"early")
    ),
    "part of a message, then a reset": Abuse(
        opening("/echo", _DEFLATE),
        _SWITCHED,
        frame(BINARY, bytes(70_000), fin=False) + frame(PING) + frame(TEXT, b"part")[:-1],
    ),
    "no frame": Abuse(opening("/echo"), _SWITCHED, frame(3), end=read_to_end),
    "a close frame, then a reset": Abuse(opening("/echo"), _SWITCHED, frame(CLOSE)),
    "unread messages without an end, then a reset": Abuse(
        opening("/pour"), _SWITCHED, frame(TEXT, b"go")
    ),
    "silence": Abuse(end=read_to_end, at_once=2000, share=10),
    "part of a head, then silence": Abuse(
        b"GET / HTTP/1.1\r\nHo", end=read_to_end, at_once=2000, share=10
    ),
    "part of the content, then silence": Abuse(
        post("/count", _LENGTH, b"part"), end=read_to_end, at_once=2000, share=10
    ),
    "a WebSocket, then silence": Abuse(
        opening("/echo"), _SWITCHED, end=read_to_end, at_once=2000, share=10
    ),
}
