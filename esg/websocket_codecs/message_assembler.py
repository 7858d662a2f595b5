"""Messages from their pieces, for codecs whose parsers hand those out as they come."""

from __future__ import annotations

import codecs
from io import StringIO
from typing import Final

from esg.asgi import Buffer
from esg.errors import WebSocketFailure
from esg.rules import websocket_frames
from esg.websocket import INVALID_DATA

_Utf8Decoder: Final = codecs.getincrementaldecoder("utf-8")


class MessageAssembler:
    """Join the pieces of one message after the other.

    Text is decoded piece by piece: the first octet that makes it no UTF-8 is a failure, however
    much were still to come (RFC 6455 section 8.1).
    """

    __slots__ = ("_data", "_decoder", "_text")

    def __init__(self) -> None:
        self._decoder: codecs.IncrementalDecoder | None = None  # of a text message's later pieces
        # In one piece of memory: a client may send as many fragments as it likes, even empty ones.
        self._text: StringIO | None = None
        self._data = bytearray()

    def add(self, opcode: int, piece: Buffer, final: bool) -> str | bytes | None:
        """Take a piece and return the message if it is whole now.

        Args:
            opcode: TEXT or BINARY, of the message.
            piece: of its payload, inflated.
            final: it is the last one.

        Raises:
            WebSocketFailure: 1007.
        """
        if opcode == websocket_frames.TEXT:
            return self._add_text(piece, final)
        if final and not self._data:
            return bytes(piece)
        self._data += piece
        if not final:
            return None
        message = bytes(self._data)
        self._data = bytearray()
        return message

    def _add_text(self, piece: Buffer, final: bool) -> str | None:
        if self._decoder is None:
            self._decoder = _Utf8Decoder()
        try:
            text = self._decoder.decode(piece, final)
        except UnicodeDecodeError:
            raise WebSocketFailure(INVALID_DATA, "text is not UTF-8") from None
        if not final:
            if not websocket_frames.is_text_so_far(self._decoder.getstate()[0]):
                raise WebSocketFailure(INVALID_DATA, "text is not UTF-8")
            if self._text is None:
                self._text = StringIO()
            self._text.write(text)
            return None
        self._decoder = None
        if self._text is not None:
            self._text.write(text)
            text = self._text.getvalue()
            self._text = None
        return text
