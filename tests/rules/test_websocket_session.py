"""The ASGI WebSocket state table, from the application's side and the client's."""

from __future__ import annotations

from array import array
from types import MappingProxyType, ModuleType
from typing import Any

import pytest

from esg.errors import ClientDisconnected, MessageError
from esg.websocket import Close, Failure, Ping, Pong
from tests.rules.sessions import (
    ACCEPT,
    CLOSE,
    CONNECT,
    START,
    body,
    disconnect,
    make,
    make_open,
    out,
    received,
    send,
    text,
)
from tests.rules.twins import rule

websocket_session = rule("websocket_session")
deadlines = rule("deadlines")

SEND = "websocket.send"


def test_timers_are_those_of_deadlines(
    websocket_session: ModuleType, deadlines: ModuleType
) -> None:
    for name in ("ACCEPT", "PING", "PONG", "CLOSE", "ANSWER"):
        assert getattr(websocket_session, name) == getattr(deadlines, name)
    assert websocket_session.NO_TIMER == deadlines.NONE


def test_connect_comes_first_and_once(websocket_session: ModuleType) -> None:
    session = make(websocket_session)
    assert session.next_event() == CONNECT
    assert session.next_event() is None
    session = make(websocket_session)
    session.lost()
    assert received(session) == [CONNECT, disconnect(1006)]


def test_accept(websocket_session: ModuleType) -> None:
    session = make(websocket_session)
    assert (session.state, session.status) == (websocket_session.CONNECTING, 0)
    assert session.timer == websocket_session.ACCEPT
    assert send(session, ACCEPT) == b"<101 None []>"
    assert (session.state, session.status) == (websocket_session.OPEN, 101)
    assert session.timer == websocket_session.PING


def test_accept_with_everything(websocket_session: ModuleType) -> None:
    headers = (pair for pair in ([b"a", b"b"], (b"c", b"d")))
    message = {**ACCEPT, "subprotocol": "s", "headers": headers}
    assert send(make(websocket_session), message) == b"<101 s [(b'a', b'b'), (b'c', b'd')]>"


REFUSED = [
    pytest.param({}, MessageError, id="no type"),
    pytest.param({"type": None}, MessageError, id="a type of None"),
    pytest.param({"type": []}, MessageError, id="a type that has no hash"),
    pytest.param({"type": "websocket.receive"}, MessageError, id="of the other direction"),
    pytest.param({"type": "http.response.start"}, MessageError, id="of another protocol"),
    pytest.param({"type": "websocket.http.response.end"}, MessageError, id="unknown"),
    pytest.param(None, TypeError, id="None"),
    pytest.param([("type", SEND)], TypeError, id="no mapping"),
    pytest.param({**CLOSE, "code": 1005}, MessageError, id="RFC 6455 7.4.1: close 1005"),
    pytest.param({**CLOSE, "code": 1006}, MessageError, id="RFC 6455 7.4.1: close 1006"),
    pytest.param({**CLOSE, "code": 999}, MessageError, id="RFC 6455 7.4.2: close 999"),
    pytest.param({**CLOSE, "code": 1016}, MessageError, id="RFC 6455 7.4.2: close 1016"),
    pytest.param({**CLOSE, "code": 5000}, MessageError, id="RFC 6455 7.4.2: close 5000"),
    pytest.param({**CLOSE, "code": "1000"}, TypeError, id="a code of str"),
    pytest.param({**CLOSE, "reason": b"r"}, TypeError, id="a reason of bytes"),
    pytest.param({**CLOSE, "reason": "é" * 62}, MessageError, id="a reason of 124 bytes"),
    pytest.param({**CLOSE, "reason": "\ud800"}, MessageError, id="a reason with a surrogate"),
]
REFUSED_CONNECTING = [
    *REFUSED,
    pytest.param(text("a"), MessageError, id="send before accept"),
    pytest.param(body(b"a"), MessageError, id="content before its start"),
    pytest.param({**ACCEPT, "subprotocol": "bad"}, MessageError, id="refused by the answers"),
    pytest.param({**ACCEPT, "headers": None}, TypeError, id="headers of None"),
    pytest.param({**ACCEPT, "headers": [(b"a",)]}, ValueError, id="headers that are no pairs"),
    pytest.param({**START, "status": "401"}, MessageError, id="refused by the response's table"),
]
REFUSED_OPEN = [
    *REFUSED,
    pytest.param(ACCEPT, MessageError, id="a second accept"),
    pytest.param(START, MessageError, id="a denial after accept"),
    pytest.param(body(b"a"), MessageError, id="its content"),
    pytest.param({"type": SEND}, MessageError, id="neither payload"),
    pytest.param({"type": SEND, "text": None, "bytes": None}, MessageError, id="None and None"),
    pytest.param({"type": SEND, "text": "", "bytes": b""}, MessageError, id="both, empty"),
    pytest.param(text(b"a"), TypeError, id="text of bytes"),
    pytest.param(text("\ud800"), MessageError, id="text with a surrogate"),
    pytest.param({"type": SEND, "bytes": "a"}, TypeError, id="bytes of str"),
    pytest.param({"type": SEND, "bytes": [1]}, TypeError, id="bytes of a list"),
]


@pytest.mark.parametrize(("message", "error"), REFUSED_CONNECTING)
def test_refused_while_connecting(
    websocket_session: ModuleType, message: Any, error: type[Exception]
) -> None:
    """It raises, and the handshake is still possible."""
    session = make(websocket_session)
    with pytest.raises(error):
        session.send(message)
    assert (session.state, session.status) == (websocket_session.CONNECTING, 0)
    assert send(session, ACCEPT) == b"<101 None []>"


@pytest.mark.parametrize(("message", "error"), REFUSED_OPEN)
def test_refused_while_open(
    websocket_session: ModuleType, message: Any, error: type[Exception]
) -> None:
    session = make_open(websocket_session)
    with pytest.raises(error):
        session.send(message)
    assert session.state == websocket_session.OPEN
    assert send(session, text("a")) == b"t:a"


@pytest.mark.parametrize(
    ("message", "sent"),
    [
        pytest.param(text("é"), b"t:\xc3\xa9", id="text"),
        pytest.param(text(""), b"t:", id="empty text"),
        pytest.param({"type": SEND, "bytes": b"a"}, b"b:a", id="bytes"),
        pytest.param({"type": SEND, "bytes": b""}, b"b:", id="empty bytes"),
        pytest.param({"type": SEND, "bytes": bytearray(b"a"), "text": None}, b"b:a", id="array"),
        pytest.param({"type": SEND, "bytes": memoryview(b"abcd")[::2]}, b"b:ac", id="gaps"),
        pytest.param(
            {"type": SEND, "bytes": memoryview(array("H", [0x6161]))}, b"b:aa", id="words"
        ),
        pytest.param(MappingProxyType(dict(text("a"))), b"t:a", id="another mapping"),
    ],
)
def test_send(websocket_session: ModuleType, message: Any, sent: bytes) -> None:
    assert send(make_open(websocket_session), message) == sent


# Messages of the client.


def test_messages_are_received_in_order(websocket_session: ModuleType) -> None:
    session = make_open(websocket_session)
    for event in ("a", b"b", ""):
        assert session.take(event) == []
    assert received(session) == [
        {"type": "websocket.receive", "text": "a"},
        {"type": "websocket.receive", "bytes": b"b"},
        {"type": "websocket.receive", "text": ""},
    ]


def test_queue_is_bounded_by_messages(websocket_session: ModuleType) -> None:
    session = make(websocket_session)
    assert not session.wants_event()
    session.send(ACCEPT)
    session.next_event()
    for _ in range(3):
        assert session.wants_event()
        session.take("a")
    assert not session.wants_event()
    session.next_event()
    assert session.wants_event()


def test_queue_is_bounded_by_bytes(websocket_session: ModuleType) -> None:
    session = make_open(websocket_session)
    session.take(bytes(websocket_session.QUEUED_BYTES - 1))
    assert session.wants_event()
    session.take(b"a")
    assert not session.wants_event()
    session.next_event()
    assert session.wants_event()


def test_ping_is_answered(websocket_session: ModuleType) -> None:
    session = make_open(websocket_session)
    assert out(session.take(Ping(b"x"))) == b"pongx"
    assert out(session.take(Pong(b"x"))) == b""
    session.send(CLOSE)
    assert out(session.take(Ping(b"x"))) == b""


# The ends.


def test_client_closes(websocket_session: ModuleType) -> None:
    session = make_open(websocket_session)
    assert out(session.take(Close(3001, "byÿ"))) == b"close 3001 "
    assert (session.state, session.timer) == (websocket_session.CLOSED, websocket_session.NO_TIMER)
    assert not session.wants_event()
    for message in (text("a"), CLOSE, ACCEPT, START):
        with pytest.raises(ClientDisconnected) as error:
            session.send(message)
        assert error.value.exchange is session
    assert session.next_event() == disconnect(3001, "byÿ")
    assert session.next_event() == disconnect(3001, "byÿ")
    assert out(session.app_ended(raised=False)) == b""


def test_client_closes_without_a_code(websocket_session: ModuleType) -> None:
    session = make_open(websocket_session)
    assert out(session.take(Close(1005, ""))) == b"close 1005 "
    assert session.next_event() == disconnect(1005)


def test_client_fails(websocket_session: ModuleType) -> None:
    session = make_open(websocket_session)
    assert out(session.take(Failure(1007, "no UTF-8"))) == b"close 1007 no UTF-8"
    assert session.state == websocket_session.CLOSED
    assert session.next_event() == disconnect(1007, "no UTF-8")


ENDS = [
    pytest.param(Close(3001, "bye"), b"close 3001 ", disconnect(3001, "bye"), id="close"),
    pytest.param(Failure(1002, "no"), b"close 1002 no", disconnect(1002, "no"), id="failure"),
]


def with_end(websocket_session: ModuleType, end: Close | Failure) -> Any:
    """Make a session whose client has sent a message and then the end of it."""
    session = make_open(websocket_session)
    session.take("last")
    assert session.take(end) == []
    assert (session.state, session.timer) == (websocket_session.OPEN, websocket_session.ANSWER)
    assert not session.wants_event()
    return session


@pytest.mark.parametrize(("end", "sent", "event"), ENDS)
def test_answers_go_out_before_the_end(
    websocket_session: ModuleType, end: Close | Failure, sent: bytes, event: Any
) -> None:
    session = with_end(websocket_session, end)
    assert session.next_event() == {"type": "websocket.receive", "text": "last"}
    assert send(session, text("answer")) == b"t:answer"
    assert session.next_event() is None
    assert out(session.app_waits()) == sent
    assert session.state == websocket_session.CLOSED
    assert session.next_event() == event
    with pytest.raises(ClientDisconnected):
        session.send(text("more"))


@pytest.mark.parametrize(("end", "sent", "event"), ENDS)
def test_the_end_does_not_wait_for_answers_for_ever(
    websocket_session: ModuleType, end: Close | Failure, sent: bytes, event: Any
) -> None:
    session = with_end(websocket_session, end)
    assert out(session.timer_expired()) == sent
    assert received(session)[1:] == [event]


@pytest.mark.parametrize(("end", "sent", "event"), ENDS)
def test_the_end_of_a_client_that_is_lost(
    websocket_session: ModuleType, end: Close | Failure, sent: bytes, event: Any
) -> None:
    session = with_end(websocket_session, end)
    session.lost()
    assert session.state == websocket_session.CLOSED
    assert received(session)[1:] == [event]


@pytest.mark.parametrize(("end", "sent", "event"), ENDS)
def test_other_ends_give_way_to_the_clients(
    websocket_session: ModuleType, end: Close | Failure, sent: bytes, event: Any
) -> None:
    session = with_end(websocket_session, end)
    assert send(session, {**CLOSE, "code": 4002}) == sent
    assert session.next_event() == event
    with pytest.raises(MessageError):
        session.send(text("more"))
    session = with_end(websocket_session, end)
    assert out(session.app_ended(raised=True)) == sent
    session = with_end(websocket_session, end)
    assert out(session.server_stops()) == sent


def test_answers_go_out_behind_a_fin(websocket_session: ModuleType) -> None:
    session = make_open(websocket_session)
    session.take("last")
    session.end_of_input()
    assert (session.state, session.timer) == (websocket_session.OPEN, websocket_session.ANSWER)
    assert not session.wants_event()
    assert session.next_event() == {"type": "websocket.receive", "text": "last"}
    assert send(session, text("answer")) == b"t:answer"
    assert session.next_event() is None
    assert session.app_waits() == []
    assert session.state == websocket_session.CLOSED
    assert session.next_event() == disconnect(1006)


def test_fin_alone(websocket_session: ModuleType) -> None:
    for session in (make(websocket_session), make_open(websocket_session)):
        session.end_of_input()
        assert session.state == websocket_session.CLOSED
        assert received(session)[-1] == disconnect(1006)
    session = make_open(websocket_session)
    session.send(CLOSE)
    session.end_of_input()
    assert session.next_event() == disconnect(1006)


def test_fin_behind_another_end(websocket_session: ModuleType) -> None:
    session = with_end(websocket_session, Close(3001, "bye"))
    session.end_of_input()
    assert out(session.timer_expired()) == b"close 3001 "


def test_fin_within_a_denial(websocket_session: ModuleType) -> None:
    session = make(websocket_session)
    session.send(START)
    session.end_of_input()
    assert send(session, body(b"no")) == b"<401>no"


def test_the_end_waits_only_for_an_answer_that_is_owed(websocket_session: ModuleType) -> None:
    session = make_open(websocket_session)
    session.take("first")
    session.next_event()
    assert session.next_event() is None
    assert session.app_waits() == []
    assert out(session.take(Close(1000, ""))) == b"close 1000 "


def test_client_is_lost(websocket_session: ModuleType) -> None:
    session = make_open(websocket_session)
    session.take(b"last")
    session.lost()
    session.lost()
    assert session.state == websocket_session.CLOSED
    assert received(session)[1:] == [disconnect(1006)]
    with pytest.raises(ClientDisconnected):
        session.send(text("a"))


@pytest.mark.parametrize(
    ("details", "sent"),
    [
        ({}, b"close 1000 "),
        ({"code": None, "reason": None}, b"close 1000 "),
        ({"code": 4002, "reason": "r\u00e9ason"}, b"close 4002 r\xc3\xa9ason"),
        ({"code": 1001, "reason": "é" * 61 + "e"}, b"close 1001 " + b"\xc3\xa9" * 61 + b"e"),
    ],
)
def test_application_closes(
    websocket_session: ModuleType, details: dict[str, Any], sent: bytes
) -> None:
    session = make_open(websocket_session)
    session.take("never read")
    assert send(session, {**CLOSE, **details}) == sent
    assert (session.state, session.timer) == (websocket_session.CLOSING, websocket_session.CLOSE)
    assert session.next_event() is None
    assert session.wants_event()
    session.take("too late")
    assert session.next_event() is None
    for message in (text("a"), CLOSE, ACCEPT):
        with pytest.raises(MessageError):
            session.send(message)
    assert out(session.take(Close(4002, "echo"))) == b""
    assert session.state == websocket_session.CLOSED
    assert session.next_event() == disconnect(4002, "echo")


def test_application_closes_and_the_client_does_not(websocket_session: ModuleType) -> None:
    session = make_open(websocket_session)
    session.send(CLOSE)
    assert session.timer_expired() == []
    assert (session.state, session.timer) == (websocket_session.CLOSED, websocket_session.NO_TIMER)
    assert session.next_event() == disconnect(1006)


def test_application_closes_and_the_client_fails(websocket_session: ModuleType) -> None:
    session = make_open(websocket_session)
    session.send(CLOSE)
    assert out(session.take(Failure(1002, "no"))) == b""
    assert session.next_event() == disconnect(1002, "no")


@pytest.mark.parametrize(("raised", "code"), [(False, 1000), (True, 1011)])
def test_application_ends_while_open(
    websocket_session: ModuleType, raised: bool, code: int
) -> None:
    session = make_open(websocket_session)
    assert out(session.app_ended(raised)) == b"close %d " % code
    assert session.state == websocket_session.CLOSING
    assert out(session.app_ended(raised)) == b""
    with pytest.raises(MessageError):
        session.send(text("a"))
    session.take(Close(code, ""))
    assert session.state == websocket_session.CLOSED


def test_server_stops(websocket_session: ModuleType) -> None:
    session = make_open(websocket_session)
    session.take("last")
    assert out(session.server_stops()) == b"close 1012 "
    assert (session.state, session.timer) == (websocket_session.CLOSING, websocket_session.CLOSE)
    assert out(session.server_stops()) == b""
    assert received(session)[1:] == [disconnect(1012)]
    with pytest.raises(ClientDisconnected):
        session.send(text("a"))
    session.take(Close(1012, ""))
    assert session.state == websocket_session.CLOSED
    assert session.next_event() == disconnect(1012)


# The handshake that comes to nothing.


@pytest.mark.parametrize("details", [{}, {"code": 1008, "reason": "no"}])
def test_application_refuses(websocket_session: ModuleType, details: dict[str, Any]) -> None:
    session = make(websocket_session)
    session.next_event()
    assert send(session, {**CLOSE, **details}) == b"<403>"
    assert (session.state, session.status) == (websocket_session.CLOSED, 403)
    assert session.next_event() == disconnect(1006)
    for message in (ACCEPT, CLOSE, START):
        with pytest.raises(MessageError):
            session.send(message)


@pytest.mark.parametrize("raised", [False, True])
def test_application_ends_without_an_answer(websocket_session: ModuleType, raised: bool) -> None:
    session = make(websocket_session)
    assert out(session.app_ended(raised)) == b"<500>"
    assert (session.state, session.status) == (websocket_session.CLOSED, 500)


def test_application_takes_too_long(websocket_session: ModuleType) -> None:
    session = make(websocket_session)
    assert out(session.timer_expired()) == b"<503>"
    assert (session.state, session.status) == (websocket_session.CLOSED, 503)
    assert received(session) == [CONNECT, disconnect(1006)]
    with pytest.raises(ClientDisconnected):
        session.send(ACCEPT)


def test_server_stops_before_an_answer(websocket_session: ModuleType) -> None:
    session = make(websocket_session)
    assert out(session.server_stops()) == b"<503>"
    with pytest.raises(ClientDisconnected):
        session.send(ACCEPT)


# Denial responses.


def test_denial(websocket_session: ModuleType) -> None:
    session = make(websocket_session)
    session.next_event()
    assert session.flush_start() == b""
    assert send(session, START) == b""
    assert (session.state, session.status) == (websocket_session.DENYING, 401)
    assert session.timer == websocket_session.NO_TIMER
    assert out(session.server_stops()) == b""
    for message in (ACCEPT, CLOSE, text("a"), {"type": "websocket.else"}):
        with pytest.raises(MessageError):
            session.send(message)
    assert send(session, body(b"one", more=True)) == b"<401>one"
    assert session.next_event() is None
    assert send(session, body(b"two")) == b"<401>two"
    assert session.state == websocket_session.CLOSED
    assert session.next_event() == disconnect(1006)
    with pytest.raises(MessageError):
        session.send(body(b"three"))
    assert out(session.app_ended(raised=False)) == b""


def test_denial_with_defaults(websocket_session: ModuleType) -> None:
    session = make(websocket_session)
    session.send(START)
    assert session.flush_start() == b"<401>"
    assert send(session, {"type": "websocket.http.response.body", "body": b"a"}) == b"<401>a"
    assert session.state == websocket_session.CLOSED
    assert session.flush_start() == b""


def test_denial_that_breaks_its_content(websocket_session: ModuleType) -> None:
    session = make(websocket_session)
    session.send(START)
    with pytest.raises(MessageError):
        session.send({**START, "status": None})
    assert session.state == websocket_session.DENYING
    with pytest.raises(MessageError):
        session.send(body(b"break"))
    assert session.state == websocket_session.CLOSED
    with pytest.raises(ClientDisconnected):
        session.send(body(b"more"))


def test_denial_is_lost(websocket_session: ModuleType) -> None:
    session = make(websocket_session)
    session.send(START)
    session.lost()
    assert received(session) == [CONNECT, disconnect(1006)]
    with pytest.raises(ClientDisconnected):
        session.send(body(b"more"))


def test_application_ends_within_its_denial(websocket_session: ModuleType) -> None:
    session = make(websocket_session)
    session.send(START)
    assert out(session.app_ended(raised=True)) == b"<500>"
    assert session.status == 500
    session = make(websocket_session)
    session.send(START)
    session.send(body(b"one", more=True))
    assert out(session.app_ended(raised=True)) == b""
    assert (session.state, session.status) == (websocket_session.CLOSED, 401)


# Is the client there?


def test_ping_and_its_answer(websocket_session: ModuleType) -> None:
    session = make_open(websocket_session)
    session.data_received()
    assert session.timer == websocket_session.PING
    assert out(session.timer_expired()) == b"ping"
    assert session.timer == websocket_session.PONG
    session.data_received()
    assert session.timer == websocket_session.PING


def test_ping_without_an_answer(websocket_session: ModuleType) -> None:
    session = make_open(websocket_session)
    session.timer_expired()
    assert out(session.timer_expired()) == b"close 1011 ping timeout"
    assert session.state == websocket_session.CLOSED
    assert session.next_event() == disconnect(1011, "ping timeout")


def test_ping_that_asks_for_no_answer(websocket_session: ModuleType) -> None:
    session = make_open(websocket_session, awaits_pong=False)
    for _ in range(2):
        assert out(session.timer_expired()) == b"ping"
        assert session.timer == websocket_session.PING


def test_a_client_that_is_not_read_cannot_answer(websocket_session: ModuleType) -> None:
    session = make_open(websocket_session, max_queue=1)
    session.timer_expired()
    session.take("not taken by the application")
    assert session.timer_expired() == []
    assert session.timer == websocket_session.PONG
    session.next_event()
    assert out(session.timer_expired()) == b"close 1011 ping timeout"
