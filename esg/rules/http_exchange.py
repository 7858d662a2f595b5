"""The ASGI HTTP state table: one request, one response, and the application between them.

Messages go in, bytes to write and events to deliver come out. Must not know sockets, time, or
how a response looks on the wire: that is `wire`'s (for HTTP/1.1, `response_head.Http1Response`).

    response          message                      becomes      out
    AWAITING_START    http.response.early_hint     the same     103
    AWAITING_START    http.response.start          START_HELD   nothing yet
    START_HELD        http.response.early_hint     the same     103
                      http.response.body, more     STREAMING    head and content
                      http.response.body, final    COMPLETE     head and content
                      (a file that is not there)   the same     nothing; MessageError
                      (flush_start, twice)         STREAMING    head
    STREAMING         http.response.body, more     STREAMING    content
                      http.response.body, final    COMPLETE     content and the end
                      http.response.trailers       STREAMING    trailers, where they are due
                      http.response.trailers, last COMPLETE     trailers and the end
                      (content breaks its length)  ABORTED      nothing; MessageError
    COMPLETE          any                          COMPLETE     nothing; counted as late
    ABORTED           any                          ABORTED      nothing; ClientDisconnected
    any but COMPLETE  any, once the client is gone the same     nothing; ClientDisconnected

http.response.zerocopysend is a body whose content is a file's, http.response.pathsend a final one
before which there was none. What the table says of a body holds for both.

Where trailers are due, the final body leaves the response STREAMING; where they were announced and
the client takes none, they are dropped in COMPLETE, and not counted as late.

The server's own answer (`answered_by_server`) and `abort` end in ABORTED too.

A message that the table does not have raises MessageError and changes nothing.
Source: ASGI HTTP & WebSocket message format 2.5, "HTTP"; ASGI extensions, "HTTP Trailers", "Early
Hints", "Path Send" and "Zero Copy Send".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from esg.asgi import Message, plain_buffer
from esg.errors import ClientDisconnected, MessageError
from esg.http import OpenFile, Piece, PlanResponse, Wire

AWAITING_START: Final = 0
START_HELD: Final = 1
STREAMING: Final = 2
COMPLETE: Final = 3
ABORTED: Final = 4

DRAIN_LIMIT: Final = 65536  # bytes of unread content worth reading to keep a connection

PATH_SEND: Final = "http.response.pathsend"


class HttpExchange:
    """Follow one request and its response.

    Args:
        method: of the request.
        content_length: the declared length of its content, 0 without content, -1 where chunked.
        awaits_continue: the client waits for 100 before it sends the content.
        plan: checks a response start; raises what `send()` is to raise.
        wire: serialises the response.

    Attributes:
        open_file: opens what a message names, and raises what `send()` is to raise; set by a
            driver that sends files.
    """

    __slots__ = (
        "_body",
        "_body_delivered",
        "_content_begun",
        "_content_over",
        "_has_content",
        "_held_at_sweep",
        "_held_replaceable",
        "_plan",
        "_remaining",
        "_trailers_announced",
        "_wire",
        "awaits_continue",
        "buffered",
        "client_left",
        "content_length",
        "disconnected",
        "late_messages",
        "method",
        "open_file",
        "received",
        "request_complete",
        "sent",
        "state",
        "status",
    )

    def __init__(
        self,
        method: str,
        content_length: int,
        awaits_continue: bool,
        plan: PlanResponse,
        wire: Wire,
    ) -> None:
        self.begin(method, content_length, awaits_continue, plan, wire)

    def begin(
        self,
        method: str,
        content_length: int,
        awaits_continue: bool,
        plan: PlanResponse,
        wire: Wire,
    ) -> None:
        """Do what the constructor does; apart from it, so that compiled code can call it as C."""
        self.method = method
        self.content_length = content_length
        self.awaits_continue = awaits_continue
        self._plan = plan
        self._wire = wire
        self.open_file: OpenFile | None = None
        self.state = AWAITING_START
        self.status = 0
        self.late_messages = 0  # sent after the final body, and ignored
        # the request's content
        self.request_complete = content_length == 0
        self.received = 0
        self.buffered = 0  # bytes that the application has not taken
        self._body: list[bytes] = []
        self._body_delivered = False
        # the client: `disconnected` ends sending, `client_left` only receiving
        self.disconnected = False
        self.client_left = False
        # the response's content
        self.sent = 0  # bytes of it that the application gave
        self._has_content = False
        self._content_begun = False
        self._content_over = False  # trailers are due
        self._trailers_announced = False
        self._remaining = -1  # bytes still owed to Content-Length, -1 without one
        self._held_replaceable = False
        self._held_at_sweep = False

    # What the driver reports.

    def body_received(self, data: bytes) -> None:
        """Take content of the request; it is dropped where nobody will ask for it."""
        self.received += len(data)
        self.awaits_continue = False
        if self.state < COMPLETE and not self.disconnected:
            self._body.append(data)
            self.buffered += len(data)

    def body_complete(self) -> None:
        """Take note that the request has been read to its end."""
        self.request_complete = True

    def leave(self) -> None:
        """Take note of the client's FIN, or of the server's wish that the application ends.

        After a complete request the response is still delivered (RFC 9112 section 9.6); inside
        of one the exchange is over.
        """
        self.client_left = True
        if not self.request_complete:
            self.disconnect()

    def disconnect(self) -> None:
        """Take note that nothing can be sent any more, or may be."""
        self.client_left = True
        self.disconnected = True
        self._body.clear()
        self.buffered = 0

    # What the application does.

    def next_event(self) -> Message | None:
        """Return the next message for `receive()`, or None where it has to wait."""
        if self.state >= COMPLETE or self.disconnected:
            return {"type": "http.disconnect"}
        if not self._body_delivered and (self._body or self.request_complete):
            body = self._body[0] if len(self._body) == 1 else b"".join(self._body)
            self._body.clear()
            self.buffered = 0
            self._body_delivered = self.request_complete
            return {"type": "http.request", "body": body, "more_body": not self.request_complete}
        if self.client_left:
            return {"type": "http.disconnect"}
        return None

    def take_continue(self) -> bool:
        """Tell, once, whether 100 (Continue) is due: the application waits for the content."""
        if not self.awaits_continue or self.state >= STREAMING:
            return False
        self.awaits_continue = False
        return True

    def send(self, message: Mapping[str, Any]) -> list[Piece]:
        """Take a message of the application and return what to write for it.

        Raises:
            MessageError, TypeError: see the table; `state` is ABORTED where the connection
                cannot be used any more.
            ClientDisconnected: nobody is left to read it.
        """
        if self.state == COMPLETE:
            if not self._trailers_announced or not _are_trailers(message):
                self.late_messages += 1
            return []
        if self.disconnected or self.state == ABORTED:
            raise ClientDisconnected("the client has disconnected", self)
        message_type = _type_of(message)
        if message_type == "http.response.body":
            return self._send_body(message)
        if message_type == "http.response.start":
            self._send_start(message)
            return []
        if message_type == "http.response.trailers":
            return self._send_trailers(message)
        if message_type == "http.response.early_hint":
            return self._send_early_hint(message)
        if message_type in (PATH_SEND, "http.response.zerocopysend") and self.open_file:
            return self._send_file(message, self.open_file)
        raise MessageError(f"unknown message type {message_type!r}")

    def _send_start(self, message: Mapping[str, Any]) -> None:
        if self.state != AWAITING_START and not self._held_replaceable:
            raise MessageError("http.response.start sent twice")
        if "status" not in message:
            raise MessageError("http.response.start has no status")
        plan = self._plan(self.method, message["status"], message.get("headers", ()))
        plan.trailers = self._trailers_announced = bool(message.get("trailers", False))
        self._wire.start(plan)
        self.status = plan.status
        self._has_content = plan.has_content
        self._remaining = plan.length if plan.has_content else -1
        self._held_replaceable = False
        self._held_at_sweep = False
        self.state = START_HELD

    def _send_body(self, message: Mapping[str, Any]) -> list[Piece]:
        self._check_place("http.response.body")
        data = plain_buffer("body", message.get("body", b""))
        final = not message.get("more_body", False)
        self._check_length(len(data), final)
        return self._send_content(data, final)

    def _send_file(self, message: Mapping[str, Any], open_file: OpenFile) -> list[Piece]:
        whole = message["type"] == PATH_SEND
        self._check_place(message["type"])
        if whole and self._content_begun:
            raise MessageError(f"{PATH_SEND} sent after other content")
        final = whole or not message.get("more_body", False)
        try:
            file = open_file(message)
            try:
                self._check_length(len(file), final)
                content = file.take() if self._has_content else b""
            finally:
                file.close()
        except MessageError:
            self._held_replaceable = self.state == START_HELD  # by a 404, for example
            raise
        if whole and self.state == START_HELD:
            self._wire.declare_length(len(file))
        return self._send_content(content, final)

    def _check_place(self, message_type: str) -> None:
        if self.state == AWAITING_START:
            raise MessageError(f"{message_type} sent before http.response.start")
        if self._content_over:
            raise MessageError(f"{message_type} sent after the final body; trailers are due")

    def _send_content(self, content: Piece, final: bool) -> list[Piece]:
        if final and not self.request_complete and not self.unread_is_drainable():
            self._wire.keep_alive = False  # while the head can still say so
        out: list[Piece] = [self._wire.head()] if self.state == START_HELD else []
        self._held_replaceable = False
        self._content_begun = True
        if final and self._wire.trailers_due:
            self._content_over = True
            final = False
        self.state = COMPLETE if final else STREAMING
        if self._has_content:
            self.sent += len(content)
            if self._remaining >= 0:
                self._remaining -= len(content)
        out += self._wire.frame(content, final)
        return out

    def _send_trailers(self, message: Mapping[str, Any]) -> list[Piece]:
        if not self._content_over:
            raise MessageError("http.response.trailers sent before the final body, or unannounced")
        final = not message.get("more_trailers", False)
        out: list[Piece] = [self._wire.trailers(message.get("headers", ()), final)]
        if final:
            self.state = COMPLETE
        return out

    def _send_early_hint(self, message: Mapping[str, Any]) -> list[Piece]:
        if self.state == STREAMING:
            raise MessageError("http.response.early_hint sent after the response has begun")
        hint = self._wire.early_hint(message.get("links", ()))
        return [hint] if hint else []

    def _check_length(self, size: int, final: bool) -> None:
        if self._remaining < 0:
            return
        if size <= self._remaining and (not final or size == self._remaining):
            return
        found = f"{self._remaining - size} bytes less" if size < self._remaining else "more"
        if self.state == START_HELD:
            self._held_replaceable = True  # nothing is on the wire: it may be put right
        else:
            self.state = ABORTED
            self.disconnect()
        raise MessageError(f"the body has {found} than the content-length declares")

    # What else makes the response go on or end.

    def flush_start(self) -> bytes:
        """Return the head of a start that has been held since the last sweep, else nothing.

        To be called by each sweep. One that comes just between a start and its body changes nothing:
        else chance would decide about the framing.

        A start whose first body broke its Content-Length stays held: the application may still put
        it right, or end with a clean 500.
        """
        if self.state != START_HELD or self._held_replaceable or self.disconnected:
            return b""
        if not self._held_at_sweep:
            self._held_at_sweep = True
            return b""
        self.state = STREAMING
        return self._wire.head()

    def needs_error_response(self) -> bool:
        """Tell whether the server itself can, and must, answer: nothing has been written."""
        return self.state in (AWAITING_START, START_HELD) and not self.disconnected

    def answered_by_server(self, status: int) -> None:
        """Take note that the server answers in the application's place, and closes."""
        self.state = ABORTED
        self.status = status
        self._wire.keep_alive = False
        self.disconnect()

    def unread_is_drainable(self) -> bool:
        """Tell whether content that nobody took may be read away to keep the connection.

        A client that was told no 100 may never send its content, nor say so (RFC 9110 section
        10.1.1).
        """
        return not self.awaits_continue and self.content_length - self.received <= DRAIN_LIMIT

    def abort(self) -> bool:
        """End a response that can never be complete; tell whether that is news."""
        if self.state >= COMPLETE:
            return False
        self.state = ABORTED
        self.disconnect()
        return True


def _are_trailers(message: object) -> bool:
    return isinstance(message, Mapping) and message.get("type") == "http.response.trailers"


def _type_of(message: Mapping[str, Any]) -> object:
    if not isinstance(message, Mapping):
        raise TypeError(f"a message must be a dict, got {type(message).__name__}")
    if "type" not in message:
        raise MessageError("a message has no type")
    return message["type"]
