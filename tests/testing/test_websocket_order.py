"""WebSocket messages that are out of order, and those that are not."""

from __future__ import annotations

import pytest

from esg.asgi import Message, Receive, Scope, Send
from esg.testing import validate
from tests.testing.calls import (
    RECEIVE,
    call,
    sending,
    violation,
    websocket_scope,
)

CONNECT = {"type": "websocket.connect"}
TEXT = {"type": "websocket.receive", "text": ""}
DATA = {"type": "websocket.receive", "bytes": b"", "text": None}
DISCONNECT = {"type": "websocket.disconnect", "code": 1005, "reason": None}
ACCEPT = {"type": "websocket.accept"}
SEND = {"type": "websocket.send", "text": ""}
CLOSE = {"type": "websocket.close"}
DENY = {"type": "websocket.http.response.start", "status": 404, "headers": []}
DENIAL = {"type": "websocket.http.response.body", "body": b"no"}
SCOPE = websocket_scope("websocket.http.response")

APPLICATION: dict[str, tuple[list[Message], str, str]] = {
    "accept first": ([ACCEPT], "websocket.accept before websocket.connect was received", "Accept"),
    "close first": ([CLOSE], "websocket.close before websocket.connect was received", "Close"),
    "nothing": ([], "returned before websocket.connect was received", "Connect"),
    "no answer": ([RECEIVE], "returned before websocket.accept", "Connect"),
    "send before accept": ([RECEIVE, SEND], "sent websocket.send before websocket.accept", "Send"),
    "accept twice": ([RECEIVE, ACCEPT, ACCEPT], "websocket.accept after websocket.acc", "Accept"),
    "deny after accept": (
        [RECEIVE, ACCEPT, DENY],
        "sent websocket.http.response.start after websocket.accept",
        "Websocket Denial Response",
    ),
    "send after close": (
        [RECEIVE, ACCEPT, CLOSE, SEND],
        "sent websocket.send after the application closed the connection",
        "Send",
    ),
    "close twice": ([RECEIVE, ACCEPT, CLOSE, CLOSE], "websocket.close after the appl", "Close"),
    "accept after close": ([RECEIVE, CLOSE, ACCEPT], "websocket.accept after the", "Accept"),
    "denial without start": (
        [RECEIVE, DENIAL],
        "sent websocket.http.response.body before websocket.accept",
        "Websocket Denial Response",
    ),
    "accept inside of a denial": ([RECEIVE, DENY, ACCEPT], "inside of the response", "Accept"),
    "half a denial": (
        [RECEIVE, DENY, {**DENIAL, "more_body": True}],
        "returned inside of the response that denies the handshake",
        "Connect",
    ),
    "a body after the denial": (
        [RECEIVE, DENY, DENIAL, DENIAL],
        "sent websocket.http.response.body after the application closed",
        "Websocket Denial Response",
    ),
    "an HTTP message": (
        [RECEIVE, {"type": "http.response.body"}],
        "sent http.response.body before websocket.accept",
        "Response Body",
    ),
}
VALUES: dict[str, tuple[Message, str, str]] = {
    "a subprotocol that nobody offered": (
        {**ACCEPT, "subprotocol": "other"},
        "accepted the subprotocol 'other', which the client did not offer",
        "RFC 6455 section 4.2.2",
    ),
    "no status": (
        {**CLOSE, "code": 1005},
        "sent websocket.close with the code 1005",
        "RFC 6455 section 7.4",
    ),
    "a long reason": (
        {**CLOSE, "reason": "é" * 62},
        "a reason of 124 bytes, 123 is the most",
        "RFC 6455 section 5.5",
    ),
}
LAWFUL: dict[str, tuple[list[Message], list[Message]]] = {
    "a session": (
        [CONNECT, TEXT, DATA, DISCONNECT],
        [RECEIVE, {**ACCEPT, "subprotocol": "chat", "headers": []}, RECEIVE, SEND, RECEIVE, CLOSE],
    ),
    "refused": ([CONNECT, DISCONNECT], [RECEIVE, CLOSE, RECEIVE]),
    "denied": ([CONNECT], [RECEIVE, DENY, {**DENIAL, "more_body": True}, DENIAL]),
    "left open": ([CONNECT], [RECEIVE, ACCEPT]),
    "the client leaves first": ([CONNECT, DISCONNECT], [RECEIVE, RECEIVE]),
    "what still came after close": ([CONNECT, TEXT], [RECEIVE, ACCEPT, CLOSE, RECEIVE]),
    "sent to nobody": ([CONNECT, DISCONNECT], [RECEIVE, ACCEPT, RECEIVE, SEND, CLOSE, CLOSE]),
    "told twice": ([CONNECT, DISCONNECT, DISCONNECT], [RECEIVE, ACCEPT, RECEIVE, RECEIVE]),
    "a full reason": ([CONNECT], [RECEIVE, ACCEPT, {**CLOSE, "code": 4000, "reason": "x" * 123}]),
}
SERVER: dict[str, tuple[list[Message], list[Message], str]] = {
    "data first": ([TEXT], [RECEIVE], "delivered websocket.receive before websocket.connect"),
    "disconnect first": ([DISCONNECT], [RECEIVE], "before websocket.connect"),
    "connect twice": (
        [CONNECT, CONNECT],
        [RECEIVE, ACCEPT, RECEIVE],
        "delivered websocket.connect a second time",
    ),
    "data before accept": (
        [CONNECT, TEXT],
        [RECEIVE, RECEIVE],
        "delivered websocket.receive before websocket.accept",
    ),
    "data to a refusal": (
        [CONNECT, TEXT],
        [RECEIVE, CLOSE, RECEIVE],
        "delivered websocket.receive after the application closed the connection",
    ),
    "data after disconnect": (
        [CONNECT, DISCONNECT, TEXT],
        [RECEIVE, ACCEPT, RECEIVE, RECEIVE],
        "delivered websocket.receive after websocket.disconnect",
    ),
    "an HTTP message": (
        [CONNECT, {"type": "http.disconnect"}],
        [RECEIVE, ACCEPT, RECEIVE],
        "delivered http.disconnect in a websocket scope",
    ),
}


@pytest.mark.parametrize("name", APPLICATION)
def test_out_of_order(name: str) -> None:
    messages, what, section = APPLICATION[name]
    found = violation(sending(*messages), SCOPE, [CONNECT])
    assert found.culprit == "application"
    assert what in found.what
    assert f'"{section}"' in found.clause
    assert found.where == "websocket /é"


@pytest.mark.parametrize("name", VALUES)
def test_values(name: str) -> None:
    message, what, clause = VALUES[name]
    found = violation(sending(RECEIVE, message), SCOPE, [CONNECT])
    assert what in found.what
    assert found.clause == clause


@pytest.mark.parametrize("name", LAWFUL)
def test_lawful(name: str) -> None:
    delivered, messages = LAWFUL[name]
    sent = [message for message in messages if message is not RECEIVE]
    assert call(validate(sending(*messages)), SCOPE, delivered) == sent


def test_a_send_that_failed_tells_that_the_client_has_left() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send(ACCEPT)
        await send(CLOSE)

    with pytest.raises(BrokenPipeError):
        call(validate(app), SCOPE, [CONNECT], lost_after=1)

    async def goes_on(scope: Scope, receive: Receive, send: Send) -> None:
        with pytest.raises(BrokenPipeError):
            await app(scope, receive, send)
        with pytest.raises(BrokenPipeError):
            await send(SEND)
        # What had come before the client was lost may still be delivered.
        assert await receive() == TEXT

    assert call(validate(goes_on), SCOPE, [CONNECT, TEXT], lost_after=1) == [ACCEPT]


@pytest.mark.parametrize("name", SERVER)
def test_what_a_server_delivers(name: str) -> None:
    delivered, messages, what = SERVER[name]
    found = violation(sending(*messages), SCOPE, delivered)
    assert found.culprit == "server"
    assert what in found.what
