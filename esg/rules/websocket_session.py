"""The ASGI WebSocket state table: one session, from its opening handshake to its end.

Messages and decoded events go in, bytes to write and messages to deliver come out. Must not know
sockets or time, how an answer looks on the wire (that is `answers`'), or frames (`codec`'s).

    state       message or event                      becomes     out
    CONNECTING  websocket.accept                      OPEN        101
                websocket.close                       CLOSED      403
                websocket.http.response.start         DENYING     as http_exchange says
                application returns or raises         CLOSED      500
                accept timeout, server stops          CLOSED      503
    DENYING     websocket.http.response.body, more    DENYING     as http_exchange says
                websocket.http.response.body, final   CLOSED      as http_exchange says
                application returns or raises         CLOSED      nothing, or 500 if that is possible
    OPEN        websocket.send                        OPEN        a message
                websocket.close                       CLOSING     its close frame
                application returns / raises          CLOSING     close 1000 / 1011
                server stops                          CLOSING     close 1012
                the client's close frame              CLOSED      its echo, in its turn
                frames at fault                       CLOSED      close 1002, 1007 or 1009, likewise
                ping                                  OPEN        pong
                no answer to our ping in time         CLOSED      close 1011
                the client's FIN                      CLOSED      nothing, likewise
    CLOSING     the client's close frame, or no       CLOSED      nothing
                such frame in time
    any         connection lost                       CLOSED      nothing

In CLOSED the connection is to be closed once everything is written. A message of the application
that the table does not have raises MessageError and changes nothing, also after its own
websocket.close; once the client is gone, or told to go, send() raises ClientDisconnected.

`receive()` gives websocket.connect, the messages, then websocket.disconnect, every time: with the
code and reason of the client's close frame, or with ours where we have failed the connection or
stopped it, or with 1006 where there was none. An application that closes gets no more messages.

The client's close frame, a failure and a FIN have their turn when the application has taken every
message before them and asks for the next, so that its answers still go out; or ANSWER later. One
that has no message to answer does not delay them.

Source: ASGI HTTP & WebSocket message format 2.5, "WebSocket"; ASGI extensions, "WebSocket Denial
Response"; RFC 6455 sections 5.5, 7.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from esg.asgi import Buffer, Message, plain_buffer
from esg.errors import ClientDisconnected, MessageError
from esg.websocket import (
    ABNORMAL,
    INTERNAL_ERROR,
    NORMAL_CLOSURE,
    SERVICE_RESTART,
    Answers,
    Close,
    Codec,
    Denial,
    Event,
    Failure,
    Ping,
    close_arguments,
)

CONNECTING: Final = 0
DENYING: Final = 1
OPEN: Final = 2
CLOSING: Final = 3
CLOSED: Final = 4

# Which timer runs; the numbers are those of `deadlines`.
NO_TIMER: Final = 0
ACCEPT: Final = 6  # for the application's answer to the opening handshake
PING: Final = 7  # until we ask whether the client is there
PONG: Final = 8  # for anything that shows that it is
CLOSE: Final = 9  # for the client's close frame
ANSWER: Final = 10  # for the application's answers to the messages before the client's close frame

# Undelivered bytes beyond which no further message is decoded; one message may be larger.
QUEUED_BYTES: Final = 65536

_PLACES: Final = ("before websocket.accept", "into a denial response", "after websocket.accept")
_ANSWER: Final = "websocket.http.response."


class WebSocketSession:
    """Follow one WebSocket.

    Args:
        answers: to the opening handshake.
        codec: for the frames.
        max_queue: messages that may wait for the application.
        awaits_pong: whether a ping without an answer ends the session.

    Attributes:
        state: see the table.
        status: of the answer to the opening handshake, 0 before there is one.
        timer: which timer is to run.
    """

    __slots__ = (
        "_answers",
        "_awaits_pong",
        "_codec",
        "_connect_delivered",
        "_denial",
        "_disconnect",
        "_end",
        "_ended_by_app",
        "_max_queue",
        "_owes_answer",
        "_queue",
        "_queued_bytes",
        "state",
        "status",
        "timer",
    )

    def __init__(self, answers: Answers, codec: Codec, max_queue: int, awaits_pong: bool) -> None:
        self._answers = answers
        self._codec = codec
        self._max_queue = max_queue
        self._awaits_pong = awaits_pong
        self.state = CONNECTING
        self.status = 0
        self.timer = ACCEPT
        self._denial: Denial | None = None
        # what the application is still to receive
        self._connect_delivered = False
        self._queue: list[str | bytes] = []  # a deque takes 760 bytes, empty as it mostly is
        self._queued_bytes = 0
        self._owes_answer = False  # it has taken a message, and not asked for the next
        self._end: Close | Failure | None = None  # that waits for its turn
        self._disconnect: tuple[int, str] | None = None
        self._ended_by_app = False  # it has sent its last message

    # What the driver reports of the client.

    def wants_event(self) -> bool:
        """Tell whether the codec is to decode further; where not, reading is to pause."""
        if self.state == OPEN:
            queued = len(self._queue)
            room = queued < self._max_queue and self._queued_bytes < QUEUED_BYTES
            return room and self._end is None
        return self.state == CLOSING

    def take(self, event: Event) -> list[Buffer]:
        """Take what the codec has decoded while it `wants_event`; return what to write."""
        if isinstance(event, (str, bytes)):
            if self.state == OPEN:
                self._queue.append(event)
                self._queued_bytes += len(event)
        elif isinstance(event, Ping):
            if self.state == OPEN:
                return self._codec.pong(event.payload)
        elif isinstance(event, (Close, Failure)):
            return self._receive_end(event)
        return []

    def _receive_end(self, end: Close | Failure) -> list[Buffer]:
        self._end = end
        if self.state != OPEN or not (self._owes_answer or self._queue):
            return self._take_end()
        self.timer = ANSWER
        return []

    def end_of_input(self) -> None:
        """Take note of the client's FIN, once nothing before it is left to `take`.

        What the application still answers may go out: the client has only ended its side. A denial
        response is not affected.
        """
        if self._end is None and self.state != DENYING:
            self._receive_end(Failure(ABNORMAL, ""))

    def _take_end(self) -> list[Buffer]:
        """End as the client's close frame or failure asks, with a close frame if none was sent."""
        end, out = self._end, []
        if end is not None:
            if self.state == OPEN and end.code != ABNORMAL:
                out = self._codec.close(end.code, "" if isinstance(end, Close) else end.reason)
            self._close(end.code, end.reason)
        return out

    def _close(self, code: int, reason: str) -> None:
        self.state = CLOSED
        self.timer = NO_TIMER
        if self._disconnect is None:
            self._disconnect = (code, reason)

    def data_received(self) -> None:
        """Take note that the client is there, whatever it has sent."""
        if self.timer == PONG:
            self.timer = PING

    def lost(self) -> None:
        """Take note that the connection is gone, or of no use: the client cannot send any more."""
        if self._denial is not None:
            self._denial.abort()
        self._take_end()
        self._close(ABNORMAL, "")

    def timer_expired(self) -> list[Buffer]:
        """Act on the end of the time that `timer` had; return what to write.

        Afterwards the timer that `timer` names is to be started anew.
        """
        if self.timer == ACCEPT:
            return self._refuse(503)
        if self.timer == PING:
            if self._awaits_pong:
                self.timer = PONG
            return self._codec.ping(b"")
        if self.timer == ANSWER:
            return self._take_end()
        if self.timer == PONG:
            # A client that is not read, since the application is slow, cannot show anything.
            if not self.wants_event():
                return []
            self._end = Failure(INTERNAL_ERROR, "ping timeout")
            return self._take_end()
        self.lost()
        return []

    # What the application receives.

    def next_event(self) -> Message | None:
        """Return the next message for `receive()`, or None where it has to wait."""
        if not self._connect_delivered:
            self._connect_delivered = True
            return {"type": "websocket.connect"}
        if self._queue:
            message = self._queue.pop(0)
            self._queued_bytes -= len(message)
            self._owes_answer = True
            if isinstance(message, str):
                return {"type": "websocket.receive", "text": message}
            return {"type": "websocket.receive", "bytes": message}
        if self._disconnect is None:
            return None
        code, reason = self._disconnect
        return {"type": "websocket.disconnect", "code": code, "reason": reason}

    def app_waits(self) -> list[Buffer]:
        """Take note that `receive()` waits, having found no `next_event`; return what to write.

        In state CLOSED there is a `next_event` now.
        """
        self._owes_answer = False
        return self._take_end()

    # What the application sends.

    def send(self, message: Mapping[str, Any]) -> list[Buffer]:
        """Take a message of the application and return what to write for it.

        Raises:
            MessageError, TypeError: see the table.
            ClientDisconnected: nobody is left to read it.
        """
        message_type = _type_of(message)
        if self._ended_by_app:
            raise MessageError(f"{message_type!r} sent after the application ended the session")
        if self._disconnect is not None:
            raise ClientDisconnected("the client has disconnected", self)
        if message_type == "websocket.send":
            return self._send(message)
        if message_type == "websocket.accept":
            return self._accept(message)
        if message_type == "websocket.close":
            return self._send_close(message)
        if message_type in (_ANSWER + "start", _ANSWER + "body"):
            return self._deny(message, str(message_type))
        raise MessageError(f"unknown message type {message_type!r}")

    def _expect(self, state: int, message: Mapping[str, Any]) -> None:
        if self.state != state:
            raise MessageError(f"{message['type']} sent {_PLACES[self.state]}")

    def _accept(self, message: Mapping[str, Any]) -> list[Buffer]:
        self._expect(CONNECTING, message)
        headers = [(name, value) for name, value in message.get("headers", ())]
        out = self._answers.switch(message.get("subprotocol"), headers)
        self.state = OPEN
        self.status = 101
        self.timer = PING
        return [out]

    def _send(self, message: Mapping[str, Any]) -> list[Buffer]:
        self._expect(OPEN, message)
        text = message.get("text")
        data = message.get("bytes")
        if (text is None) == (data is None):
            raise MessageError("websocket.send must have either text or bytes")
        if data is not None:
            return self._codec.binary(plain_buffer("bytes", data))
        if not isinstance(text, str):
            raise TypeError(f"text must be a str, got {type(text).__name__}")
        try:
            return self._codec.text(text)
        except UnicodeEncodeError as error:
            raise MessageError(f"text cannot be sent as UTF-8: {error.reason}") from None

    def _send_close(self, message: Mapping[str, Any]) -> list[Buffer]:
        code, reason = close_arguments(message)
        if self.state == CONNECTING:
            out = self._refuse(403)
        else:
            self._expect(OPEN, message)
            out = self._start_closing(code, reason)
        self._ended_by_app = True
        return out

    def _start_closing(self, code: int, reason: str) -> list[Buffer]:
        self._queue.clear()
        self._queued_bytes = 0
        if self._end is not None:
            return self._take_end()
        self.state = CLOSING
        self.timer = CLOSE
        return self._codec.close(code, reason)

    def _deny(self, message: Mapping[str, Any], message_type: str) -> list[Buffer]:
        if self.state != DENYING:
            self._expect(CONNECTING, message)
        denial = self._denial or self._answers.deny()
        try:
            response = {"type": message_type.removeprefix("websocket."), "trailers": False}
            out = denial.send({**message, **response})
        except (MessageError, TypeError):
            if denial.disconnected:  # it has broken its content, and can never be complete
                self.lost()
            raise
        self._denial = denial
        self.status = denial.status
        self.state = DENYING
        self.timer = NO_TIMER
        if message_type.endswith("body") and not message.get("more_body", False):
            self._ended_by_app = True
            self._close(ABNORMAL, "")
        return out

    def flush_start(self) -> bytes:
        """Return the head of a denial response whose start has been held long enough."""
        return b"" if self._denial is None else self._denial.flush_start()

    # How it ends otherwise.

    def app_ended(self, raised: bool) -> list[Buffer]:
        """Take note that the application has returned or raised; return what to write."""
        out: list[Buffer] = []
        if self.state == OPEN:
            out = self._start_closing(INTERNAL_ERROR if raised else NORMAL_CLOSURE, "")
        elif self.state < OPEN:
            if self._denial is None or self._denial.needs_error_response():
                out = self._refuse(500)
            self.lost()
        self._ended_by_app = True
        return out

    def server_stops(self) -> list[Buffer]:
        """Take note that the server stops; return what to write."""
        if self._end is not None:
            return self._take_end()
        if self.state == CONNECTING:
            return self._refuse(503)
        if self.state != OPEN:
            return []
        self._disconnect = (SERVICE_RESTART, "")
        self.state = CLOSING
        self.timer = CLOSE
        return self._codec.close(SERVICE_RESTART, "")

    def _refuse(self, status: int) -> list[Buffer]:
        out = self._answers.refuse(status)
        self.status = status
        self._close(ABNORMAL, "")
        return [out]


def _type_of(message: Mapping[str, Any]) -> object:
    if not isinstance(message, Mapping):
        raise TypeError(f"a message must be a dict, got {type(message).__name__}")
    if "type" not in message:
        raise MessageError("a message has no type")
    return message["type"]
