"""The request's half of the ASGI HTTP state table, and the client that leaves."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esg.errors import ClientDisconnected
from tests.rules.exchanges import OK, body, make, send
from tests.rules.twins import rule

http_exchange = rule("http_exchange")

DISCONNECT = {"type": "http.disconnect"}


def request(data: bytes = b"", more: bool = False) -> dict[str, Any]:
    """Write the message that receive() gives."""
    return {"type": "http.request", "body": data, "more_body": more}


def test_no_content_is_one_event(http_exchange: ModuleType) -> None:
    exchange, _ = make(http_exchange)
    assert exchange.next_event() == request()
    assert exchange.next_event() is None, "it waits for the client to leave"


@pytest.mark.parametrize("length", [5, -1])
def test_content_is_given_as_it_comes(http_exchange: ModuleType, length: int) -> None:
    exchange, _ = make(http_exchange, content_length=length)
    assert exchange.next_event() is None
    exchange.body_received(b"ab")
    assert exchange.buffered == 2
    assert exchange.next_event() == request(b"ab", more=True)
    assert exchange.buffered == 0
    assert exchange.next_event() is None
    exchange.body_received(b"c")
    exchange.body_received(b"de")
    assert exchange.buffered == 3
    assert exchange.next_event() == request(b"cde", more=True)
    exchange.body_complete()
    assert exchange.next_event() == request()
    assert exchange.next_event() is None
    assert exchange.received == 5


def test_last_content_says_so(http_exchange: ModuleType) -> None:
    exchange, _ = make(http_exchange, content_length=5)
    exchange.body_received(b"abcde")
    exchange.body_complete()
    assert exchange.next_event() == request(b"abcde")
    assert exchange.next_event() is None


@given(
    pieces=st.lists(st.binary(min_size=1, max_size=9), max_size=8),
    reads=st.lists(st.booleans(), min_size=9, max_size=9),
)
def test_content_arrives_whole_and_once(
    http_exchange: ModuleType, pieces: list[bytes], reads: list[bool]
) -> None:
    exchange, _ = make(http_exchange, content_length=-1)
    events = []
    for piece, read in zip(pieces, reads, strict=False):
        exchange.body_received(piece)
        if read:
            events.append(exchange.next_event())
    exchange.body_complete()
    while (event := exchange.next_event()) is not None:
        events.append(event)
    assert b"".join(event["body"] for event in events) == b"".join(pieces)
    assert [event["more_body"] for event in events] == [True] * (len(events) - 1) + [False]


def test_events_are_the_applications_own(http_exchange: ModuleType) -> None:
    exchange, _ = make(http_exchange)
    exchange.leave()
    exchange.next_event()
    first = exchange.next_event()
    first["type"] = "changed"
    assert exchange.next_event() == DISCONNECT


def test_complete_response_disconnects_at_once_and_always(http_exchange: ModuleType) -> None:
    """ASGI Disconnect: also "if it is called after a response has been sent"."""
    exchange, _ = make(http_exchange, content_length=5)
    exchange.body_received(b"ab")
    send(exchange, OK, body(b"x"))
    assert [exchange.next_event() for _ in range(3)] == [DISCONNECT] * 3


def test_content_that_nobody_will_ask_for_is_dropped(http_exchange: ModuleType) -> None:
    """Else a drained upload would be held in memory."""
    exchange, _ = make(http_exchange, content_length=-1)
    send(exchange, OK, body(b"x"))
    exchange.body_received(b"ab")
    assert (exchange.buffered, exchange.received) == (0, 2)


@pytest.mark.parametrize("end", ["disconnect", "abort"])
def test_content_is_dropped_after_the_end(http_exchange: ModuleType, end: str) -> None:
    exchange, _ = make(http_exchange, content_length=-1)
    exchange.body_received(b"ab")
    getattr(exchange, end)()
    assert exchange.buffered == 0
    exchange.body_received(b"cd")
    assert exchange.buffered == 0
    assert exchange.next_event() == DISCONNECT


# --- The client leaves ----------------------------------------------------------------------


def test_half_close_after_the_request_ends_only_receiving(http_exchange: ModuleType) -> None:
    """RFC 9112 section 9.6: the response is still delivered."""
    exchange, _ = make(http_exchange)
    exchange.leave()
    assert exchange.client_left
    assert exchange.next_event() == request(), "the request comes first"
    assert [exchange.next_event() for _ in range(2)] == [DISCONNECT] * 2
    assert send(exchange, OK, body(b"a")) == b"<200>a|"


def test_half_close_keeps_content_that_has_come(http_exchange: ModuleType) -> None:
    exchange, _ = make(http_exchange, content_length=2)
    exchange.body_received(b"ab")
    exchange.body_complete()
    exchange.leave()
    assert exchange.next_event() == request(b"ab")
    assert exchange.next_event() == DISCONNECT


@pytest.mark.parametrize("length", [5, -1])
def test_half_close_within_the_request_ends_it(http_exchange: ModuleType, length: int) -> None:
    """ASGI Disconnect; never a short body that passes for a whole one."""
    exchange, _ = make(http_exchange, content_length=length)
    exchange.body_received(b"ab")
    exchange.leave()
    assert exchange.disconnected
    assert [exchange.next_event() for _ in range(2)] == [DISCONNECT] * 2
    with pytest.raises(ClientDisconnected):
        exchange.send(OK)


@pytest.mark.parametrize("messages", [[], [OK], [OK, body(b"a", more=True)]])
def test_disconnect_ends_sending(http_exchange: ModuleType, messages: list[Any]) -> None:
    """ASGI 2.4, "Disconnected Client - send exception"; whatever the message is."""
    exchange, _ = make(http_exchange)
    send(exchange, *messages)
    exchange.disconnect()
    assert exchange.client_left
    for message in (OK, body(b"a"), {"type": "x"}, {}):
        with pytest.raises(ClientDisconnected):
            exchange.send(message)
    assert exchange.next_event() == DISCONNECT


# --- Expect: 100-continue, RFC 9110 section 10.1.1 ---------------------------------------------


def test_continue_is_due_once(http_exchange: ModuleType) -> None:
    exchange, _ = make(http_exchange, content_length=5, awaits_continue=True)
    assert exchange.take_continue()
    assert not exchange.take_continue()


def test_continue_is_due_after_a_held_start(http_exchange: ModuleType) -> None:
    exchange, _ = make(http_exchange, content_length=5, awaits_continue=True)
    send(exchange, OK)
    assert exchange.take_continue()


def test_continue_is_not_due_without_the_expectation(http_exchange: ModuleType) -> None:
    exchange, _ = make(http_exchange, content_length=5)
    assert not exchange.take_continue()


def test_continue_is_not_due_once_content_has_come(http_exchange: ModuleType) -> None:
    exchange, _ = make(http_exchange, content_length=5, awaits_continue=True)
    exchange.body_received(b"a")
    assert not exchange.take_continue()


def test_continue_never_follows_the_response(http_exchange: ModuleType) -> None:
    exchange, wire = make(http_exchange, content_length=5, awaits_continue=True)
    send(exchange, OK, body(b"a", more=True))
    assert not exchange.take_continue()
    assert not exchange.unread_is_drainable(), "the client was still told no 100"
    send(exchange, body(b"b"))
    assert not wire.keep_alive


# --- Content that nobody reads: RFC 9112 section 9.3 --------------------------------------------


@pytest.mark.parametrize(
    ("length", "received", "awaits_continue", "drainable"),
    [
        pytest.param(65536, 0, False, True, id="as much as is worth reading"),
        pytest.param(65537, 0, False, False, id="more"),
        pytest.param(65538, 2, False, True, id="the rest counts"),
        pytest.param(65539, 2, False, False, id="the rest is too much"),
        pytest.param(-1, 0, False, True, id="chunked: worth a try"),
        pytest.param(5, 0, True, False, id="RFC 9110 10.1.1: content that may never come"),
        pytest.param(-1, 0, True, False, id="RFC 9110 10.1.1: chunked content likewise"),
        pytest.param(5, 2, True, True, id="RFC 9110 10.1.1: it has begun to come"),
    ],
)
@pytest.mark.parametrize("streams", [False, True])
def test_unread_content_decides_persistence(
    http_exchange: ModuleType,
    *,
    length: int,
    received: int,
    awaits_continue: bool,
    drainable: bool,
    streams: bool,
) -> None:
    """The head says so while it can."""
    exchange, wire = make(http_exchange, content_length=length, awaits_continue=awaits_continue)
    if received:
        exchange.body_received(b"x" * received)
    assert exchange.unread_is_drainable() is drainable
    out = send(exchange, OK, *([body(b"a", more=True)] if streams else []), body(b"b"))
    assert wire.keep_alive is drainable
    assert out.startswith(b"<200>" if drainable or streams else b"<200 close>")


def test_content_read_to_its_end_is_no_matter(http_exchange: ModuleType) -> None:
    exchange, wire = make(http_exchange, content_length=1_000_000)
    exchange.body_complete()
    send(exchange, OK, body(b"x"))
    assert wire.keep_alive
