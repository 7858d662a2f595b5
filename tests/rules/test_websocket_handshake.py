"""The opening handshake: RFC 6455 section 4.2, RFC 7692 section 7.1."""

from __future__ import annotations

import contextlib
import enum
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esg.errors import MessageError, RequestRejected
from esg.websocket import DeflateParameters
from tests.rules.twins import rule

websocket_handshake = rule("websocket_handshake")

KEY = (b"sec-websocket-key", b"dGhlIHNhbXBsZSBub25jZQ==")
VERSION = (b"sec-websocket-version", b"13")
UPGRADE = (b"upgrade", b"websocket")
EXTENSIONS = b"sec-websocket-extensions"
PROTOCOL = b"sec-websocket-protocol"


class Protocol(str, enum.Enum):  # noqa: UP042 - what str() makes of a StrEnum is its value
    """A subprotocol whose str() is "Protocol.B"."""

    B = "B"


class Head:
    """A request head as the rule sees it."""

    def __init__(
        self,
        *fields: tuple[bytes, bytes],
        method: str = "GET",
        http_version: str = "1.1",
        connection: tuple[bytes, ...] = (b"keep-alive", b"upgrade"),
        content_length: int = 0,
    ) -> None:
        self.method = method
        self.http_version = http_version
        self.headers = list(fields)
        self.connection = connection
        self.content_length = content_length


def opening(*fields: tuple[bytes, bytes], **others: Any) -> Head:
    """Write the lawful head of an opening handshake, with further fields."""
    return Head(UPGRADE, KEY, VERSION, *fields, **others)


@pytest.mark.parametrize(
    ("head", "is_one"),
    [
        pytest.param(opening(), True, id="lawful"),
        pytest.param(Head(UPGRADE), True, id="unlawful"),
        pytest.param(Head((b"upgrade", b"h2c, WebSocket")), True, id="in a list, any case"),
        pytest.param(Head((b"upgrade", b"h2c"), UPGRADE), True, id="in a second field"),
        pytest.param(Head((b"upgrade", b"h2c")), False, id="another protocol"),
        pytest.param(Head((b"upgrade", b"websocket/13")), False, id="a version of it"),
        pytest.param(Head(), False, id="no Upgrade"),
        pytest.param(opening(connection=(b"keep-alive",)), False, id="RFC 9110 7.8: no option"),
        pytest.param(opening(http_version="1.0"), False, id="RFC 9110 7.8: HTTP/1.0"),
    ],
)
def test_what_is_an_opening(websocket_handshake: ModuleType, head: Head, is_one: bool) -> None:
    assert websocket_handshake.is_opening(head) is is_one


@pytest.mark.parametrize(
    ("head", "status"),
    [
        pytest.param(opening(method="POST"), 400, id="another method"),
        pytest.param(opening(content_length=5), 400, id="content"),
        pytest.param(opening(content_length=-1), 400, id="chunked content"),
        pytest.param(Head(UPGRADE, VERSION), 400, id="no key"),
        pytest.param(opening(KEY), 400, id="two keys"),
        pytest.param(Head(UPGRADE, VERSION, (KEY[0], b"")), 400, id="an empty key"),
        pytest.param(Head(UPGRADE, VERSION, (KEY[0], b"a" * 22)), 400, id="a key unpadded"),
        pytest.param(Head(UPGRADE, VERSION, (KEY[0], b"a" * 24)), 400, id="a key of 18 octets"),
        pytest.param(Head(UPGRADE, VERSION, (KEY[0], b"-" * 22 + b"==")), 400, id="no base64"),
        pytest.param(Head(UPGRADE, KEY), 400, id="no version"),
        pytest.param(opening(VERSION), 400, id="two versions"),
        pytest.param(Head(UPGRADE, KEY, (VERSION[0], b"8")), 426, id="version 8"),
        pytest.param(Head(UPGRADE, KEY, (VERSION[0], b"13, 8")), 426, id="a list of versions"),
        pytest.param(opening((PROTOCOL, b"a b")), 400, id="a subprotocol that is no token"),
        pytest.param(opening((EXTENSIONS, b"a;;b")), 400, id="an extension without grammar"),
        pytest.param(opening((EXTENSIONS, b'a; b="c d"')), 400, id="a quoted value, no token"),
        pytest.param(opening((EXTENSIONS, b"permessage-deflate, =")), 400, id="a later one"),
    ],
)
def test_unlawful(websocket_handshake: ModuleType, head: Head, status: int) -> None:
    with pytest.raises(RequestRejected) as rejected:
        websocket_handshake.judge(head, True)
    assert rejected.value.status == status


def test_rejection_names_our_version(websocket_handshake: ModuleType) -> None:
    assert websocket_handshake.rejection_fields(400) == ()
    assert dict(websocket_handshake.rejection_fields(426)) == {
        b"upgrade": b"websocket",
        b"connection": b"upgrade",
        b"sec-websocket-version": b"13",
    }


def test_accept_key(websocket_handshake: ModuleType) -> None:
    """The example of RFC 6455 section 1.3."""
    lawful = websocket_handshake.judge(opening(), True)
    assert lawful.subprotocols == []
    assert lawful.deflate is None
    assert lawful.accept_fields(None, []) == [
        (b"sec-websocket-accept", b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
    ]


def test_subprotocols(websocket_handshake: ModuleType) -> None:
    head = opening((PROTOCOL, b"a, B ,,"), (PROTOCOL, b"c"))
    lawful = websocket_handshake.judge(head, True)
    assert lawful.subprotocols == ["a", "B", "c"]
    assert lawful.accept_fields("B", [])[1:] == [(b"sec-websocket-protocol", b"B")]
    assert lawful.accept_fields(Protocol.B, [])[1:] == [(b"sec-websocket-protocol", b"B")]
    for never_offered in ("b", "", "d", b"a", 1):
        with pytest.raises(MessageError, match="not offered"):
            lawful.accept_fields(never_offered, [])


@pytest.mark.parametrize("name", [b"accept", b"Extensions", b"KEY", b"protocol", b"version"])
def test_application_cannot_write_our_fields(websocket_handshake: ModuleType, name: bytes) -> None:
    lawful = websocket_handshake.judge(opening(), True)
    with pytest.raises(MessageError, match="cannot be set"):
        lawful.accept_fields(None, [(b"a", b"b"), (b"Sec-WebSocket-" + name, b"x")])
    assert len(lawful.accept_fields(None, [(b"sec-websocket-else", b"x"), (1, 2)])) == 1


def negotiated(websocket_handshake: ModuleType, *offers: bytes) -> tuple[Any, bytes]:
    """Return what is agreed on for these offers, and what the answer says."""
    head = opening(*((EXTENSIONS, offer) for offer in offers))
    lawful = websocket_handshake.judge(head, True)
    assert websocket_handshake.judge(head, False).deflate is None
    answer = dict(lawful.accept_fields(None, [])).get(EXTENSIONS, b"")
    return lawful.deflate, answer


PLAIN = (DeflateParameters(False, False, 12, 15), b"permessage-deflate; server_max_window_bits=12")


@pytest.mark.parametrize(
    ("offer", "parameters", "answer"),
    [
        pytest.param(b"permessage-deflate", *PLAIN, id="no parameters"),
        pytest.param(b"x-webkit-deflate-frame, PerMessage-Deflate", *PLAIN, id="behind another"),
        pytest.param(
            b"permessage-deflate; client_max_window_bits",
            DeflateParameters(False, False, 12, 12),
            PLAIN[1] + b"; client_max_window_bits=12",
            id="a client with a window",
        ),
        pytest.param(
            b"permessage-deflate;client_max_window_bits=15;server_max_window_bits=15",
            DeflateParameters(False, False, 12, 12),
            PLAIN[1] + b"; client_max_window_bits=12",
            id="larger windows than ours",
        ),
        pytest.param(
            b'permessage-deflate; server_max_window_bits="9" ; client_max_window_bits = 8',
            DeflateParameters(False, False, 9, 8),
            b"permessage-deflate; server_max_window_bits=9; client_max_window_bits=8",
            id="smaller windows than ours",
        ),
        pytest.param(
            b"permessage-deflate; server_no_context_takeover; client_no_context_takeover",
            DeflateParameters(True, True, 12, 15),
            b"permessage-deflate; server_no_context_takeover; client_no_context_takeover; "
            b"server_max_window_bits=12",
            id="no context",
        ),
        pytest.param(
            b"permessage-deflate; unknown, permessage-deflate; server_max_window_bits=10",
            DeflateParameters(False, False, 10, 15),
            b"permessage-deflate; server_max_window_bits=10",
            id="the first that can be kept",
        ),
        pytest.param(
            b"permessage-deflate; server_no_context_takeover, permessage-deflate",
            DeflateParameters(True, False, 12, 15),
            b"permessage-deflate; server_no_context_takeover; server_max_window_bits=12",
            id="the client's order",
        ),
    ],
)
def test_deflate_is_negotiated(
    websocket_handshake: ModuleType, offer: bytes, parameters: DeflateParameters, answer: bytes
) -> None:
    assert negotiated(websocket_handshake, offer) == (parameters, answer)
    assert negotiated(websocket_handshake, *offer.split(b",")) == (parameters, answer)


@pytest.mark.parametrize(
    "parameter",
    [
        b"unknown",
        b"unknown=1",
        b"server_no_context_takeover=1",
        b"client_no_context_takeover=true",
        b"server_no_context_takeover; server_no_context_takeover",
        b"server_max_window_bits",
        b"server_max_window_bits=7",
        b"server_max_window_bits=16",
        b"server_max_window_bits=08",
        b"server_max_window_bits=1000000",
        b"client_max_window_bits=7",
        b"client_max_window_bits=16",
        b"client_max_window_bits=010",
        b"client_max_window_bits; Client_Max_Window_Bits=10",
    ],
)
def test_deflate_is_declined(websocket_handshake: ModuleType, parameter: bytes) -> None:
    assert negotiated(websocket_handshake, b"permessage-deflate; " + parameter) == (None, b"")


@given(value=st.binary(max_size=60))
def test_any_offer_gets_a_verdict(websocket_handshake: ModuleType, value: bytes) -> None:
    """A verdict, or an answer; never another exception."""
    with contextlib.suppress(RequestRejected):
        deflate, answer = negotiated(websocket_handshake, b"permessage-deflate;" + value)
        assert (deflate is None) == (answer == b"")
