"""The response's half of the ASGI HTTP state table."""

from __future__ import annotations

from array import array
from collections import OrderedDict
from types import MappingProxyType, ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esg.errors import ClientDisconnected, MessageError
from tests.rules.exchanges import BODY, FIVE, OK, body, make, send, swept_twice
from tests.rules.twins import rule

http_exchange = rule("http_exchange")

DISCONNECT = {"type": "http.disconnect"}


def test_start_is_held_until_the_first_body(http_exchange: ModuleType) -> None:
    exchange, _ = make(http_exchange)
    assert (exchange.state, exchange.status) == (http_exchange.AWAITING_START, 0)
    assert send(exchange, OK) == b""
    assert exchange.state == http_exchange.START_HELD
    assert send(exchange, body(b"a", more=True)) == b"<200>a"
    assert exchange.state == http_exchange.STREAMING
    assert send(exchange, body(b"b", more=True)) == b"b"
    assert send(exchange, body(b"c")) == b"c|"
    assert exchange.state == http_exchange.COMPLETE
    assert exchange.status == 200


@pytest.mark.parametrize(
    ("message", "out"),
    [
        pytest.param(body(b"abc"), b"<200>abc|", id="bytes"),
        pytest.param(body(bytearray(b"abc")), b"<200>abc|", id="bytearray"),
        pytest.param(body(memoryview(b"abc")), b"<200>abc|", id="memoryview"),
        pytest.param(body(memoryview(b"abcdef")[::2]), b"<200>ace|", id="with gaps"),
        pytest.param(body(memoryview(array("H", [0x6161, 0x6262]))), b"<200>aabb|", id="words"),
        pytest.param(body(memoryview(b"")), b"<200>|", id="an empty memoryview"),
        pytest.param({"type": BODY}, b"<200>|", id="ASGI: body defaults to nothing"),
        pytest.param({"type": BODY, "more_body": True}, b"<200>", id="an empty body flushes"),
        pytest.param({"type": BODY, "body": b"a", "x": 1}, b"<200>a|", id="ASGI: extra keys"),
        pytest.param(OrderedDict(body(b"a")), b"<200>a|", id="another dict"),
        pytest.param(MappingProxyType(dict(body(b"a"))), b"<200>a|", id="another mapping"),
    ],
)
def test_body(http_exchange: ModuleType, message: Any, out: bytes) -> None:
    exchange, _ = make(http_exchange)
    assert send(exchange, OK, message) == out


REFUSED = [
    pytest.param({}, MessageError, id="no type"),
    pytest.param({"type": None}, MessageError, id="a type of None"),
    pytest.param({"type": []}, MessageError, id="a type that has no hash"),
    pytest.param({"type": "http.response.Body"}, MessageError, id="an unknown type"),
    pytest.param({"type": "http.request"}, MessageError, id="a type of the other direction"),
    pytest.param({"type": "websocket.accept"}, MessageError, id="a type of another protocol"),
    pytest.param(None, TypeError, id="None"),
    pytest.param([("type", BODY)], TypeError, id="no mapping"),
    pytest.param("type", TypeError, id="str"),
]
REFUSED_STARTS = [
    *REFUSED,
    pytest.param(body(b"x"), MessageError, id="a body before the start"),
    pytest.param({"type": "http.response.start"}, MessageError, id="no status"),
    pytest.param({**OK, "status": "200"}, MessageError, id="refused by the plan"),
    pytest.param({**OK, "headers": [(b"bad", b"")]}, MessageError, id="its headers are refused"),
    pytest.param({**OK, "headers": None}, TypeError, id="headers of None"),
    pytest.param({**OK, "headers": [(b"a",)]}, ValueError, id="headers that are no pairs"),
]
REFUSED_BODIES = [
    *REFUSED,
    pytest.param(OK, MessageError, id="a second start"),
    pytest.param(body("text"), TypeError, id="a body of str"),
    pytest.param(body(None), TypeError, id="a body of None"),
    pytest.param(body([b"a"]), TypeError, id="a body of a list"),
    pytest.param(body(7), TypeError, id="a body of an int"),
]


@pytest.mark.parametrize(("message", "error"), REFUSED_STARTS)
def test_refused_message_changes_nothing_before_a_start(
    http_exchange: ModuleType, message: Any, error: type[Exception]
) -> None:
    """ASGI, "Error Handling": a good start may follow."""
    exchange, _ = make(http_exchange)
    with pytest.raises(error):
        exchange.send(message)
    assert exchange.state == http_exchange.AWAITING_START
    assert send(exchange, OK, body(b"a")) == b"<200>a|"


@pytest.mark.parametrize(("message", "error"), REFUSED_BODIES)
@pytest.mark.parametrize("streams", [False, True])
def test_refused_message_changes_nothing_after_a_start(
    http_exchange: ModuleType, message: Any, error: type[Exception], streams: bool
) -> None:
    exchange, _ = make(http_exchange)
    out = send(exchange, OK, *([body(b"a", more=True)] if streams else []))
    state = exchange.state
    with pytest.raises(error):
        exchange.send(message)
    assert exchange.state == state
    assert out + send(exchange, body(b"b")) == (b"<200>ab|" if streams else b"<200>b|")


def test_headers_are_optional(http_exchange: ModuleType) -> None:
    exchange, _ = make(http_exchange)
    assert send(exchange, {"type": "http.response.start", "status": 404}, body()) == b"<404>|"


def test_messages_after_the_end_are_counted_and_ignored(http_exchange: ModuleType) -> None:
    exchange, wire = make(http_exchange)
    send(exchange, OK, body(b"a"))
    assert exchange.late_messages == 0
    for message in (body(b"b"), OK, {"type": "x"}, {}, None):
        assert exchange.send(message) == []
    assert exchange.late_messages == 5
    assert exchange.state == http_exchange.COMPLETE
    assert wire.keep_alive
    exchange.disconnect()
    assert exchange.send(body(b"c")) == []


# --- Content-Length: RFC 9110 section 8.6 ----------------------------------------------------

WRONG_AT_ONCE = [
    pytest.param(body(b"123456"), id="too long"),
    pytest.param(body(b"123456", more=True), id="too long, with more to come"),
    pytest.param(body(b"1234"), id="too short"),
    pytest.param(body(), id="empty"),
]


@pytest.mark.parametrize("wrong", WRONG_AT_ONCE)
def test_wrong_first_body_may_be_put_right(http_exchange: ModuleType, wrong: Any) -> None:
    exchange, _ = make(http_exchange)
    send(exchange, FIVE)
    with pytest.raises(MessageError, match="content-length"):
        exchange.send(wrong)
    assert exchange.state == http_exchange.START_HELD
    assert exchange.needs_error_response()
    assert send(exchange, {**OK, "status": 500}, body(b"any length")) == b"<500>any length|"


@pytest.mark.parametrize("wrong", WRONG_AT_ONCE)
def test_wrong_first_body_may_be_followed_by_a_right_one(
    http_exchange: ModuleType, wrong: Any
) -> None:
    exchange, _ = make(http_exchange)
    send(exchange, FIVE)
    with pytest.raises(MessageError):
        exchange.send(wrong)
    assert send(exchange, body(b"12345")) == b"<200>12345|"


def test_start_is_not_replaced_once_it_is_on_the_wire(http_exchange: ModuleType) -> None:
    """A second head within the content would be response splitting."""
    exchange, _ = make(http_exchange)
    send(exchange, FIVE)
    with pytest.raises(MessageError):
        exchange.send(body(b"123456"))
    assert send(exchange, body(b"123", more=True)) == b"<200>123"
    with pytest.raises(MessageError, match="twice"):
        exchange.send(OK)
    assert send(exchange, body(b"45")) == b"45|"


def test_start_that_may_be_replaced_is_not_flushed(http_exchange: ModuleType) -> None:
    exchange, _ = make(http_exchange)
    send(exchange, FIVE)
    with pytest.raises(MessageError):
        exchange.send(body(b"123456"))
    assert exchange.flush_start() == b""
    send(exchange, OK)
    assert swept_twice(exchange) == b"<200>"
    with pytest.raises(MessageError, match="twice"):
        exchange.send(OK)


def test_refused_replacement_leaves_the_start_replaceable(http_exchange: ModuleType) -> None:
    exchange, _ = make(http_exchange)
    send(exchange, FIVE)
    with pytest.raises(MessageError):
        exchange.send(body(b"123456"))
    with pytest.raises(MessageError):
        exchange.send({**OK, "headers": [(b"bad", b"")]})
    assert send(exchange, OK, body(b"a")) == b"<200>a|"


@pytest.mark.parametrize(
    ("before", "wrong"),
    [
        pytest.param(body(b"123", more=True), body(b"456"), id="too long at the end"),
        pytest.param(body(b"12345", more=True), body(b"6", more=True), id="too long"),
        pytest.param(body(b"123", more=True), body(b"4"), id="too short at the end"),
        pytest.param(body(more=True), body(), id="nothing at all"),
        pytest.param(None, body(b"4"), id="too short after a flush"),
    ],
)
def test_wrong_length_on_the_wire_aborts(
    http_exchange: ModuleType, before: Any, wrong: Any
) -> None:
    exchange, _ = make(http_exchange)
    send(exchange, FIVE)
    if before is None:
        swept_twice(exchange)
    else:
        exchange.send(before)
    with pytest.raises(MessageError, match="content-length"):
        exchange.send(wrong)
    assert exchange.state == http_exchange.ABORTED
    assert exchange.next_event() == DISCONNECT
    assert not exchange.needs_error_response()
    with pytest.raises(ClientDisconnected):
        exchange.send(body(b"12345"))


@pytest.mark.parametrize("pieces", [[b"12345"], [b"", b"12345"], [b"12", b"", b"345"]])
def test_right_length_in_pieces(http_exchange: ModuleType, pieces: list[bytes]) -> None:
    exchange, _ = make(http_exchange)
    out = send(exchange, FIVE, *[body(piece, more=True) for piece in pieces], body())
    assert out == b"<200>12345|"


@pytest.mark.parametrize("data", [b"", b"1234", b"123456"])
def test_length_is_not_counted_where_there_is_no_content(
    http_exchange: ModuleType, data: bytes
) -> None:
    """RFC 9110 section 9.3.2: the length in an answer to HEAD is GET's."""
    exchange, _ = make(http_exchange, "HEAD")
    send(exchange, FIVE, body(data))
    assert exchange.state == http_exchange.COMPLETE


@pytest.mark.parametrize(("length", "fits"), [(2, False), (4, True)])
def test_length_is_counted_in_bytes(http_exchange: ModuleType, length: int, fits: bool) -> None:
    exchange, _ = make(http_exchange)
    send(exchange, {**OK, "headers": [(b"length", b"%d" % length)]})
    words = body(memoryview(array("H", [0x6161, 0x6262])))
    if fits:
        assert send(exchange, words) == b"<200>aabb|"
    else:
        with pytest.raises(MessageError):
            exchange.send(words)


# --- What else makes the response go on or end -----------------------------------------------


def test_held_start_is_flushed_once(http_exchange: ModuleType) -> None:
    exchange, _ = make(http_exchange)
    assert exchange.flush_start() == b""
    send(exchange, OK)
    assert exchange.flush_start() == b"", "it may have come just before the sweep"
    assert exchange.flush_start() == b"<200>"
    assert exchange.state == http_exchange.STREAMING
    assert exchange.flush_start() == b""
    assert send(exchange, body(b"a")) == b"a|"
    assert exchange.flush_start() == b""


def test_start_is_not_flushed_to_nobody(http_exchange: ModuleType) -> None:
    exchange, _ = make(http_exchange)
    send(exchange, OK)
    exchange.disconnect()
    assert swept_twice(exchange) == b""


def test_server_answers_where_nothing_is_on_the_wire(http_exchange: ModuleType) -> None:
    exchange, wire = make(http_exchange)
    assert exchange.needs_error_response()
    send(exchange, OK)
    assert exchange.needs_error_response()
    exchange.answered_by_server(500)
    assert exchange.status == 500
    assert not wire.keep_alive
    assert not exchange.needs_error_response()
    assert exchange.next_event() == DISCONNECT
    assert exchange.abort() is False
    with pytest.raises(ClientDisconnected):
        exchange.send(body(b"a"))


@pytest.mark.parametrize("messages", [[OK, body(more=True)], [OK, body()]])
def test_server_does_not_answer_twice(http_exchange: ModuleType, messages: list[Any]) -> None:
    exchange, _ = make(http_exchange)
    send(exchange, *messages)
    assert not exchange.needs_error_response()


def test_server_does_not_answer_nobody(http_exchange: ModuleType) -> None:
    exchange, _ = make(http_exchange)
    exchange.disconnect()
    assert not exchange.needs_error_response()


@pytest.mark.parametrize(
    ("messages", "news"),
    [
        pytest.param([], True, id="no start"),
        pytest.param([OK], True, id="a held start"),
        pytest.param([OK, body(b"a", more=True)], True, id="half a response"),
        pytest.param([OK, body(b"a")], False, id="a complete one"),
    ],
)
def test_abort(http_exchange: ModuleType, messages: list[Any], news: bool) -> None:
    exchange, _ = make(http_exchange)
    send(exchange, *messages)
    assert exchange.abort() is news
    assert exchange.abort() is False
    assert (exchange.state == http_exchange.ABORTED) is news
    assert exchange.next_event() == DISCONNECT


def test_error_names_its_exchange(http_exchange: ModuleType) -> None:
    """Else one exchange's error, raised in another, would pass for its own."""
    exchange, _ = make(http_exchange)
    exchange.disconnect()
    with pytest.raises(ClientDisconnected) as raised:
        exchange.send(OK)
    assert raised.value.exchange is exchange
    assert isinstance(raised.value, OSError)


# --- Any sequence ------------------------------------------------------------------------

messages = st.one_of(
    st.sampled_from([OK, FIVE, {"type": "x"}, {**OK, "headers": [(b"bad", b"")]}]),
    st.builds(body, st.sampled_from([b"", b"ab", b"cde", b"12345", "text"]), st.booleans()),
)
events = st.sampled_from(
    ["flush_start", "flush_start", "leave", "disconnect", "abort", "next_event"]
)


@given(steps=st.lists(messages | events, max_size=14), method=st.sampled_from(["GET", "HEAD"]))
def test_any_sequence_writes_at_most_one_response(
    http_exchange: ModuleType, steps: list[Any], method: str
) -> None:
    exchange, _ = make(http_exchange, method)
    out = b""
    for step in steps:
        over = exchange.state >= http_exchange.COMPLETE or exchange.disconnected
        before = exchange.state
        written = b""
        if isinstance(step, str):
            result = getattr(exchange, step)()
            written = result if step == "flush_start" else b""
        else:
            try:
                written = send(exchange, step)
            except (MessageError, TypeError, ClientDisconnected):
                written = b""
                assert exchange.state in (before, http_exchange.ABORTED)
        assert not (over and written), "something went out after the end"
        assert exchange.state >= before
        out += written
    assert out.count(b"<") <= 1
    assert out.count(b"|") == (exchange.state == http_exchange.COMPLETE)
    assert out == b"" or out.startswith(b"<")
    assert out.endswith(b"|") or b"|" not in out
