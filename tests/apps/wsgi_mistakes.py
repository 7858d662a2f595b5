"""A WSGI application that does what PEP 3333 forbids, a path for each mistake."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

Start = Callable[..., Callable[[bytes], object]]


def twice(start_response: Start) -> Iterable[Any]:
    """Start a second response."""
    start_response("200 OK", [])
    start_response("200 OK", [])
    return []


def text(start_response: Start) -> Iterable[Any]:
    """Give text for bytes."""
    start_response("200 OK", [])
    return ["text"]


def text_iterator(start_response: Start) -> Iterator[Any]:
    """Give text for bytes, later."""
    start_response("200 OK", [])
    yield "text"


def status(start_response: Start) -> Iterable[Any]:
    """Give a status of two digits."""
    start_response("20", [])
    return []


def field(start_response: Start) -> Iterable[Any]:
    """Give bytes for a field's text."""
    start_response("200 OK", [(b"name", b"value")])
    return []


def injection(start_response: Start) -> Iterable[Any]:
    """Give a field that holds another one."""
    start_response("200 OK", [("name", "value\r\nother: value")])
    return [b"content"]


def too_much(start_response: Start) -> Iterator[Any]:
    """Give more than was declared."""
    start_response("200 OK", [("Content-Length", "5")])
    yield b"12345"
    yield b"6"


MISTAKES: dict[str, Callable[[Start], Iterable[Any]]] = {
    "/twice": twice,
    "/text": text,
    "/text-iterator": text_iterator,
    "/status": status,
    "/field": field,
    "/injection": injection,
    "/too-much": too_much,
    "/no-start": lambda start_response: [b"content"],
}


def app(environ: dict[str, Any], start_response: Start) -> Iterable[Any]:
    """Make the mistake that the path says."""
    return MISTAKES[environ["PATH_INFO"]](start_response)
