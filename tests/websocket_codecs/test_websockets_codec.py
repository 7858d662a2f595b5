"""The websockets library under our rules: what differs from other codecs."""

from __future__ import annotations

from esg.websocket import Close
from esg.websocket_codecs.websockets_codec import WebsocketsCodec
from tests.conformance.websocket_frames import CLOSE, TEXT, frame


def test_a_close_frame_within_a_message() -> None:
    """RFC 6455 section 5.4 lets control frames stand between fragments; the library does not."""
    codec = WebsocketsCodec(None, 1000)
    codec.receive_data(frame(TEXT, b"a", fin=False) + frame(CLOSE, b"\x03\xe8"))
    assert codec.next_event() == Close(1000, "")
    assert codec.next_event() is None
