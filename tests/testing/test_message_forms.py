"""Messages that have a wrong form, each with its clause; and odd ones that are lawful."""

from __future__ import annotations

import socket
import sys
from http import HTTPStatus
from typing import Any

import pytest

from esg.asgi import Message
from esg.testing import validate
from tests.testing.calls import (
    BODY,
    RECEIVE,
    REQUEST,
    START,
    call,
    http_scope,
    sending,
    violation,
    websocket_scope,
)

CONNECT = {"type": "websocket.connect"}
ACCEPT = {"type": "websocket.accept"}
ABSOLUTE = "C:\\file" if sys.platform == "win32" else "/file"


def start(**keys: Any) -> Message:
    return {**START, **keys}


def body(**keys: Any) -> Message:
    return {"type": "http.response.body", **keys}


HTTP_FORMS: dict[str, tuple[Any, str, str]] = {
    "a list": (["type"], "a message that must be a dict", "Events"),
    "a key that is bytes": ({**BODY, b"body": b""}, "has the key b'body'", "Events"),
    "no type": ({}, "a message without a type", "Events"),
    "type as bytes": ({"type": b"http.response.start"}, "whose type must be a Unicode", "Events"),
    "unknown type": ({"type": "http.response.begin"}, "unknown message type", "Error Handling"),
    "no status": ({"type": "http.response.start"}, "'status' is missing", "Response Start"),
    "status as text": (start(status="200"), "must be an int, got '200'", "Response Start"),
    "status as bool": (start(status=True), "must be an int, got True", "Response Start"),
    "informational status": (start(status=103), "from 200 to 599, got 103", "Response Start"),
    "status 600": (start(status=600), "from 200 to 599, got 600", "Response Start"),
    "headers as dict": (start(headers={b"a": b"b"}), "[name, value] pair", "Response Start"),
    "headers as None": (start(headers=None), "must be an iterable, got None", "Response Start"),
    "headers as bytes": (start(headers=b"a: b"), "must be an iterable", "Response Start"),
    "header of one": (start(headers=[(b"a",)]), "must have two items", "Response Start"),
    "header as bytes": (start(headers=[b"ab"]), "[name, value] pair", "Response Start"),
    "name as text": (start(headers=[("a", b"b")]), "byte string, got 'a'", "Response Start"),
    "value as text": (start(headers=[(b"a", "b")]), "byte string, got 'b'", "Response Start"),
    "value as int": (start(headers=[(b"a", 1)]), "byte string, got 1", "Response Start"),
    "name in capitals": (start(headers=[(b"A", b"b")]), "not lowercased", "Response Start"),
    "pseudo header": (start(headers=[(b":status", b"2")]), "pseudo header", "Response Start"),
    "name with a space": (start(headers=[(b"a b", b"c")]), "invalid header name", "Response Start"),
    "empty name": (start(headers=[(b"", b"c")]), "invalid header name", "Response Start"),
    "value with CR LF": (
        start(headers=[(b"a", b"b\r\nc: d")]),
        "invalid value of header b'a'",
        "Response Start",
    ),
    "trailers as int": (start(trailers=1), "must be a bool, got 1", "Response Start"),
    "an object": (start(more=object()), "'more' must not be in a message", "Events"),
    "a huge int": (start(more=2**63), "'more' exceeds 64 bits", "Events"),
    "NaN": (start(more=[float("nan")]), "'more' must be finite", "Events"),
    "a set inside": (start(more={"a": {1}}), "'more' must not be in a message", "Events"),
    "inner key as int": (start(more={1: 2}), "'more' has the key 1", "Events"),
}
BODY_FORMS: dict[str, tuple[Message, str]] = {
    "body as text": (body(body="x"), "'body' must be a byte string, got 'x'"),
    "body as None": (body(body=None), "'body' must be a byte string, got NoneType None"),
    "body as bytearray": (body(body=bytearray(b"x")), "must be a byte string, got bytearray"),
    "body as memoryview": (body(body=memoryview(b"x")), "must be a byte string, got memoryview"),
    "a long body as text": (body(body="x" * 100), "xxxxx..."),
    "more_body as int": (body(more_body=0), "'more_body' must be a bool, got 0"),
    "more_body as None": (body(more_body=None), "'more_body' must be a bool"),
}
EXTENSION_FORMS: dict[str, tuple[Message, str, str]] = {
    "trailers as dict": (
        {"type": "http.response.trailers", "headers": {b"a": b"b"}},
        "[name, value] pair",
        "HTTP Trailers",
    ),
    "more_trailers as int": (
        {"type": "http.response.trailers", "more_trailers": 1},
        "must be a bool",
        "HTTP Trailers",
    ),
    "push without a path": (
        {"type": "http.response.push", "headers": []},
        "'path' is missing",
        "HTTP/2 Server Push",
    ),
    "push without headers": (
        {"type": "http.response.push", "path": "/"},
        "'headers' is missing",
        "HTTP/2 Server Push",
    ),
    "no file": ({"type": "http.response.zerocopysend"}, "'file' is missing", "Zero Copy Send"),
    "file as number": (
        {"type": "http.response.zerocopysend", "file": 3},
        "must have a file descriptor",
        "Zero Copy Send",
    ),
    "negative count": (
        {"type": "http.response.zerocopysend", "file": sys.stdin, "count": -1},
        "'file' must have a file descriptor",
        "Zero Copy Send",
    ),
    "relative path": (
        {"type": "http.response.pathsend", "path": "file"},
        "'path' must be absolute",
        "Path Send",
    ),
    "path as bytes": (
        {"type": "http.response.pathsend", "path": b"/file"},
        "'path' must be a Unicode string",
        "Path Send",
    ),
    "links as text": (
        {"type": "http.response.early_hint", "links": "</a>"},
        "must be an iterable",
        "Early Hints",
    ),
    "a link as text": (
        {"type": "http.response.early_hint", "links": ["</a>"]},
        "must be a byte string",
        "Early Hints",
    ),
    "a link with CR LF": (
        {"type": "http.response.early_hint", "links": [b"</a>\r\nx: y"]},
        "must be lawful",
        "Early Hints",
    ),
    "no info": ({"type": "http.response.debug"}, "'info' is missing", "Debug"),
    "info as list": ({"type": "http.response.debug", "info": []}, "must be a dict", "Debug"),
}
EXTENSIONS = sorted({message["type"] for message, _, _ in EXTENSION_FORMS.values()})
WEBSOCKET_FORMS: dict[str, tuple[Message, str, str]] = {
    "subprotocol as bytes": ({**ACCEPT, "subprotocol": b"chat"}, "Unicode string", "Accept"),
    "subprotocol as header": (
        {**ACCEPT, "headers": [(b"sec-websocket-protocol", b"chat")]},
        "use the key 'subprotocol'",
        "Accept",
    ),
    "name in capitals": ({**ACCEPT, "headers": [(b"A", b"b")]}, "not lowercased", "Accept"),
    "both": ({"type": "websocket.send", "text": "a", "bytes": b"b"}, "got both", "Send"),
    "neither": ({"type": "websocket.send"}, "got neither", "Send"),
    "both None": ({"type": "websocket.send", "text": None, "bytes": None}, "neither", "Send"),
    "text as bytes": ({"type": "websocket.send", "text": b"a"}, "'text' must be a Unicode", "Send"),
    "bytes as text": ({"type": "websocket.send", "bytes": "a"}, "'bytes' must be a byte", "Send"),
    "a lone surrogate": ({"type": "websocket.send", "text": "\ud800"}, "encodable", "Send"),
    "a reason with one": ({"type": "websocket.close", "reason": "\udfff"}, "encodable", "Close"),
    "code as text": ({"type": "websocket.close", "code": "1000"}, "must be an int", "Close"),
    "reason as bytes": ({"type": "websocket.close", "reason": b"a"}, "a Unicode string", "Close"),
    "denial without extension": (
        {"type": "websocket.http.response.start", "status": 404},
        "does not offer the extension 'websocket.http.response'",
        "Websocket Denial Response",
    ),
}


@pytest.mark.parametrize("name", HTTP_FORMS)
def test_http_form(name: str) -> None:
    message, what, section = HTTP_FORMS[name]
    found = violation(sending(message, BODY), http_scope())
    assert found.culprit == "application"
    assert what in found.what
    assert f'"{section}"' in found.clause
    assert found.where == "GET /é"


@pytest.mark.parametrize("name", BODY_FORMS)
def test_body_form(name: str) -> None:
    message, what = BODY_FORMS[name]
    found = violation(sending(START, message), http_scope())
    assert what in str(found)
    assert '"Response Body"' in found.clause


@pytest.mark.parametrize("name", EXTENSION_FORMS)
def test_extension_form(name: str) -> None:
    message, what, section = EXTENSION_FORMS[name]
    found = violation(sending(message), http_scope(*EXTENSIONS))
    assert what in found.what
    assert f'Extensions, "{section}"' in found.clause


@pytest.mark.parametrize("message_type", EXTENSIONS)
def test_an_extension_that_is_not_offered(message_type: str) -> None:
    others = [other for other in EXTENSIONS if other != message_type]
    found = violation(sending({"type": message_type}), http_scope(*others))
    assert f"does not offer the extension {message_type!r}" in found.what


@pytest.mark.parametrize("name", WEBSOCKET_FORMS)
def test_websocket_form(name: str) -> None:
    message, what, section = WEBSOCKET_FORMS[name]
    found = violation(sending(RECEIVE, message), websocket_scope(), [CONNECT])
    assert what in found.what
    assert f'"{section}"' in found.clause


@pytest.mark.parametrize(
    ("version", "message", "what"),
    [
        ("2.0", {**ACCEPT, "headers": [(b"a", b"b")]}, "'headers' needs spec_version 2.1"),
        ("2.2", {"type": "websocket.close", "reason": "x"}, "'reason' needs spec_version 2.3"),
    ],
)
def test_a_key_that_the_server_is_too_old_for(version: str, message: Message, what: str) -> None:
    scope = websocket_scope(asgi={"version": "3.0", "spec_version": version})
    assert what in violation(sending(RECEIVE, message), scope, [CONNECT]).what


@pytest.mark.parametrize(
    ("message", "asgi"),
    [
        ({**ACCEPT, "headers": []}, {"version": "3.0"}),
        ({"type": "websocket.close", "reason": ""}, {"version": "3.0"}),
        ({**ACCEPT, "headers": [(b"a", b"b")]}, None),
        ({**ACCEPT, "headers": [(b"a", b"b")]}, {"version": "3.0", "spec_version": 2}),
    ],
)
def test_keys_that_no_server_can_mind(message: Message, asgi: Any) -> None:
    app = validate(sending(RECEIVE, message), server=False)
    assert call(app, websocket_scope(asgi=asgi), [CONNECT]) == [message]


@pytest.mark.parametrize(
    "message",
    [
        start(status=HTTPStatus.OK),
        start(headers=()),
        start(headers=[[b"a", b"b"], (b"set-cookie", b"c"), (b"set-cookie", b"d")]),
        start(headers=[(b"transfer-encoding", b"chunked"), (b"a", b"\xe9 \t")]),
        start(trailers=False, more=[1, 1.5, None, True, "é", b"\xff", {"a": (1,)}]),
    ],
)
def test_a_lawful_start(message: Message) -> None:
    assert call(validate(sending(message, BODY)), http_scope()) == [message, BODY]


def test_headers_that_can_be_read_only_once_reach_the_server() -> None:
    headers = (iter(pair) for pair in [(b"a", b"b"), (b"c", b"d")])
    sent = call(validate(sending(start(headers=headers), BODY)), http_scope())
    assert sent[0]["headers"] == [[b"a", b"b"], [b"c", b"d"]]


def test_a_message_of_a_private_extension_passes() -> None:
    private = {"type": "example.note", "text": "n"}
    app = validate(sending(private, START, BODY))
    assert call(app, http_scope("example.note")) == [private, START, BODY]
    with pytest.raises(AssertionError, match="unknown message type"):
        call(app, http_scope())


def test_a_file_with_a_descriptor() -> None:
    with socket.socket() as file:
        messages = [START, {"type": "http.response.zerocopysend", "file": file, "offset": 0}]
        app = validate(sending(*messages))
        assert call(app, http_scope("http.response.zerocopysend")) == messages
        negative = {**messages[1], "count": -1}
        found = violation(sending(START, negative), http_scope("http.response.zerocopysend"))
        assert "'count' must not be negative, got -1" in found.what


@pytest.mark.parametrize(
    ("delivered", "what"),
    [
        ("http.request", "a message that must be a dict"),
        ({"type": "http.requested"}, "unknown message type"),
        ({**REQUEST, "body": "text"}, "'body' must be a byte string"),
        ({**REQUEST, "body": None}, "'body' must be a byte string"),
        ({**REQUEST, "more_body": 1}, "'more_body' must be a bool"),
    ],
)
def test_what_a_server_delivers(delivered: Any, what: str) -> None:
    found = violation(sending(RECEIVE, START, BODY), http_scope(), [delivered])
    assert found.culprit == "server"
    assert found.what.startswith("delivered ")
    assert what in found.what


@pytest.mark.parametrize(
    ("delivered", "what"),
    [
        ({"type": "websocket.receive"}, "got neither"),
        ({"type": "websocket.receive", "text": "", "bytes": b""}, "got both"),
        ({"type": "websocket.receive", "text": b""}, "'text' must be a Unicode string"),
        ({"type": "websocket.disconnect"}, "'code' is missing"),
        ({"type": "websocket.disconnect", "code": None}, "'code' must be an int"),
        ({"type": "websocket.disconnect", "code": 1000, "reason": b""}, "'reason' must be"),
    ],
)
def test_what_a_server_delivers_over_a_websocket(delivered: Message, what: str) -> None:
    app = sending(RECEIVE, ACCEPT, RECEIVE)
    found = violation(app, websocket_scope(), [CONNECT, delivered])
    assert found.culprit == "server"
    assert what in found.what
