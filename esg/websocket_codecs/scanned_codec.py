"""What codecs on top of other libraries' parsers have in common.

Each gets the client's bytes in slices, and only after `FrameScanner`: so all of them give the same
verdict, at the same octet, whatever the library checks, and know a frame's length in time.
"""

from __future__ import annotations

from typing import Final

from esg.asgi import Buffer
from esg.errors import WebSocketFailure
from esg.rules import websocket_frames
from esg.rules.websocket_deflate import NOT_TEXT, MessageInflater
from esg.rules.websocket_frames import FrameRules, FrameScanner
from esg.websocket import INVALID_DATA, Close, DeflateParameters, Event, Failure
from esg.websocket_codecs.frame_encoder import FrameEncoder
from esg.websocket_codecs.message_assembler import MessageAssembler

# Bytes that are decoded at once: what bounds a client's frames that wait, decoded, for their turn.
_SLICE: Final = 16384


class ScannedCodec(FrameEncoder):
    """Decode by a parser that a subclass supplies; see `esg.websocket.Codec`.

    Args:
        deflate: what was negotiated for compression, or None.
        max_size: bytes that a message may have, inflated.
    """

    __slots__ = ("_assembler", "_data", "_ended", "_inflater", "_scanner")

    def __init__(self, deflate: DeflateParameters | None, max_size: int) -> None:
        super().__init__(deflate)
        self._scanner = FrameScanner(FrameRules(max_size, deflate is not None))
        self._inflater = None if deflate is None else MessageInflater(deflate, max_size)
        self._assembler = MessageAssembler()
        self._data = bytearray()  # that the parser has not got
        self._ended = False

    @property
    def buffered(self) -> int:
        """Return how many bytes were given and have not been decoded."""
        return len(self._data)

    def receive_data(self, data: bytes) -> None:
        """Take bytes from the client, without looking at them."""
        if not self._ended:
            self._data += data

    def next_event(self) -> Event | None:
        """Decode up to the next event; None where more bytes are needed."""
        if self._ended:
            return None
        try:
            while (event := self._decode()) is None:
                if not self._feed():
                    return None
        except WebSocketFailure as failure:
            event = Failure(failure.code, failure.reason)
        if isinstance(event, (Close, Failure)):
            self._ended = True
            self._data.clear()
        return event

    def _feed(self) -> bool:
        """Give the parser what comes next; tell whether there was anything."""
        if self._scanner.failure is not None:
            raise self._scanner.failure
        data = bytes(self._data[:_SLICE])
        del self._data[:_SLICE]
        if data:
            self._parse(data[: self._scanner.scan(data)])
        return bool(data)

    def _message_piece(
        self, opcode: int, compressed: bool, payload: Buffer, final: bool
    ) -> str | bytes | None:
        """Take a piece of a message's payload; return the message if it is whole now."""
        if not compressed or self._inflater is None:
            return self._assembler.add(opcode, payload, final)
        try:
            try:
                inflated = self._inflater.inflate(payload, final)
            except WebSocketFailure:
                self._assembler.add(opcode, self._inflater.before_failure, False)
                raise
            return self._assembler.add(opcode, inflated, final)
        except WebSocketFailure as failure:
            if failure.code == INVALID_DATA and opcode == websocket_frames.TEXT:
                raise WebSocketFailure(INVALID_DATA, NOT_TEXT) from None
            raise

    def _parse(self, data: bytes) -> None:
        """Show bytes to the parser."""
        raise NotImplementedError

    def _decode(self) -> Event | None:
        """Return the next event of what the parser has been shown.

        Raises:
            WebSocketFailure: with what the client's frames are to be answered.
        """
        raise NotImplementedError
