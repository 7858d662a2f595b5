"""Responses to write, and what of them comes out, apart from each other."""

from __future__ import annotations

from collections.abc import Iterable
from types import ModuleType
from typing import Any

LENGTH = (b"Content-Length", b"5")
CLOSE = b"connection: close"

Fields = Iterable[Iterable[object]]


def defaults(
    response_head: ModuleType,
    server: bytes | None = None,
    date: bool = False,
    extra: tuple[tuple[bytes, bytes], ...] = (),
) -> Any:
    """Make default fields, of the last second of 1999; by default none."""
    fields = response_head.DefaultFields(server, date, extra)
    fields.set_time(946684799)
    return fields


def write(
    response_head: ModuleType,
    status: object = 200,
    headers: Fields = (),
    *,
    method: str = "GET",
    http_version: str = "1.1",
    keep_alive: bool = True,
    content: bytes = b"",
    **default: Any,
) -> tuple[bytes, list[bytes], bytes, bool]:
    """Write a whole response.

    Returns:
        The status line, the field lines, what comes after the head, and whether the connection
        persists.
    """
    response = response_head.Http1Response(
        http_version, keep_alive, defaults(response_head, **default)
    )
    response.start(response_head.plan(method, status, headers))
    head, empty_line, rest = response.head().partition(b"\r\n\r\n")
    assert empty_line
    assert rest == b""
    line, *fields = head.split(b"\r\n")
    return line, fields, b"".join(response.frame(content, True)), response.keep_alive
