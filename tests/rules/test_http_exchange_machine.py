"""The HTTP state table under any order of events: what must hold in all of them."""

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

from esg.asgi import Message
from tests.rules.exchanges import BODY, RecordedPlan
from tests.rules.machines import SETTINGS, Both
from tests.rules.twins import find_twins

TWINS = find_twins("http_exchange")
START = "http.response.start"
TRAILERS = "http.response.trailers"
AWAITING_START, START_HELD, STREAMING, COMPLETE, ABORTED = range(5)

_lengths = st.sampled_from([b"0", b"1", b"3", b"5"])
_starts = st.fixed_dictionaries(
    {
        "type": st.just(START),
        "status": st.sampled_from([200, 404, "200"]),
        "headers": st.one_of(
            st.just([]),
            _lengths.map(lambda length: [(b"length", length)]),
            st.just([(b"bad", b"")]),
        ),
    },
    optional={"trailers": st.booleans()},
)
_bodies = st.fixed_dictionaries(
    {"type": st.just(BODY)},
    optional={
        "body": st.sampled_from([b"", b"a", b"bcd", memoryview(b"ef"), "text"]),
        "more_body": st.booleans(),
    },
)
_messages: st.SearchStrategy[Any] = st.one_of(
    _starts,
    _bodies,
    _bodies,
    st.fixed_dictionaries({"type": st.just(TRAILERS)}, optional={"more_trailers": st.booleans()}),
    st.just({"type": "http.response.early_hint", "links": [b"</a>"]}),
    st.sampled_from([{"type": "unknown"}, {}, "no message"]),
)


class LoggedWire:
    """A wire that writes down what it is asked for, in order."""

    def __init__(self, takes_trailers: bool, log: list[Any]) -> None:
        self.keep_alive = True
        self.log = log
        self._takes_trailers = takes_trailers
        self._plan: RecordedPlan | None = None

    @property
    def trailers_due(self) -> bool:
        """Tell whether trailers end the response."""
        return self._takes_trailers and self._plan is not None and self._plan.trailers

    def start(self, response: Any) -> None:
        """Take a response start."""
        self._plan = response

    def declare_length(self, length: int) -> None:
        """Have no files."""
        raise AssertionError

    def head(self) -> bytes:
        """Write the start."""
        assert self._plan is not None
        self.log.append(("head", self._plan.length if self._plan.has_content else -1))
        return b"head "

    def frame(self, data: Any, final: bool) -> list[Any]:
        """Write content."""
        self.log.append(("content", len(data), final))
        return [bytes(data), b"|" if final else b""]

    def trailers(self, fields: Any, final: bool) -> bytes:
        """Write trailers."""
        self.log.append(("trailers", final))
        return b"trailers "

    def early_hint(self, links: Any) -> bytes:
        """Write a hint."""
        self.log.append(("hint",))
        return b"hint "


class HttpExchangeMachine(RuleBasedStateMachine):
    """A driver and an application that do whatever each may do at any time."""

    @initialize(
        method=st.sampled_from(["GET", "HEAD", "POST"]),
        length=st.sampled_from([-1, 0, 4]),
        expects=st.booleans(),
        trailers=st.booleans(),
    )
    def begin(self, method: str, length: int, expects: bool, trailers: bool) -> None:
        tables = []
        for module in TWINS.values():
            wire = LoggedWire(trailers, [])
            exchange = module.HttpExchange(method, length, expects, RecordedPlan, wire)
            tables.append((exchange, wire.log))
        self.table = Both(tables)
        self.sent = b""  # content of the request, by the client
        self.read = b""  # and by the application
        self.read_end = False
        self.left = False
        self.state = AWAITING_START

    # The client.

    @precondition(lambda self: not self.table.request_complete)
    @rule(data=st.sampled_from([b"1", b"23", b"4567"]))
    def content_comes(self, data: bytes) -> None:
        self.sent += data
        self.table.do(lambda table: table.body_received(data))

    @precondition(lambda self: not self.table.request_complete)
    @rule()
    def request_ends(self) -> None:
        self.table.do(lambda table: table.body_complete())

    @rule()
    def client_leaves(self) -> None:
        self.table.do(lambda table: table.leave())

    @rule()
    def connection_is_lost(self) -> None:
        self.table.do(lambda table: table.disconnect())

    # The application.

    @rule()
    def receive(self) -> None:
        event = self.table.do(lambda table: table.next_event())
        if event is None:
            assert not self.left
        elif event["type"] == "http.disconnect":
            self.left = True
        else:
            assert not self.left
            assert not self.read_end
            self.read += event["body"]
            self.read_end = not event["more_body"]
            assert self.read == self.sent[: len(self.read)]
            assert self.read_end == self.table.request_complete

    @rule(message=_messages)
    def send(self, message: Message) -> None:
        before, gone = self.table.state, self.table.disconnected
        written = len(self.table.log)
        outcome = self.table.do(lambda table: table.send(message))
        if isinstance(outcome, str):
            assert self.table.state in (before, ABORTED)
            # A hint of a start that was refused is none.
            assert len(self.table.log) == written
        if before == COMPLETE:
            assert outcome == []
        elif gone or before == ABORTED:
            assert str(outcome).startswith("ClientDisconnected")

    @rule()
    def ask_for_continue(self) -> None:
        if self.table.do(lambda table: table.take_continue()):
            assert self.table.state < STREAMING
            assert not self.table.do(lambda table: table.take_continue())

    # The server.

    @rule()
    def sweep(self) -> None:
        before, gone = self.table.state, self.table.disconnected
        if self.table.do(lambda table: table.flush_start()):
            assert before == START_HELD
            assert not gone
            assert self.table.state == STREAMING

    @rule()
    def answer(self) -> None:
        if self.table.do(lambda table: table.needs_error_response()):
            assert not [entry for entry in self.table.log if entry[0] != "hint"]
            self.table.do(lambda table: table.answered_by_server(500))
            assert self.table.state == ABORTED

    @rule()
    def give_up(self) -> None:
        ends = self.table.state < COMPLETE
        assert self.table.do(lambda table: table.abort()) == ends

    # What always holds.

    @invariant()
    def state_never_goes_back(self) -> None:
        assert self.state <= self.table.state
        self.state = self.table.state

    @invariant()
    def response_is_one_response(self) -> None:
        """Hints, one head, content, one end; nothing behind it, nothing twice."""
        kinds = [entry[0] for entry in self.table.log]
        hints = kinds.count("hint")
        assert kinds[:hints] == ["hint"] * hints
        response = self.table.log[hints:]
        if not response:
            assert self.table.state in (AWAITING_START, START_HELD, ABORTED)
            return
        assert self.table.state >= STREAMING
        (kind, length), *rest = response
        assert kind == "head"
        assert "head" not in kinds[hints + 1 :]
        ends = [entry for entry in rest if entry[-1] is True]
        assert len(ends) == (self.table.state == COMPLETE)
        assert not ends or rest[-1] is ends[0]
        content = sum(entry[1] for entry in rest if entry[0] == "content")
        if length >= 0:
            assert content <= length
            assert content == length or not ends

    @invariant()
    def what_nobody_will_read_is_not_kept(self) -> None:
        if self.table.disconnected:
            assert self.table.buffered == 0
        assert 0 <= self.table.buffered <= len(self.sent)


HttpExchangeMachine.TestCase.settings = SETTINGS
TestHttpExchange = HttpExchangeMachine.TestCase
