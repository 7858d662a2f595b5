"""Frames by the sans-I/O protocol of the websockets library.

Its answers (pongs, close frames) are not used: what to answer is the session's decision. Nor are
its size limit, which does not hold for a compressed message that has reached it exactly, and its
verdict on close frames, which may not stand between fragments for it.
"""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from typing import cast

from websockets.extensions import Extension
from websockets.frames import Frame, Opcode
from websockets.protocol import Protocol, Side

from esg.rules.websocket_frames import read_close
from esg.websocket import DeflateParameters, Event, Ping, Pong
from esg.websocket_codecs.scanned_codec import ScannedCodec


class _RawFrames(Extension):
    """Note what the library would judge by itself, and let it pass.

    Attributes:
        compressed: for each data frame, in order, whether its message is.
        close: the payload of the close frame.
    """

    def __init__(self) -> None:
        self.compressed: deque[bool] = deque()
        self.close: bytes | None = None
        self._compressed = False

    def decode(self, frame: Frame, *, max_size: int | None = None) -> Frame:  # noqa: ARG002
        """Look at a frame; the signature is websockets'."""
        if frame.opcode in (Opcode.TEXT, Opcode.BINARY):
            self._compressed = frame.rsv1
        elif frame.opcode is not Opcode.CONT:
            if frame.opcode is Opcode.CLOSE:
                self.close = bytes(frame.data)
            return frame
        self.compressed.append(self._compressed)
        return replace(frame, rsv1=False)

    def encode(self, frame: Frame) -> Frame:
        """Leave a frame of the library's own, which nobody sends, as it is."""
        return frame


class WebsocketsCodec(ScannedCodec):
    """Decode with websockets; see `ScannedCodec`."""

    __slots__ = ("_frames", "_opcode", "_protocol", "_raw")

    def __init__(self, deflate: DeflateParameters | None, max_size: int) -> None:
        super().__init__(deflate, max_size)
        self._raw = _RawFrames()
        self._protocol = Protocol(Side.SERVER, max_size=None)
        self._protocol.extensions = [self._raw]
        self._frames: deque[Frame] = deque()
        self._opcode = Opcode.CONT  # of the message that is being decoded

    def _parse(self, data: bytes) -> None:
        self._protocol.receive_data(data)
        self._protocol.data_to_send()
        self._frames.extend(cast("list[Frame]", self._protocol.events_received()))

    def _decode(self) -> Event | None:
        while self._frames:
            frame = self._frames.popleft()
            if frame.opcode is Opcode.PING:
                return Ping(bytes(frame.data))
            if frame.opcode is Opcode.PONG:
                return Pong(bytes(frame.data))
            if frame.opcode is Opcode.CLOSE:
                break
            if frame.opcode is not Opcode.CONT:
                self._opcode = frame.opcode
            compressed = self._raw.compressed.popleft()
            message = self._message_piece(self._opcode, compressed, frame.data, frame.fin)
            if message is not None:
                return message
        return None if self._raw.close is None else read_close(self._raw.close)
