"""The vocabulary of the scripts that the application plays, and the common scripts.

Each function writes one operation of `scripted.application.Player`.
"""

from __future__ import annotations

from typing import Any

from tests.conformance.model import Script

Operation = tuple[Any, ...]

HELLO_BODY = b"hello from the app"
PROBE_BODY = b"the connection is usable"


def start(status: Any = 200, headers: Any = (), **extra: Any) -> dict[str, Any]:
    """Write an http.response.start message."""
    return {"type": "http.response.start", "status": status, "headers": headers, **extra}


def body(data: Any = b"", more: bool | None = None) -> dict[str, Any]:
    """Write an http.response.body message; `more_body` is absent when None."""
    message: dict[str, Any] = {"type": "http.response.body", "body": data}
    if more is not None:
        message["more_body"] = more
    return message


def sized(data: bytes) -> list[tuple[bytes, bytes]]:
    """Write the headers of a plain response of this body."""
    return [(b"content-type", b"text/plain"), (b"content-length", b"%d" % len(data))]


def special(kind: str, of: Any) -> dict[str, Any]:
    """Write a value that is no literal: see `scripted.application.SPECIAL`."""
    return {"$": kind, "of": of}


def send(message: Any) -> Operation:
    """Send the message; an exception ends the application."""
    return ("send", message)


def try_send(message: Any) -> Operation:
    """Send the message; an exception is recorded and the script goes on."""
    return ("try_send", message)


def answer(data: bytes = HELLO_BODY, status: int = 200, headers: Any = None) -> Script:
    """Answer with Content-Length and one body event."""
    fields = sized(data) if headers is None else headers
    return (send(start(status, fields)), send(body(data)))


def chunked(*chunks: bytes, headers: Any = ()) -> Script:
    """Answer without Content-Length, one body event per chunk and an empty last one."""
    parts = tuple(send(body(chunk, True)) for chunk in chunks)
    return (send(start(200, headers)), *parts, send(body(b"", False)))


RECEIVE: Operation = ("receive",)
READ_BODY: Operation = ("read_body",)
UNTIL_DISCONNECT: Operation = ("receive_until", "http.disconnect")

HELLO: Script = answer()
PROBE: Script = answer(PROBE_BODY)
READ_AND_ECHO: Script = (READ_BODY, ("echo",))
READ_AND_HELLO: Script = (READ_BODY, *HELLO)

STARTED = {"type": "lifespan.startup.complete"}
STOPPED = {"type": "lifespan.shutdown.complete"}
LIFESPAN: Script = (RECEIVE, send(STARTED), RECEIVE, send(STOPPED))
