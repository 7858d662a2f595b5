"""The codecs as one fixture, so that a test never names the one it runs on."""

from __future__ import annotations

import pytest

from esg.websocket_codecs.choice import CodecFactory
from esg.websocket_codecs.websockets_codec import WebsocketsCodec
from esg.websocket_codecs.wsproto_codec import WsprotoCodec


@pytest.fixture(params=[WsprotoCodec, WebsocketsCodec], ids=["wsproto", "websockets"])
def make_codec(request: pytest.FixtureRequest) -> CodecFactory:
    """Return what makes a codec."""
    factory: CodecFactory = request.param
    return factory
