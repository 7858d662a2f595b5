"""The choice of WebSocket codec by name: one function, and the only module that names them."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable
from typing import TypeAlias

from esg.errors import StartupError
from esg.websocket import Codec, DeflateParameters

# From what was negotiated for compression, and the bytes that a message may have.
CodecFactory: TypeAlias = Callable[[DeflateParameters | None, int], Codec]


def wsproto_codec() -> CodecFactory:
    """Return the codec on wsproto, which is imported with h11 only where it is wanted."""
    codec: CodecFactory = importlib.import_module("esg.websocket_codecs.wsproto_codec").WsprotoCodec
    return codec


def resolve(ws: str) -> CodecFactory | None:
    """Find the codec that was asked for.

    Args:
        ws: "wsproto" or "websockets"; "auto" and "none" name none.

    Raises:
        StartupError: it is not installed.
    """
    if ws == "wsproto":
        return wsproto_codec()
    if ws != "websockets":
        return None
    if importlib.util.find_spec("websockets") is None:
        hint = "pip install 'esg[websockets]'"
        raise StartupError(f"--ws websockets: websockets is not installed ({hint})")
    # Imported late: it is optional.
    module = importlib.import_module("esg.websocket_codecs.websockets_codec")
    codec: CodecFactory = module.WebsocketsCodec
    return codec
