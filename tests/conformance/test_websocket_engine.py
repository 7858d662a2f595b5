"""The suite's own judgement of WebSocket: what it must not let pass, whatever a server sends."""

from __future__ import annotations

import zlib
from types import SimpleNamespace
from typing import Any

import pytest

from tests.conformance.cases.websocket_build import (
    KEY,
    close,
    closed,
    deflated,
    disconnect,
    failed,
    got,
    handshake,
    message,
    more,
    ping,
    ponged,
    text,
)
from tests.conformance.model import Frame
from tests.conformance.scope_form import scope_violations
from tests.conformance.trace import Observed, matches
from tests.conformance.websocket_frames import (
    BINARY,
    CLOSE,
    CONTINUATION,
    PING,
    RSV1,
    RSV2,
    TEXT,
    Deflate,
    FrameReader,
    Malformed,
    cut,
    cut_all,
    frame,
    masked,
)
from tests.conformance.websocket_opening import accept_of, opening_violations
from tests.conformance.websocket_verdict import frame_problems, message_violations
from tests.conformance.wire import ResponseParser

ACCEPT = accept_of(KEY).encode()
UPGRADE = b"Upgrade: websocket\r\nConnection: Upgrade\r\n"
SWITCH = b"HTTP/1.1 101 Switching Protocols\r\n" + UPGRADE
ACCEPTED = SWITCH + b"Sec-WebSocket-Accept: " + ACCEPT + b"\r\n"


def from_server(opcode: int, payload: bytes = b"", **form: Any) -> bytes:
    """Write a frame as servers do, without a mask."""
    return frame(opcode, payload, key=None, **form)


def read(*frames: bytes, deflate: Deflate | None = None, step: int = 0) -> FrameReader:
    """Read frames, all at once or `step` octets at a time."""
    reader, data = FrameReader(deflate), b"".join(frames)
    for start in range(0, len(data), step or len(data)):
        reader.feed(data[start : start + (step or len(data))])
    return reader


def test_the_accept_value_is_that_of_the_rfc() -> None:
    assert accept_of(KEY) == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="


def test_a_masked_frame_is_that_of_the_rfc() -> None:
    assert text("Hello") == bytes.fromhex("818537fa213d7f9f4d5158")
    assert masked(masked(b"abcde", b"1234"), b"1234") == b"abcde"


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65_535, 65_536])
def test_what_is_written_is_read(size: int) -> None:
    data = bytes(index % 251 for index in range(size))
    piece = cut(frame(BINARY, data) + b"rest")
    assert piece
    found, length = piece
    assert (found.payload, found.masked, found.fin, found.minimal) == (data, True, True, True)
    assert length == len(frame(BINARY, data))
    assert cut(frame(BINARY, data)[:-1]) is None


def test_a_longer_length_form_is_seen() -> None:
    for form in (16, 64):
        frames, rest = cut_all(text("a", form=form) + b"\x81")
        assert not frames[0].minimal
        assert rest == b"\x81"


@pytest.mark.parametrize("step", [0, 1, 3])
def test_fragments_are_joined_around_control_frames(step: int) -> None:
    reader = read(
        from_server(TEXT, b"He", fin=False),
        from_server(PING, b"p"),
        from_server(CONTINUATION, b"llo"),
        from_server(CLOSE, b"\x03\xe8ok"),
        step=step,
    )
    assert [message.kind for message in reader.messages] == ["ping", "text", "close"]
    assert reader.messages[1].data == b"Hello"
    assert reader.messages[1].fragments == 2
    assert reader.closed
    assert (reader.closed.code, reader.closed.reason) == (1000, "ok")


@pytest.mark.parametrize(
    "sent",
    [
        text("masked"),
        from_server(TEXT, b"\xff"),
        from_server(TEXT, b"a", rsv=RSV1),
        from_server(TEXT, b"a", rsv=RSV2),
        from_server(TEXT, b"a", form=16),
        from_server(3, b""),
        from_server(CONTINUATION, b"a"),
        from_server(TEXT, b"a", fin=False) + from_server(TEXT, b"b"),
        from_server(PING, b"a" * 126),
        from_server(PING, b"a", fin=False),
        from_server(CLOSE, b"a"),
        from_server(CLOSE, b"\x03\xed"),
        from_server(CLOSE, b"\x03\xe8\xff"),
        from_server(CLOSE) + from_server(TEXT, b"late"),
    ],
)
def test_what_no_server_may_send_is_seen(sent: bytes) -> None:
    with pytest.raises(Malformed):
        read(sent)


def test_compressed_messages_are_inflated_with_one_window_or_one_each() -> None:
    first, second = deflated(b"Hello" * 9, b"Hello" * 9)
    frames = (from_server(TEXT, first, rsv=RSV1), from_server(TEXT, second, rsv=RSV1))
    reader = read(*frames, deflate=Deflate())
    assert [message.data for message in reader.messages] == [b"Hello" * 9] * 2
    assert reader.messages[0].compressed
    with pytest.raises(Malformed):
        read(*frames, deflate=Deflate(takeover=False))


def test_a_reference_beyond_the_negotiated_window_is_seen() -> None:
    block = bytes(zlib.crc32(bytes([index])) & 0xFF for index in range(250))
    payload = deflated(block + bytes(600) + block)[0]
    sent = from_server(BINARY, payload, rsv=RSV1)
    assert read(sent, deflate=Deflate(window_bits=15)).messages
    with pytest.raises(Malformed):
        read(sent, deflate=Deflate(window_bits=9))


def parsed(*lines: bytes) -> ResponseParser:
    """Parse a 101 with these lines, and a frame behind it."""
    parser = ResponseParser([])
    parser.feed(b"".join(lines) + b"\r\n" + from_server(TEXT, b"first"))
    return parser


def test_frames_follow_a_101() -> None:
    parser = parsed(ACCEPTED)
    assert parser.responses[0].complete
    assert parser.frames
    assert parser.frames.messages[0].data == b"first"
    assert not list(opening_violations(handshake(), parser.responses[0]))


OFFER = b"Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=10"
EXTENSION = b"Sec-WebSocket-Extensions: permessage-deflate"
PROTOCOL = b"Sec-WebSocket-Protocol: "


@pytest.mark.parametrize(
    ("fields", "lines"),
    [
        ((), (SWITCH,)),
        ((), (SWITCH, b"Sec-WebSocket-Accept: x\r\n")),
        ((), (ACCEPTED, b"Content-Length: 0\r\n")),
        ((), (ACCEPTED, PROTOCOL, b"a\r\n")),
        ((PROTOCOL + b"a, b",), (ACCEPTED, PROTOCOL, b"a, b\r\n")),
        ((), (ACCEPTED, EXTENSION, b"\r\n")),
        ((OFFER,), (ACCEPTED, EXTENSION, b"\r\n")),
        ((OFFER,), (ACCEPTED, EXTENSION, b"; server_max_window_bits=11\r\n")),
        ((OFFER,), (ACCEPTED, OFFER, b"; client_max_window_bits=10\r\n")),
        ((OFFER,), (ACCEPTED, OFFER, b"; unknown\r\n")),
        ((OFFER,), (ACCEPTED, OFFER, b", permessage-deflate\r\n")),
    ],
)
def test_what_no_101_may_say_is_seen(fields: tuple[bytes, ...], lines: tuple[bytes, ...]) -> None:
    assert list(opening_violations(handshake(*fields), parsed(*lines).responses[0]))


def test_what_a_101_may_say_passes() -> None:
    for offer, answer in (
        (OFFER, OFFER),
        (OFFER, OFFER.replace(b"10", b"9") + b"; server_no_context_takeover"),
        (EXTENSION + b"; unknown, permessage-deflate", EXTENSION + b"; client_no_context_takeover"),
        (PROTOCOL + b"a, b", PROTOCOL + b"b"),
    ):
        response = parsed(ACCEPTED, answer + b"\r\n").responses[0]
        assert not list(opening_violations(handshake(offer), response)), answer


def problems(expected: list[Frame], *sent: bytes, exact: bool = True) -> list[str]:
    """Judge frames."""
    client: Any = SimpleNamespace(parser=SimpleNamespace(frames=read(*sent)))
    return list(frame_problems(client, expected, exact))


def test_expected_frames_pass_and_others_do_not() -> None:
    hello, over = from_server(TEXT, b"Hello"), from_server(CLOSE, b"\x03\xea")
    assert not problems([got("Hello"), closed(1002)], from_server(PING), hello, over)
    assert problems([got("Hello")], hello, over)
    assert problems([got("Hello"), closed(1002)], hello)
    assert problems([got("Other"), closed(1002)], hello, over)
    assert problems([got(b"Hello"), closed(1002)], hello, over)
    assert problems([got("Hello", compressed=True), closed(1002)], hello, over)
    assert problems([closed(1000)], over)
    assert problems([closed(1002, "why")], over)
    assert problems([ponged(b"x"), closed(1002)], over)


def test_only_esg_must_tell_why_it_fails_a_connection() -> None:
    other = from_server(CLOSE, b"\x03\xef")
    assert problems([failed(1002)], from_server(PING))
    assert not problems([failed(1002)], from_server(PING), exact=False)
    assert problems([failed(1002)], other, exact=False)
    assert problems([failed(1002, 1007)], other)
    assert not problems([failed(1002, 1007)], other, exact=False)


def test_message_violations_are_found() -> None:
    def violations(received: dict[str, Any]) -> list[str]:
        call: Any = SimpleNamespace(records=[("receive", received)])
        return list(message_violations(call))

    assert not violations({"type": "websocket.receive", "text": "", "bytes": None})
    assert not violations({"type": "websocket.receive", "bytes": b""})
    assert violations({"type": "websocket.receive"})
    assert violations({"type": "websocket.receive", "text": "a", "bytes": b"a"})
    assert violations({"type": "websocket.receive", "text": b"a"})
    assert violations({"type": "websocket.disconnect", "code": "1000"})
    assert not violations({"type": "websocket.disconnect"})


def test_what_only_esg_promises_is_asked_of_it_alone() -> None:
    seen = Observed("receive", "websocket.disconnect", message={"code": 1006, "reason": ""})
    assert matches(seen, disconnect())
    assert not matches(seen, disconnect(1002))
    assert not matches(seen, disconnect(1002, ours=True))
    assert matches(seen, disconnect(1002, ours=True), exact=False)
    received = Observed("receive", "websocket.receive", message={"text": "a", "bytes": None})
    assert matches(received, message("a"))
    assert not matches(received, message(b"a"))


def test_scope_violations_of_websockets_are_found() -> None:
    sound = {
        "type": "websocket",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "scheme": "ws",
        "headers": [],
        "subprotocols": ["a"],
    }
    assert not list(scope_violations(sound))
    assert list(scope_violations({**sound, "scheme": "http"}))
    assert list(scope_violations({**sound, "method": "GET"}))
    assert list(scope_violations({**sound, "subprotocols": [b"a"]}))


def test_frames_are_shown_in_words() -> None:
    sent = cut_all(ping(b"x") + more("y", fin=False, rsv=RSV1) + close(1000, form=16))[0]
    assert [str(part) for part in sent] == [
        "<ping masked 1 octets: b'x'>",
        "<continuation not final RSV1 masked 1 octets: b'y'>",
        "<close masked 16-bit length 2 octets: b'\\x03\\xe8'>",
    ]
