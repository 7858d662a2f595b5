"""Frames by wsproto: the pure driver's own codec.

Of wsproto it takes the decoder that cuts and unmasks frames. Compressed messages are inflated by
`MessageInflater`, since wsproto's own extension inflates without a bound.
"""

from __future__ import annotations

from typing import cast

from wsproto.extensions import Extension
from wsproto.frame_protocol import FrameDecoder, FrameProtocol, Opcode, RsvBits

from esg.rules.websocket_frames import read_close
from esg.websocket import DeflateParameters, Event, Ping, Pong
from esg.websocket_codecs.scanned_codec import ScannedCodec


class _MessageHeader(Extension):
    """Note what the first frame of a message says, and let its compression bit pass.

    Attributes:
        opcode: of the message that is being decoded.
        compressed: whether it is.
    """

    def __init__(self) -> None:
        self.opcode = 0
        self.compressed = False

    def offer(self) -> bool:
        """Offer nothing: that is for clients."""
        return False

    def frame_inbound_header(
        self,
        proto: FrameDecoder | FrameProtocol,  # noqa: ARG002 - the signature is wsproto's
        opcode: Opcode,
        rsv: RsvBits,
        payload_length: int,  # noqa: ARG002
    ) -> RsvBits:
        """Look at the header of a frame."""
        if opcode in (Opcode.TEXT, Opcode.BINARY):
            self.opcode = opcode
            self.compressed = rsv.rsv1
        return RsvBits(True, False, False)


class WsprotoCodec(ScannedCodec):
    """Decode with wsproto; see `ScannedCodec`."""

    __slots__ = ("_decoder", "_header")

    def __init__(self, deflate: DeflateParameters | None, max_size: int) -> None:
        super().__init__(deflate, max_size)
        self._header = _MessageHeader()
        self._decoder = FrameDecoder(client=False, extensions=[self._header])

    def _parse(self, data: bytes) -> None:
        self._decoder.receive_bytes(data)

    def _decode(self) -> Event | None:
        header = self._header
        while (frame := self._decoder.process_buffer()) is not None:
            payload = cast("bytes", frame.payload)  # only its FrameProtocol makes more of it
            if frame.opcode is Opcode.PING:
                return Ping(payload)
            if frame.opcode is Opcode.PONG:
                return Pong(payload)
            if frame.opcode is Opcode.CLOSE:
                return read_close(payload)
            message = self._message_piece(
                header.opcode,
                header.compressed,
                payload,
                frame.frame_finished and frame.message_finished,
            )
            if message is not None:
                return message
        return None
