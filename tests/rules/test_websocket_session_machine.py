"""The WebSocket state table under any order of events: what must hold in all of them."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from esg.asgi import Buffer, Message
from esg.websocket import Close, Event, Failure, Ping, Pong
from tests.rules.machines import SETTINGS, Both
from tests.rules.sessions import ACCEPT, CLOSE, START, RecordingAnswers, RecordingCodec, body, text
from tests.rules.twins import find_twins

TWINS = find_twins("websocket_session")
CONNECTING, DENYING, OPEN, CLOSING, CLOSED = range(5)
NO_TIMER = 0
DISCONNECT = "websocket.disconnect"

_events: st.SearchStrategy[Event] = st.one_of(
    st.text("ab", max_size=3),
    st.binary(max_size=3),
    st.sampled_from([Ping(b"p"), Pong(b"p"), Close(1000, ""), Close(3001, "bye")]),
    st.sampled_from([Failure(1002, "protocol"), Failure(1009, "large")]),
)
_messages: st.SearchStrategy[Any] = st.one_of(
    st.just(ACCEPT),
    st.just({**ACCEPT, "subprotocol": "bad"}),
    st.sampled_from([text("out"), text(None), {"type": "websocket.send", "bytes": b"out"}]),
    st.sampled_from([CLOSE, {**CLOSE, "code": 4001, "reason": "r"}, {**CLOSE, "code": 1006}]),
    st.sampled_from([START, {**START, "status": "401"}, body(b"x"), body(b"x", True)]),
    st.sampled_from([body(b"break"), {"type": "unknown"}, {}, "no message"]),
)


class LoggedAnswers(RecordingAnswers):
    """Answers that write down what they are asked for, in order."""

    def __init__(self, log: list[Any]) -> None:
        super().__init__()
        self._log = log

    def switch(self, subprotocol: object, headers: Any) -> bytes:
        """Write an acceptance."""
        written = super().switch(subprotocol, headers)
        self._log.append("101")
        return written

    def refuse(self, status: int) -> bytes:
        """Write an answer of the server's own."""
        self._log.append("refusal")
        return super().refuse(status)


class LoggedCodec(RecordingCodec):
    """A codec that writes down what it is asked for, in order."""

    def __init__(self, log: list[Any]) -> None:
        self._log = log

    def text(self, message: str) -> list[Buffer]:
        """Write a text message."""
        self._log.append("message")
        return super().text(message)

    def binary(self, message: Buffer) -> list[Buffer]:
        """Write a binary message."""
        self._log.append("message")
        return super().binary(message)

    def ping(self, payload: bytes) -> list[Buffer]:
        """Write a ping."""
        self._log.append("ping")
        return super().ping(payload)

    def pong(self, payload: bytes) -> list[Buffer]:
        """Write a pong."""
        self._log.append("pong")
        return super().pong(payload)

    def close(self, code: int, reason: str) -> list[Buffer]:
        """Write a close frame."""
        self._log.append("close")
        return super().close(code, reason)


class WebSocketSessionMachine(RuleBasedStateMachine):
    """A driver, a client and an application that do whatever each may do at any time."""

    @initialize(max_queue=st.sampled_from([1, 3]), awaits_pong=st.booleans())
    def begin(self, max_queue: int, awaits_pong: bool) -> None:
        tables = []
        for module in TWINS.values():
            log: list[Any] = []
            answers, codec = LoggedAnswers(log), LoggedCodec(log)
            session = module.WebSocketSession(answers, codec, max_queue, awaits_pong)
            tables.append((session, log))
        self.table = Both(tables)
        self.max_queue = max_queue
        self.sent: list[str | bytes] = []  # by the client
        self.read: list[str | bytes] = []  # by the application
        self.connected = False
        self.end: Message | None = None
        self.app_over = False
        self.client_over = False  # its close frame, failure or FIN has been seen
        self.state = CONNECTING

    def wants_event(self) -> bool:
        """Tell whether the codec is to decode further."""
        wants: bool = self.table.do(lambda table: table.wants_event())
        return wants

    # The client.

    @precondition(lambda self: self.wants_event() and not self.client_over)
    @rule(event=_events)
    def decode(self, event: Event) -> None:
        if isinstance(event, (str, bytes)) and self.table.state == OPEN:
            self.sent.append(event)
        self.client_over = isinstance(event, (Close, Failure))
        self.table.do(lambda table: table.take(event))

    @precondition(lambda self: not self.wants_event() or self.client_over)
    @rule()
    def nothing_is_decoded(self) -> None:
        assert self.table.state in (CONNECTING, DENYING, OPEN, CLOSED) or self.client_over

    @rule()
    def client_leaves(self) -> None:
        self.client_over = True
        self.table.do(lambda table: table.end_of_input())

    @rule()
    def client_is_there(self) -> None:
        self.table.do(lambda table: table.data_received())

    @rule()
    def connection_is_lost(self) -> None:
        self.client_over = True
        self.table.do(lambda table: table.lost())
        assert self.table.state == CLOSED

    # Time and the server.

    @precondition(lambda self: self.table.timer != NO_TIMER)
    @rule()
    def timer_runs_out(self) -> None:
        self.table.do(lambda table: table.timer_expired())

    @rule()
    def sweep(self) -> None:
        self.table.do(lambda table: table.flush_start())

    @rule()
    def server_stops(self) -> None:
        self.table.do(lambda table: table.server_stops())

    # The application.

    @precondition(lambda self: not self.app_over)
    @rule()
    def receive(self) -> None:
        event = self.table.do(lambda table: table.next_event())
        if event is None:
            self.table.do(lambda table: table.app_waits())
            if self.table.state != CLOSED:
                return
            event = self.table.do(lambda table: table.next_event())
            assert event is not None
        self._received(event)

    def _received(self, event: Message) -> None:
        if not self.connected:
            assert event == {"type": "websocket.connect"}
            self.connected = True
            return
        if self.end is not None:
            assert event == self.end
        elif event["type"] == DISCONNECT:
            self.end = event
        else:
            data = event["text"] if "text" in event else event["bytes"]
            self.read.append(data)
            assert self.read == self.sent[: len(self.read)]

    @precondition(lambda self: not self.app_over)
    @rule(message=_messages)
    def send(self, message: Message) -> None:
        before, written = self.table.state, len(self.table.log)
        outcome = self.table.do(lambda table: table.send(message))
        if isinstance(outcome, str):
            assert len(self.table.log) == written
            assert self.table.state in (before, CLOSED)
        if before == CLOSED:
            assert isinstance(outcome, str)

    @precondition(lambda self: not self.app_over)
    @rule(raised=st.booleans())
    def app_ends(self, raised: bool) -> None:
        self.app_over = True
        self.table.do(lambda table: table.app_ended(raised))
        assert self.table.state in (CLOSING, CLOSED)

    # What always holds.

    @invariant()
    def state_never_goes_back(self) -> None:
        assert self.state <= self.table.state
        self.state = self.table.state

    @invariant()
    def handshake_has_one_answer(self) -> None:
        answers = [entry for entry in self.table.log if entry in ("101", "refusal")]
        assert len(answers) <= 1
        assert answers == self.table.log[: len(answers)]
        if self.table.state in (OPEN, CLOSING):
            assert answers == ["101"]
        if answers == ["refusal"]:
            assert self.table.log == answers

    @invariant()
    def close_frame_is_the_last(self) -> None:
        if "close" in self.table.log:
            assert self.table.log.index("close") == len(self.table.log) - 1
            assert self.table.state in (CLOSING, CLOSED)

    @invariant()
    def what_waits_is_bounded(self) -> None:
        assert len(self.sent) - len(self.read) <= self.max_queue or self.table.state != OPEN

    @invariant()
    def timer_is_that_of_the_state(self) -> None:
        timers = {
            CONNECTING: {6},
            DENYING: {NO_TIMER},
            OPEN: {7, 8, 10},
            CLOSING: {9},
            CLOSED: {NO_TIMER},
        }
        assert self.table.timer in timers[self.table.state]


WebSocketSessionMachine.TestCase.settings = SETTINGS
TestWebSocketSession = WebSocketSessionMachine.TestCase
