"""A WSGI application with a route for every behaviour that a test asks for.

The standard library's validator stands around it: every call of it is a test of the server's side
of PEP 3333. Where it must wait for the test it waits at `gate()`, in its thread.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from io import BytesIO
from typing import Any
from wsgiref.validate import validator

from tests.apps.stage import tell

Environ = dict[str, Any]
StartResponse = Callable[..., Callable[[bytes], object]]
BLOCK = b"x" * 65536
PLAIN = ("Content-Type", "text/plain")


def gate() -> None:
    """Wait until the test opens the gate: a byte on standard input."""
    os.read(sys.stdin.fileno(), 1)


class Content:
    """Content that tells when it is closed."""

    def __init__(self, name: str, blocks: Iterable[bytes]) -> None:
        self._name = name
        self._blocks = iter(blocks)

    def __iter__(self) -> Iterator[bytes]:
        return self._blocks

    def close(self) -> None:
        """Tell it."""
        tell(f"{self._name}: closed")


def hello(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    """Greet."""
    start_response("200 OK", [PLAIN, ("Content-Length", "5")])
    return [b"hello"]


def show(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    """Answer with the environ."""
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps({name: repr(value) for name, value in environ.items()}).encode()]


def count(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    """Count the content."""
    size = 0
    try:
        while block := environ["wsgi.input"].read(65536):
            if not size:
                tell("count: begun")
            size += len(block)
    finally:
        tell("count: ended")
    start_response("200 OK", [PLAIN])
    return [b"%d" % size]


def echo(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    """Send the content back by lines, each before the next is read."""
    start_response("200 OK", [PLAIN])
    while line := environ["wsgi.input"].readline():
        yield line


def big(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    """Send as many blocks as the query says."""

    def blocks() -> Iterator[bytes]:
        for _ in range(int(environ["QUERY_STRING"])):
            yield BLOCK

    start_response("200 OK", [PLAIN])
    return Content("big", blocks())


def stepwise(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    """Send a first block, and another one when the gate opens."""

    def blocks() -> Iterator[bytes]:
        yield b""
        yield b"first"
        gate()
        yield b"second"

    start_response("200 OK", [PLAIN])
    return Content("stepwise", blocks())


def slow_close(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    """Answer, then take long to close."""

    class Slow(Content):
        def close(self) -> None:
            gate()
            super().close()

    declared = [("Content-Length", "8")] if environ["QUERY_STRING"] else []
    start_response("200 OK", [PLAIN, *declared])
    return Slow("slow-close", [b"answered"])


def endless(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    """Send until the client leaves."""

    def blocks() -> Iterator[bytes]:
        while True:
            yield BLOCK

    start_response("200 OK", [PLAIN])
    return Content("endless", blocks())


def write(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    """Send in two ways: by what start_response has returned, then by what is returned."""
    send = start_response("200 OK", [PLAIN])
    send(b"written ")
    send(b"first")
    return [b", then ", b"returned"]


def replace(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    """Replace the start of a response before anything is sent."""
    start_response("200 OK", [PLAIN, ("Content-Length", "1")])
    try:
        raise ValueError("on purpose")
    except ValueError:
        start_response("503 Unavailable", [PLAIN], sys.exc_info())
    return [b"replaced"]


def too_late(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    """Try to replace the start when it is sent."""
    start_response("200 OK", [PLAIN])
    yield b"sent"
    try:
        raise ValueError("too late on purpose")
    except ValueError:
        start_response("500 Error", [PLAIN], sys.exc_info())
    yield b"never"


def fail(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    """Raise."""
    raise ValueError("wsgi on purpose")


def file(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    """Send what has the form of a file."""
    start_response("200 OK", [PLAIN])
    found: Iterable[bytes] = environ["wsgi.file_wrapper"](BytesIO(BLOCK + b"end"))
    return found


def stuck(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    """Be busy until the gate opens, then try to send."""
    tell("stuck: begun")
    gate()
    send = start_response("200 OK", [PLAIN])
    try:
        send(b"too late")
    except OSError as error:
        tell(f"stuck: {error}")
        raise
    tell("stuck: sent")
    return []


ROUTES = {
    "/": hello,
    "/show": show,
    "/count": count,
    "/echo": echo,
    "/big": big,
    "/stepwise": stepwise,
    "/slow-close": slow_close,
    "/endless": endless,
    "/write": write,
    "/replace": replace,
    "/too-late": too_late,
    "/fail": fail,
    "/file": file,
    "/stuck": stuck,
}


def route(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    """Call what the path says."""
    return ROUTES.get(environ["PATH_INFO"], show)(environ, start_response)


_validated = validator(route)


def app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    """Serve under the validator, whose own form would not tell that this is WSGI."""
    found: Iterable[bytes] = _validated(environ, start_response)
    return found
