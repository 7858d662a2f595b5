"""A decoder of frames by the interpreted rules, as slowly and plainly as can be."""

from __future__ import annotations

from itertools import product
from typing import Any

from esg.errors import WebSocketFailure
from esg.rules import websocket_deflate, websocket_frames
from esg.websocket import INVALID_DATA, Close, DeflateParameters, Failure, Ping, Pong

_REST = [bytes(rest) for n in range(4) for rest in product(b"\x80\x90\xa0", repeat=n)]


def begins_text(data: bytes) -> bool:
    """Tell whether octets may be the beginning of a text."""
    for rest in _REST:
        try:
            (data + rest).decode()
        except UnicodeDecodeError:
            continue
        return True
    return False


class Reference:
    """Decode one client's frames.

    Args:
        deflate: what was negotiated for compression, or None.
        max_size: bytes that a message may have, inflated.
    """

    def __init__(self, deflate: DeflateParameters | None, max_size: int) -> None:
        self.rules = websocket_frames.FrameRules(max_size, deflate is not None)
        self.inflater = deflate and websocket_deflate.MessageInflater(deflate, max_size)
        self.data = b""
        self.key = b""
        self.payload = b""  # of the current frame, as far as it has come
        self.message = b""
        self.in_frame = False
        self.ended = False

    def events(self, data: bytes) -> list[Any]:
        """Return what becomes known with the next bytes."""
        found: list[Any] = []
        if self.ended:
            return found
        self.data += data
        try:
            while True:
                if not self.in_frame:
                    size = self.rules.read_header(self.data, 0)
                    if not size:
                        break
                    self.key, self.payload = self.data[size - 4 : size], b""
                    self.data = self.data[size:]
                    self.in_frame = True
                event = self._take_payload()
                if event is not None:
                    found.append(event)
                if self.in_frame or isinstance(event, Close):
                    break
        except WebSocketFailure as failure:
            self.ended = True
            found.append(Failure(failure.code, self._reason(failure)))
        return found

    def _reason(self, failure: WebSocketFailure) -> str:
        inflates = (
            self.rules.compressed and self.rules.message_opcode == 1 and self.rules.opcode < 8
        )
        return (
            websocket_deflate.NOT_TEXT
            if inflates and failure.code == INVALID_DATA
            else failure.reason
        )

    def _take_payload(self) -> Any:
        missing = self.rules.length - len(self.payload)
        masked, self.data = self.data[:missing], self.data[missing:]
        start = len(self.payload)
        piece = bytes(octet ^ self.key[(start + i) % 4] for i, octet in enumerate(masked))
        self.payload += piece
        self.in_frame = len(self.payload) < self.rules.length
        if self.rules.opcode < 8:
            return self._take_content(piece)
        if self.in_frame:
            return None
        if self.rules.opcode == 8:
            self.ended = True
            return websocket_frames.read_close(self.payload)
        return (Ping if self.rules.opcode == 9 else Pong)(self.payload)

    def _inflated(self, piece: bytes, is_last: bool) -> bytes:
        assert self.inflater is not None
        try:
            return self.inflater.inflate(piece, is_last)
        except WebSocketFailure:
            self.message += self.inflater.before_failure
            if self.rules.message_opcode == 1 and not begins_text(self.message):
                raise WebSocketFailure(INVALID_DATA, "text is not UTF-8") from None
            raise

    def _take_content(self, piece: bytes) -> Any:
        is_last = self.rules.final and not self.in_frame
        if self.rules.compressed:
            piece = self._inflated(piece, is_last)
        self.message += piece
        is_text = self.rules.message_opcode == 1
        if is_text and not begins_text(self.message):
            raise WebSocketFailure(INVALID_DATA, "text is not UTF-8")
        if not is_last:
            return None
        message, self.message = self.message, b""
        if not is_text:
            return message
        try:
            return message.decode()
        except UnicodeDecodeError:
            raise WebSocketFailure(INVALID_DATA, "text is not UTF-8") from None


def decoded(codec: Any, data: bytes) -> list[Any]:
    """Return what becomes known with the next bytes."""
    codec.receive_data(data)
    found = []
    while (event := codec.next_event()) is not None:
        found.append(event)
    return found
