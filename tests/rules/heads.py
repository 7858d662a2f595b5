"""Heads to judge, the limits to judge them by, and the verdict in a form that compares."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from esg.errors import RequestRejected

Verdict = tuple[int, tuple[Any, ...] | None]


def limits(
    request_head: ModuleType,
    head_size: int = 65536,
    fields: int = 100,
    target_size: int = 8192,
    body_size: int = 0,
) -> Any:
    """Make limits, by default those of the configuration."""
    return request_head.HeadLimits(head_size, fields, target_size, body_size)


def head(
    request_line: bytes = b"GET / HTTP/1.1", *fields: bytes, host: bytes = b"Host: a"
) -> bytes:
    """Write a head; `host` empty leaves the Host field out."""
    lines = [request_line, *([host] if host else []), *fields]
    return b"".join(line + b"\r\n" for line in lines) + b"\r\n"


def judged(request_head: ModuleType, *arguments: bytes, **host: bytes) -> Any:
    """Judge the `head` that these arguments write, by the limits of the configuration."""
    return request_head.judge(head(*arguments, **host), limits(request_head))


def contents(found: Any) -> tuple[Any, ...]:
    """Put everything that a RequestHead says into one tuple."""
    return (
        found.method,
        found.http_version,
        found.raw_path,
        found.query,
        found.headers,
        found.content_length,
        found.expect_continue,
        found.connection,
    )


def receive(request_head: ModuleType, pieces: list[bytes], bounds: Any) -> tuple[Verdict, bytes]:
    """Judge bytes as a driver does, piece by piece.

    Returns:
        The verdict, with status 0 for a lawful head and -1 for one that is not complete, and the
        bytes after the head; those after a rejected one belong to nobody.
    """
    buffer = bytearray()
    scanned = 0
    try:
        for number, piece in enumerate(pieces):
            buffer += piece
            end = request_head.find_end(buffer, scanned)
            if end >= 0:
                found = request_head.judge(bytes(buffer[:end]), bounds)
                rest = bytes(buffer[end:]) + b"".join(pieces[number + 1 :])
                return (0, contents(found)), rest
            request_head.check_partial(buffer, bounds)
            scanned = len(buffer)
    except RequestRejected as rejected:
        return (rejected.status, None), b""
    return (-1, None), bytes(buffer)
