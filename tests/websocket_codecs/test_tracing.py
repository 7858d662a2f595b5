"""What level trace logs of frames."""

from __future__ import annotations

import pytest

from esg.logs import TRACE
from esg.websocket import Ping
from esg.websocket_codecs.choice import CodecFactory
from esg.websocket_codecs.tracing import TracingCodec
from tests.conformance.websocket_frames import BINARY, CLOSE, PING, TEXT, frame


def test_events_and_frames(make_codec: CodecFactory, caplog: pytest.LogCaptureFixture) -> None:
    codec = TracingCodec(make_codec(None, 1000), "frames #1")
    data = frame(TEXT, b"secret") + frame(BINARY, b"secret") + frame(PING, b"p") + frame(CLOSE)
    with caplog.at_level(TRACE, "esg"):
        codec.receive_data(data)
        assert codec.buffered == len(data)
        assert [codec.next_event() for _ in range(3)] == ["secret", b"secret", Ping(b"p")]
        assert codec.next_event() is not None
        assert codec.next_event() is None
        assert codec.pong(b"p") == [b"\x8a\x01p"]
        assert codec.ping(b"") == [b"\x89\x00"]
        assert codec.text("secret") == [b"\x81\x06secret"]
        assert codec.binary(b"secret") == [b"\x82\x06secret"]
        assert codec.close(1000, "") == [b"\x88\x02\x03\xe8"]
    assert caplog.messages == [
        "frames #1 < text of 6 characters",
        "frames #1 < binary of 6 bytes",
        "frames #1 < ping b'p'",
        "frames #1 < close 1005 ''",
        "frames #1 > pong b'p' in 3 bytes",
        "frames #1 > ping b'' in 2 bytes",
        "frames #1 > text of 6 characters in 8 bytes",
        "frames #1 > binary of 6 bytes in 8 bytes",
        "frames #1 > close 1000 '' in 4 bytes",
    ]
    assert {record.levelno for record in caplog.records} == {TRACE}
