"""What every codec on another library's parser makes of a client's bytes."""

from __future__ import annotations

import zlib

import pytest

from esg.websocket import Close, Codec, DeflateParameters, Event, Failure, Ping, Pong
from esg.websocket_codecs.choice import CodecFactory
from tests.conformance.websocket_frames import (
    BINARY,
    CLOSE,
    CONTINUATION,
    PING,
    PONG,
    RSV1,
    RSV2,
    TEXT,
    frame,
)

MAX = 100_000
DEFLATE = DeflateParameters(False, False, 15, 15)


def events(codec: Codec) -> list[Event]:
    """Take all that a codec has."""
    found = []
    while (event := codec.next_event()) is not None:
        found.append(event)
    return found


def decoded(
    make: CodecFactory,
    data: bytes,
    size: int | None = None,
    deflate: DeflateParameters | None = None,
) -> list[Event]:
    """Decode bytes that come in segments of one size."""
    codec = make(deflate, MAX)
    found = []
    step = size or len(data)
    for position in range(0, len(data), step):
        codec.receive_data(data[position : position + step])
        found += events(codec)
    return found


def deflated(*pieces: bytes) -> list[bytes]:
    """Compress messages with context."""
    deflater = zlib.compressobj(wbits=-15)
    return [(deflater.compress(p) + deflater.flush(zlib.Z_SYNC_FLUSH))[:-4] for p in pieces]


TAIL = b"\x00\x00\xff\xff"
BAD_UTF8 = b"ok \xc3\x28"
ONE, TWO = deflated(b"abc" * 50, b"abc" * 50)
STREAMS = [
    pytest.param(frame(TEXT, b"h\xc3\xa9"), ["hé"], id="text"),
    pytest.param(frame(BINARY, b"\xff"), [b"\xff"], id="binary"),
    pytest.param(frame(TEXT) + frame(BINARY), ["", b""], id="empty messages"),
    pytest.param(frame(BINARY, b"x" * 70000), [b"x" * 70000], id="a large message"),
    pytest.param(frame(TEXT, b"x" * MAX), ["x" * MAX], id="as large as allowed"),
    pytest.param(
        frame(TEXT, b"h\xc3", fin=False)
        + frame(PING, b"p")
        + frame(CONTINUATION, fin=False)
        + frame(PONG)
        + frame(CONTINUATION, b"\xa9!"),
        [Ping(b"p"), Pong(b""), "hé!"],
        id="fragments, control between them and a split character",
    ),
    pytest.param(
        frame(BINARY, b"a", fin=False) + frame(CONTINUATION, b"b") + frame(BINARY, b"c"),
        [b"ab", b"c"],
        id="binary fragments",
    ),
    pytest.param(
        frame(TEXT, b"a") + frame(CLOSE, b"\x0b\xb9by") + frame(TEXT, b"b") + b"\xff\xff",
        ["a", Close(3001, "by")],
        id="nothing behind a close frame",
    ),
    pytest.param(frame(CLOSE), [Close(1005, "")], id="an empty close frame"),
    pytest.param(
        frame(TEXT, b"a") + frame(3, b"b") + frame(TEXT, b"c"),
        ["a", Failure(1002, "reserved opcode")],
        id="nothing behind a failure",
    ),
    pytest.param(
        frame(CLOSE, b"\x03"), [Failure(1002, "invalid close code")], id="a close code of an octet"
    ),
    pytest.param(
        frame(CLOSE, b"\x03\xec"), [Failure(1002, "invalid close code")], id="close code 1004"
    ),
    pytest.param(
        frame(CLOSE, b"\x03\xe8\xff"),
        [Failure(1007, "close reason is not UTF-8")],
        id="a reason that is no UTF-8",
    ),
    pytest.param(frame(TEXT, BAD_UTF8), [Failure(1007, "text is not UTF-8")], id="no UTF-8"),
    pytest.param(
        frame(TEXT, b"h\xc3"), [Failure(1007, "text is not UTF-8")], id="half a character"
    ),
    pytest.param(
        frame(TEXT, BAD_UTF8, fin=False),
        [Failure(1007, "text is not UTF-8")],
        id="no UTF-8 in a fragment",
    ),
    pytest.param(
        frame(TEXT, b"a", rsv=RSV1), [Failure(1002, "reserved bit set")], id="never negotiated"
    ),
    pytest.param(
        frame(TEXT, b"x" * (MAX + 1)), [Failure(1009, "message is too big")], id="too big"
    ),
    pytest.param(
        frame(TEXT, b"x" * MAX, fin=False) + frame(CONTINUATION, b"x"),
        [Failure(1009, "message is too big")],
        id="too big in all",
    ),
]


@pytest.mark.parametrize("size", [1, 3, 1000, None], ids=lambda n: f"by {n}")
@pytest.mark.parametrize(("data", "found"), STREAMS)
def test_streams(
    make_codec: CodecFactory, data: bytes, found: list[Event], size: int | None
) -> None:
    if len(data) > 1000 and size in (1, 3):
        size = 997
    assert decoded(make_codec, data, size) == found


COMPRESSED = [
    pytest.param(
        frame(TEXT, ONE, rsv=RSV1) + frame(TEXT, b"plain") + frame(BINARY, TWO, rsv=RSV1),
        ["abc" * 50, "plain", b"abc" * 50],
        id="with context, and a plain one between",
    ),
    pytest.param(
        frame(TEXT, ONE[:5], rsv=RSV1, fin=False)
        + frame(PING)
        + frame(CONTINUATION, ONE[5:8], fin=False)
        + frame(CONTINUATION, ONE[8:])
        + frame(TEXT, b"plain"),
        [Ping(b""), "abc" * 50, "plain"],
        id="fragments",
    ),
    pytest.param(
        frame(TEXT, deflated(BAD_UTF8)[0], rsv=RSV1),
        [Failure(1007, "text is not UTF-8 once inflated")],
        id="no UTF-8 once inflated",
    ),
    pytest.param(
        frame(BINARY, deflated(bytes(MAX))[0], rsv=RSV1) + frame(TEXT, b"a"),
        [bytes(MAX), "a"],
        id="as large as allowed",
    ),
    pytest.param(
        frame(BINARY, deflated(bytes(MAX + 1))[0], rsv=RSV1),
        [Failure(1009, "message is too big")],
        id="too big once inflated",
    ),
    pytest.param(
        frame(BINARY, deflated(bytes(MAX))[0] + TAIL, rsv=RSV1, fin=False)
        + frame(CONTINUATION, deflated(bytes(10 * MAX))[0]),
        [Failure(1009, "message is too big")],
        id="a bomb behind a limit that is reached",
    ),
    pytest.param(
        frame(BINARY, b"\xff\xff\xff", rsv=RSV1),
        [Failure(1007, "invalid compressed data")],
        id="not deflated",
    ),
    pytest.param(
        frame(TEXT, deflated(BAD_UTF8 + bytes(MAX))[0], rsv=RSV1),
        [Failure(1007, "text is not UTF-8 once inflated")],
        id="no UTF-8, before it is too big",
    ),
    pytest.param(
        frame(TEXT, deflated(BAD_UTF8)[0] + TAIL + b"\xff\xff\xff", rsv=RSV1),
        [Failure(1007, "text is not UTF-8 once inflated")],
        id="neither UTF-8 nor deflated",
    ),
    pytest.param(
        frame(TEXT, deflated(bytes(MAX + 9) + BAD_UTF8)[0], rsv=RSV1),
        [Failure(1009, "message is too big")],
        id="too big, before it is no UTF-8",
    ),
    pytest.param(
        frame(TEXT, ONE, rsv=RSV1 | RSV2), [Failure(1002, "reserved bit set")], id="RSV2 besides"
    ),
]


@pytest.mark.parametrize("size", [1, 7, None], ids=lambda n: f"by {n}")
@pytest.mark.parametrize(("data", "found"), COMPRESSED)
def test_compressed_streams(
    make_codec: CodecFactory, data: bytes, found: list[Event], size: int | None
) -> None:
    assert decoded(make_codec, data, size, DEFLATE) == found


def test_decoding_is_lazy(make_codec: CodecFactory) -> None:
    """What nobody asks for stays as it came, so that its size bounds what is kept."""
    codec = make_codec(None, MAX)
    data = frame(TEXT, b"x" * 1000) * 50
    codec.receive_data(data)
    assert codec.buffered == len(data)
    assert codec.next_event() == "x" * 1000
    assert codec.buffered > len(data) // 2
    assert events(codec) == ["x" * 1000] * 49
    assert codec.buffered == 0


def test_what_comes_after_the_end_is_not_kept(make_codec: CodecFactory) -> None:
    codec = make_codec(None, MAX)
    codec.receive_data(frame(CLOSE) + b"x" * 100_000)
    assert events(codec) == [Close(1005, "")]
    codec.receive_data(b"x" * 1000)
    assert codec.buffered == 0
    assert events(codec) == []


def test_bad_text_is_seen_at_once(make_codec: CodecFactory) -> None:
    """RFC 6455 section 8.1; not by a library that waits for whole frames."""
    codec = make_codec(None, MAX)
    codec.receive_data(frame(TEXT, BAD_UTF8 + b"x" * 1000)[:20])
    expected = [Failure(1007, "text is not UTF-8")]
    assert events(codec) == (expected if "wsproto" in type(codec).__module__ else [])
