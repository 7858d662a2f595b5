"""The compiled codec decodes as the rules say, however the bytes are split, and encodes likewise."""

from __future__ import annotations

import struct
import zlib
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esg.rules import websocket_deflate, websocket_frames
from esg.websocket import (
    INVALID_DATA,
    NO_STATUS,
    PROTOCOL_ERROR,
    TOO_BIG,
    Close,
    DeflateParameters,
    Failure,
    Ping,
    Pong,
)
from tests.accel.frame_reference import Reference, decoded

websocket_codec = pytest.importorskip("esg.accel.websocket_codec")

LIMIT = 300
TAKEOVER = DeflateParameters(False, False, 15, 15)
ALONE = DeflateParameters(True, True, 9, 9)


def frame(
    first: int, payload: bytes = b"", *, key: bytes | None = b"\x01\x02\x03\xff", form: int = 0
) -> bytes:
    """Make a client's frame; `form` is that of its length, by default the shortest."""
    size = len(payload)
    form = form or (size if size < 126 else 126 if size < 65536 else 127)
    length = b"" if form < 126 else struct.pack(">H" if form == 126 else ">Q", size)
    if key is None:
        return bytes([first, form]) + length + payload
    masked = bytes(octet ^ key[i % 4] for i, octet in enumerate(payload))
    return bytes([first, 0x80 | form]) + length + key + masked


def split(data: bytes, positions: list[int]) -> list[bytes]:
    """Cut bytes at the positions."""
    cuts = sorted({0, len(data), *(position % (len(data) + 1) for position in positions)})
    return [data[start:end] for start, end in pairwise(cuts)]


def check(data: bytes, deflate: DeflateParameters | None, positions: list[int]) -> list[Any]:
    """See that the codec says after each piece what the rules say; return all of it."""
    codec, reference = websocket_codec.codec(deflate, LIMIT), Reference(deflate, LIMIT)
    found = []
    for piece in split(data, positions):
        events = decoded(codec, piece)
        assert events == reference.events(piece)
        found += events
    return found


def deflated(data: bytes) -> bytes:
    deflater = zlib.compressobj(9, zlib.DEFLATED, -9)
    return (deflater.compress(data) + deflater.flush(zlib.Z_SYNC_FLUSH)).removesuffix(
        b"\0\0\xff\xff"
    )


_texts = st.text(max_size=40).map(str.encode)
_payloads = st.one_of(
    st.just(b""),
    _texts,
    _texts.map(deflated),
    st.binary(max_size=12),
    st.integers(0, 400).map(lambda size: b"x" * size),
    st.integers(0, 9000).map(lambda size: deflated(b"x" * size)),
    st.sampled_from([1000, 1005, 3000, 5000]).map(lambda code: struct.pack(">H", code)),
)
_frames = st.builds(
    frame,
    st.one_of(
        st.sampled_from([0x81, 0x82, 0x81, 0x82, 0x01, 0x02, 0x00, 0x80, 0x89, 0x8A]),
        st.sampled_from([0xC1, 0xC2, 0x41, 0x88, 0xC1]),
        st.integers(0, 255),
    ),
    _payloads,
    key=st.one_of(st.binary(min_size=4, max_size=4), st.just(bytes(4))),
)
_odd_frames = st.one_of(
    st.builds(frame, st.sampled_from([0x81, 0x89]), _payloads, key=st.none()),
    st.builds(frame, st.sampled_from([0x82, 0x8A]), _payloads, form=st.sampled_from([126, 127])),
    st.binary(max_size=20),
)
_streams = st.lists(st.one_of(_frames, _frames, _frames, _odd_frames), max_size=8).map(b"".join)
_parameters = st.sampled_from([None, TAKEOVER, ALONE])


@given(_streams, _parameters, st.lists(st.integers(0, 2000), max_size=20))
def test_decodes_as_the_rules_say(
    data: bytes, deflate: DeflateParameters | None, positions: list[int]
) -> None:
    check(data, deflate, positions)


@given(_streams, _parameters)
def test_decodes_octet_by_octet(data: bytes, deflate: DeflateParameters | None) -> None:
    check(data, deflate, list(range(len(data))))


@given(_streams.filter(bool), st.integers(0, 10**6), st.integers(0, 255))
def test_decodes_with_a_fault(data: bytes, position: int, octet: int) -> None:
    at = position % len(data)
    check(data[:at] + bytes([octet]) + data[at + 1 :], TAKEOVER, [position // 2, position // 3])


@pytest.mark.parametrize("splits", [[], list(range(1000))], ids=["whole", "bytewise"])
@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (frame(0x81, b"Hello") + frame(0x82, b"\xff"), ["Hello", b"\xff"]),
        (frame(0x81) + frame(0x82), ["", b""]),
        (frame(0x81, "é€\U00010000".encode()), ["é€\U00010000"]),
        (frame(0x82, b"y" * LIMIT), [b"y" * LIMIT]),
        (frame(0x82, b"y" * (LIMIT + 1)), [Failure(TOO_BIG, "message is too big")]),
        (
            frame(0x01, b"a\xc3") + frame(0x89, b"p") + frame(0x00) + frame(0x80, b"\xa9b"),
            [Ping(b"p"), "aéb"],
        ),
        (frame(0x02, b"ab") + frame(0x80, b"c") + frame(0x8A, b"late"), [b"abc", Pong(b"late")]),
        (frame(0x81, b"a\xc3"), [Failure(INVALID_DATA, "text is not UTF-8")]),
        (frame(0x88, struct.pack(">H", 3001) + "bÿe".encode()), [Close(3001, "bÿe")]),
        (frame(0x88) + frame(0x81, b"late"), [Close(NO_STATUS, "")]),
        (
            frame(0x81, b"a", key=None) + frame(0x81, b"late"),
            [Failure(PROTOCOL_ERROR, "frame is not masked")],
        ),
        (
            bytes([0x82, 0xFF, 0x80]) + bytes(7),
            [Failure(PROTOCOL_ERROR, "frame length has its highest bit set")],
        ),
        (frame(0xC1, deflated(b"Hello")), ["Hello"]),
        (frame(0xC2, deflated(b"z" * LIMIT)), [b"z" * LIMIT]),
        (frame(0xC2, deflated(b"z" * 100_000)), [Failure(TOO_BIG, "message is too big")]),
        (frame(0x41, deflated(b"a\xc3\xa9")[:3]) + frame(0x80, deflated(b"a\xc3\xa9")[3:]), ["aé"]),
    ],
)
def test_decodes(data: bytes, expected: list[Any], splits: list[int]) -> None:
    assert check(data, TAKEOVER, splits) == expected


def test_text_is_refused_where_it_stops_being_text() -> None:
    """Neither the frame's end nor the message's is waited for."""
    codec = websocket_codec.codec(None, LIMIT)
    start = frame(0x01, "é".encode()) + frame(0x80, b"ab\xf4\x90cdef")
    assert decoded(codec, start[:-5]) == []
    assert decoded(codec, start[-5:-4]) == [Failure(INVALID_DATA, "text is not UTF-8")]
    assert decoded(codec, frame(0x81, b"late")) == []
    assert codec.buffered == 0


def test_message_too_big_is_refused_at_its_header() -> None:
    codec = websocket_codec.codec(None, LIMIT)
    header = bytes([0x82, 0xFF]) + struct.pack(">Q", 2**40)
    assert decoded(codec, header[:-1]) == []
    assert decoded(codec, header[-1:]) == [Failure(TOO_BIG, "message is too big")]


def test_large_messages_in_reads_of_any_size() -> None:
    size = 1_000_003
    codec = websocket_codec.codec(None, size)
    payload = bytes(range(256)) * (size // 256)
    data = frame(0x82, payload) + frame(0x81, b"x" * size)
    found = []
    for start in range(0, len(data), 65_521):
        found += decoded(codec, data[start : start + 65_521])
    assert found == [payload, "x" * size]


def test_context_is_kept_from_message_to_message() -> None:
    codec = websocket_codec.codec(TAKEOVER, LIMIT)
    deflater = zlib.compressobj(9, zlib.DEFLATED, -15)
    for _ in range(3):
        payload = deflater.compress(b"once more " * 20) + deflater.flush(zlib.Z_SYNC_FLUSH)
        assert decoded(codec, frame(0xC1, payload[:-4])) == ["once more " * 20]


@pytest.mark.parametrize("deflate", [None, TAKEOVER, ALONE])
def test_encodes_as_the_rules_say(deflate: DeflateParameters | None) -> None:
    codec = websocket_codec.codec(deflate, LIMIT)
    deflater = deflate and websocket_deflate.MessageDeflater(deflate)

    def expected(opcode: int, payload: bytes) -> bytes:
        compressed = deflater and deflater.deflate(payload)
        if compressed:
            return b"".join(websocket_frames.frame(opcode, compressed, True))
        return b"".join(websocket_frames.frame(opcode, payload))

    for size in (0, 1, 125, 126, 65535, 65536, 200_000):
        assert b"".join(codec.text("ü" * size)) == expected(1, "ü".encode() * size)
        assert b"".join(codec.binary(bytearray(size))) == expected(2, bytes(size))
    assert b"".join(codec.ping(b"p")) == expected(9, b"p")
    assert b"".join(codec.pong(b"")) == expected(10, b"")
    assert b"".join(codec.close(1000, "é")) == bytes([0x88, 4, 3, 232]) + "é".encode()
    assert codec.close(NO_STATUS, "") == [bytes([0x88, 0])]
