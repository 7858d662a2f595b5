"""An exchange with a wire that records, and the messages to send to it."""

from __future__ import annotations

from collections.abc import Iterable
from types import ModuleType
from typing import Any

from esg.asgi import Message
from esg.errors import MessageError
from esg.http import Piece

OK: Message = {"type": "http.response.start", "status": 200, "headers": []}
FIVE: Message = {"type": "http.response.start", "status": 200, "headers": [(b"length", b"5")]}
BODY = "http.response.body"


def body(data: object = b"", more: bool = False) -> Message:
    """Write a message with content."""
    return {"type": BODY, "body": data, "more_body": more}


class RecordedPlan:
    """A response start as the exchange sees it: a status, a length, and whether it has content."""

    def __init__(self, method: str, status: object, headers: Iterable[Iterable[object]]) -> None:
        if not isinstance(status, int):
            raise MessageError("a status that the plan refuses")
        self.status = status
        self.length = -1
        for name, value in headers:
            if name == b"bad":
                raise MessageError("a field that the plan refuses")
            if name == b"length" and isinstance(value, bytes):
                self.length = int(value)
        self.has_content = method != "HEAD"
        self.trailers = False


class RecordingWire:
    """A wire that shows what it is asked for."""

    def __init__(self) -> None:
        self.keep_alive = True
        self.takes_trailers = False
        self.plan: RecordedPlan | None = None
        self.declared = -1

    @property
    def trailers_due(self) -> bool:
        """Tell whether trailers end the response."""
        return self.takes_trailers and self.plan is not None and self.plan.trailers

    def start(self, response: Any) -> None:
        """Take a response start."""
        self.plan = response

    def declare_length(self, length: int) -> None:
        """Take a length for the head."""
        assert self.plan is not None
        if self.plan.length < 0:
            self.declared = length

    def head(self) -> bytes:
        """Show which start goes out, and whether the connection persists."""
        assert self.plan is not None
        length = b"" if self.declared < 0 else b" %d" % self.declared
        return b"<%d%b%b>" % (self.plan.status, length, b"" if self.keep_alive else b" close")

    def frame(self, data: Piece, final: bool) -> list[Piece]:
        """Show the content, and its end."""
        return [data, b"|"] if final else [data]

    def trailers(self, fields: Any, final: bool) -> bytes:
        """Show the trailers, and their end."""
        return b"(%b)%b" % (b",".join(name for name, _ in fields), b"|" if final else b"")

    def early_hint(self, links: Any) -> bytes:
        """Show the links; nothing where the client could not take them."""
        return b"".join(links)


def make(
    http_exchange: ModuleType,
    method: str = "GET",
    content_length: int = 0,
    awaits_continue: bool = False,
) -> tuple[Any, RecordingWire]:
    """Make an exchange and its wire."""
    wire = RecordingWire()
    exchange = http_exchange.HttpExchange(
        method, content_length, awaits_continue, RecordedPlan, wire
    )
    return exchange, wire


def send(exchange: Any, *messages: Any) -> bytes:
    """Send messages; return what goes out for them."""
    return b"".join(piece for message in messages for piece in exchange.send(message))


def swept_twice(exchange: Any) -> bytes:
    """Return what two sweeps write: a start that was held at the first goes out at the second."""
    assert exchange.flush_start() == b""
    written: bytes = exchange.flush_start()
    return written
