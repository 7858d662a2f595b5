"""The attacks of docs/abuse-peers.md: what one client does to any server that runs `tests.apps.held`."""

from __future__ import annotations

import itertools
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass

from tests.conformance.websocket_frames import BINARY, CONTINUATION, PING, RSV1, TEXT, frame
from tests.hardening.abuse import get, opening, post
from tests.hardening.endless import ENDLESS
from tests.hardening.memory import MEBIBYTE
from tests.hardening.throwing import throw
from tests.websocket_client import WebSocket

# What is thrown at a server, unless it stops to read.
TOTAL = 128 * MEBIBYTE
# Seconds in which a server may fill whatever it fills.
NOT_READING = 2.0
GIBIBYTE = 1024 * MEBIBYTE
DEFLATE = (("Sec-WebSocket-Extensions", "permessage-deflate"),)

Throw = Callable[[WebSocket], None]


class NotOffered(Exception):
    """The server does not do what is attacked."""


def _endless(kind: str) -> Throw:
    known = ENDLESS[kind]

    def run(client: WebSocket) -> None:
        blocks = itertools.chain([known.begin], itertools.repeat(known.block))
        throw(client, blocks, TOTAL)

    return run


def _repeated(begin: bytes, block: bytes) -> Throw:
    def run(client: WebSocket) -> None:
        throw(client, itertools.chain([begin], itertools.repeat(block)), TOTAL)

    return run


def _taking(begin: bytes) -> Throw:
    """Ask for what does not end, and read nothing of it."""

    def run(client: WebSocket) -> None:
        client.send(begin)
        time.sleep(NOT_READING)

    return run


def _open(client: WebSocket, target: str = "/echo", deflate: bool = False) -> None:
    answer = client.ask(target, DEFLATE if deflate else ())
    offered = not deflate or "permessage-deflate" in (
        answer.field("sec-websocket-extensions") or ""
    )
    if answer.status != 101 or not offered:
        raise NotOffered


def _frames(begin: bytes, block: bytes, target: str = "/echo") -> Throw:
    def run(client: WebSocket) -> None:
        _open(client, target)
        throw(client, itertools.chain([begin], itertools.repeat(block)), TOTAL)

    return run


def _bomb(client: WebSocket) -> None:
    """One message of a GiB of zeros, in one MiB."""
    deflater = zlib.compressobj(9, wbits=-15)
    part = deflater.compress(bytes(MEBIBYTE)) + deflater.flush(zlib.Z_FULL_FLUSH)
    _open(client, deflate=True)
    throw(client, [frame(BINARY, part * 1024, rsv=RSV1)], 2 * MEBIBYTE)


def _pour_frames(client: WebSocket) -> None:
    _open(client, "/pour")
    client.send_text("go")
    time.sleep(NOT_READING)


# What one client throws, or does not take.
THROWN: dict[str, Throw] = {
    "a head that does not end": _endless("head"),
    "a field that does not end": _endless("field-value"),
    "a target that does not end": _endless("target"),
    "empty lines that do not end": _endless("blank-lines"),
    "a chunk extension that does not end": _endless("chunk-extension"),
    "trailers that do not end": _endless("trailers"),
    "requests, whose answers it does not read": _repeated(b"", get("/") * 10_000),
    "content for an application that does not receive": _repeated(
        post("/stall", b"Content-Length: 1000000000000", b""), bytes(MEBIBYTE)
    ),
    "chunks of one byte, likewise": _repeated(
        post("/stall", b"Transfer-Encoding: chunked", b""), b"1\r\nx\r\n" * 100_000
    ),
    "content behind the answer": _repeated(
        post("/", b"Content-Length: 1000000000000", b""), bytes(MEBIBYTE)
    ),
    "not reading a download": _taking(get("/pour")),
    "a frame that claims a GiB, and a part of it": _frames(
        frame(BINARY, b"", length=GIBIBYTE), bytes(MEBIBYTE)
    ),
    "fragments of 64 KiB without an end": _frames(
        frame(TEXT, b"", fin=False), frame(CONTINUATION, b"x" * 65_536, fin=False)
    ),
    "fragments of one byte without an end": _frames(
        frame(TEXT, b"", fin=False), frame(CONTINUATION, b"x", fin=False) * 10_000
    ),
    "a GiB, compressed to one MiB": _bomb,
    "pings without reading the pongs": _frames(b"", frame(PING, bytes(125)) * 1000),
    "messages for an application that does not receive": _frames(
        b"", frame(BINARY, bytes(60_000)), "/deaf"
    ),
    "messages before they are accepted": _repeated(opening("/hang"), frame(BINARY, bytes(60_000))),
    "not reading an application's messages": _pour_frames,
}


@dataclass(frozen=True)
class Slow:
    """A client that waits, or gives a little at a time.

    Args:
        sent: its bytes.
        drop: what it sends once a second.
        reads: it takes what comes.
    """

    sent: bytes = b""
    drop: bytes = b""
    reads: bool = True


SLOW: dict[str, Slow] = {
    "silence": Slow(),
    "a head that stops": Slow(b"GET / HTTP/1.1\r\nHo"),
    "a head that drips": Slow(b"GET / HTTP/1.1\r\nX: ", b"x"),
    "content that stops": Slow(post("/count", b"Content-Length: 1000", b"part")),
    "silence behind an answer": Slow(get("/")),
    "part of a head behind an answer": Slow(get("/") + b"GET / HTTP/1.1\r\nHo"),
    "content that stops behind its answer": Slow(post("/", b"Content-Length: 1000", b"part")),
    "not reading a download": Slow(get("/pour"), reads=False),
    "a WebSocket that answers no ping": Slow(opening("/echo")),
    "a WebSocket that does not read": Slow(opening("/pour") + frame(TEXT, b"go"), reads=False),
}
