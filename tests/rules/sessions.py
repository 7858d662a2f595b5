"""A session with answers and a codec that record, and the messages to send to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import Any

from esg.asgi import Buffer, Message
from esg.errors import MessageError

ACCEPT: Message = {"type": "websocket.accept"}
CLOSE: Message = {"type": "websocket.close"}
START: Message = {"type": "websocket.http.response.start", "status": 401, "headers": []}
CONNECT: Message = {"type": "websocket.connect"}


def text(data: object) -> Message:
    """Write a text message."""
    return {"type": "websocket.send", "text": data}


def body(data: bytes, more: bool = False) -> Message:
    """Write a piece of a denial response's content."""
    return {"type": "websocket.http.response.body", "body": data, "more_body": more}


def disconnect(code: int, reason: str = "") -> Message:
    """Write what ends a session."""
    return {"type": "websocket.disconnect", "code": code, "reason": reason}


class RecordingDenial:
    """The state table of a response, as far as the session knows it."""

    def __init__(self) -> None:
        self.status = 0
        self.disconnected = False
        self.flushed = False
        self.ended = False

    def send(self, message: Mapping[str, Any]) -> list[Buffer]:
        """Show a message, or refuse it; content "break" ends the response."""
        if message.get("body") == b"break":
            self.disconnected = True
            raise MessageError("the content breaks its length")
        if message["type"] == "http.response.start":
            if not isinstance(message["status"], int):
                raise MessageError("a status that the plan refuses")
            self.status = message["status"]
            return []
        if not self.status:
            raise MessageError("content before its start")
        self.flushed = True
        return [b"<%d>%b" % (self.status, message["body"])]

    def flush_start(self) -> bytes:
        """Show the head, once."""
        head = b"" if self.flushed else b"<%d>" % self.status
        self.flushed = True
        return head

    def needs_error_response(self) -> bool:
        """Tell whether nothing has gone out."""
        return not self.flushed

    def abort(self) -> bool:
        """Note the end."""
        self.ended = True
        return True


class RecordingAnswers:
    """Answers that show what they are asked for."""

    def __init__(self) -> None:
        self.denial = RecordingDenial()

    def switch(self, subprotocol: object, headers: Sequence[tuple[object, object]]) -> bytes:
        """Show an acceptance; refuse the subprotocol "bad"."""
        if subprotocol == "bad":
            raise MessageError("a subprotocol that was not offered")
        return f"<101 {subprotocol} {headers}>".encode()

    def refuse(self, status: int) -> bytes:
        """Show the server's own answer."""
        return b"<%d>" % status

    def deny(self) -> RecordingDenial:
        """Give the one table of a response."""
        return self.denial


class RecordingCodec:
    """A codec that shows what it is asked for."""

    buffered = 0

    def text(self, message: str) -> list[Buffer]:
        """Show a text message."""
        return [b"t:" + message.encode()]

    def binary(self, message: Buffer) -> list[Buffer]:
        """Show a binary message."""
        return [b"b:", message]

    def ping(self, payload: bytes) -> list[Buffer]:
        """Show a ping."""
        return [b"ping" + payload]

    def pong(self, payload: bytes) -> list[Buffer]:
        """Show a pong."""
        return [b"pong" + payload]

    def close(self, code: int, reason: str) -> list[Buffer]:
        """Show a close frame."""
        return [b"close %d %b" % (code, reason.encode())]


def make(websocket_session: ModuleType, max_queue: int = 3, awaits_pong: bool = True) -> Any:
    """Make a session that is connecting."""
    return websocket_session.WebSocketSession(
        RecordingAnswers(), RecordingCodec(), max_queue, awaits_pong
    )


def make_open(websocket_session: ModuleType, **details: Any) -> Any:
    """Make a session that was accepted."""
    session = make(websocket_session, **details)
    assert session.next_event() == CONNECT
    session.send(ACCEPT)
    return session


def send(session: Any, *messages: Any) -> bytes:
    """Send messages; return what goes out for them."""
    return b"".join(piece for message in messages for piece in session.send(message))


def out(pieces: list[Buffer]) -> bytes:
    """Join what goes out."""
    return b"".join(pieces)


def received(session: Any) -> list[Message]:
    """Receive what there is, up to the disconnect."""
    events: list[Message] = []
    while (event := session.next_event()) is not None:
        events.append(event)
        if event["type"] == "websocket.disconnect":
            break
    return events
