"""Our own frames, read by the suite's own reader."""

from __future__ import annotations

import random

import pytest

from esg.asgi import Buffer
from esg.websocket import DeflateParameters
from esg.websocket_codecs.frame_encoder import FrameEncoder
from tests.conformance.websocket_frames import Deflate, FrameReader


def read(frames: list[Buffer], deflate: Deflate | None = None) -> list[tuple[str, bytes, bool]]:
    """Read what was encoded."""
    reader = FrameReader(deflate)
    for piece in frames:
        reader.feed(bytes(piece))
    assert not reader.leftover
    return [(message.kind, message.data, message.compressed) for message in reader.messages]


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65535, 65536, 70000])
def test_messages(size: int) -> None:
    encoder = FrameEncoder(None)
    data = bytes(size)
    assert read(encoder.binary(data)) == [("binary", data, False)]
    assert read(encoder.text("x" * size)) == [("text", b"x" * size, False)]
    assert read(encoder.binary(memoryview(bytearray(data)))) == [("binary", data, False)]


def test_surrogates_are_refused() -> None:
    with pytest.raises(UnicodeEncodeError):
        FrameEncoder(None).text("\ud800")


def test_control_frames() -> None:
    encoder = FrameEncoder(DeflateParameters(False, False, 15, 15))
    frames = [
        *encoder.ping(b"p" * 125),
        *encoder.pong(b""),
        *encoder.close(4002, "é"),
    ]
    assert read(frames) == [
        ("ping", b"p" * 125, False),
        ("pong", b"", False),
        ("close", b"\x0f\xa2\xc3\xa9", False),
    ]
    assert read(encoder.close(1005, "")) == [("close", b"", False)]


@pytest.mark.parametrize("alone", [False, True])
@pytest.mark.parametrize("bits", [8, 9, 12, 15])
def test_compression(alone: bool, bits: int) -> None:
    encoder = FrameEncoder(DeflateParameters(alone, False, bits, 15))
    noise = random.Random(1).randbytes(100_000)
    frames = [
        *encoder.text("abc" * 1000),
        *encoder.binary(noise),
        *encoder.text("tiny"),
        *encoder.binary(memoryview(b"abc" * 1000)),
    ]
    assert read(frames, Deflate(not alone, bits)) == [
        ("text", b"abc" * 1000, True),
        ("binary", noise, False),
        ("text", b"tiny", False),
        ("binary", b"abc" * 1000, True),
    ]
