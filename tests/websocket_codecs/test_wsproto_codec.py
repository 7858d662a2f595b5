"""wsproto's decoder under our rules: what differs from other codecs."""

from __future__ import annotations

import pytest

from esg.websocket import Failure
from esg.websocket_codecs.wsproto_codec import WsprotoCodec
from tests.conformance.websocket_frames import CONTINUATION, TEXT, frame


@pytest.mark.parametrize("bad", [b"\xf4\x90", b"\xed\xa0", b"\xc0", b"\xff", b"\xe2\x28"])
def test_text_fails_at_its_first_bad_octet(bad: bytes) -> None:
    """RFC 6455 section 8.1, for every way in which octets are no UTF-8 (RFC 3629)."""
    codec = WsprotoCodec(None, 1000)
    data = frame(TEXT, b"good \xce\xba", fin=False) + frame(CONTINUATION, bad + b"x" * 100)
    codec.receive_data(data[: -100 - len(bad)])
    assert codec.next_event() is None
    codec.receive_data(data[-100 - len(bad) : -100])
    assert codec.next_event() == Failure(1007, "text is not UTF-8")
