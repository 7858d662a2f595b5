"""Our own frames: the half of a codec that is the same whoever decodes the client's."""

from __future__ import annotations

from esg.asgi import Buffer
from esg.rules import websocket_frames
from esg.rules.websocket_deflate import MessageDeflater
from esg.websocket import DeflateParameters


class FrameEncoder:
    """Encode messages and control frames; see `esg.websocket.Codec`.

    Args:
        deflate: what was negotiated for compression, or None.
    """

    __slots__ = ("_deflater",)

    def __init__(self, deflate: DeflateParameters | None) -> None:
        self._deflater = None if deflate is None else MessageDeflater(deflate)

    def text(self, message: str) -> list[Buffer]:
        """Encode a text message.

        Raises:
            UnicodeEncodeError: it has a surrogate.
        """
        return self._message(websocket_frames.TEXT, message.encode("utf-8"))

    def binary(self, message: Buffer) -> list[Buffer]:
        """Encode a binary message; what is returned may refer to it."""
        return self._message(websocket_frames.BINARY, message)

    def _message(self, opcode: int, message: Buffer) -> list[Buffer]:
        compressed = None if self._deflater is None else self._deflater.deflate(message)
        if compressed is None:
            return websocket_frames.frame(opcode, message)
        return websocket_frames.frame(opcode, compressed, True)

    def ping(self, payload: bytes) -> list[Buffer]:
        """Encode a ping of at most 125 bytes."""
        return websocket_frames.frame(websocket_frames.PING, payload)

    def pong(self, payload: bytes) -> list[Buffer]:
        """Encode a pong of at most 125 bytes."""
        return websocket_frames.frame(websocket_frames.PONG, payload)

    def close(self, code: int, reason: str) -> list[Buffer]:
        """Encode a close frame; NO_STATUS makes it an empty one."""
        return websocket_frames.close_frame(code, reason)
