"""WebSocket frames: the verdict on the client's, from their headers on, and the bytes of ours.

`FrameRules` judges the numbers of one header after the other, whoever parses them: its size is
refused before the payload is read. `FrameScanner` finds the headers in raw bytes, for a codec
whose parser hides them.

Obeys RFC 6455 sections 5.1 to 5.5, 7.4, 8.1 and RFC 7692 section 6.
"""

from __future__ import annotations

from typing import Final

from esg.asgi import Buffer
from esg.errors import WebSocketFailure
from esg.websocket import (
    INVALID_DATA,
    NO_STATUS,
    PROTOCOL_ERROR,
    TOO_BIG,
    Close,
    is_close_code,
)

CONTINUATION: Final = 0
TEXT: Final = 1
BINARY: Final = 2
CLOSE: Final = 8
PING: Final = 9
PONG: Final = 10

_FIN: Final = 0x80
_RSV1: Final = 0x40
_RESERVED_BITS: Final = 0x70
_OPCODE: Final = 0x0F
_MASKED: Final = 0x80
_LENGTH: Final = 0x7F
_KEY_SIZE: Final = 4
_MAX_HEADER: Final = 14
_MAX_CONTROL: Final = 125
_MAX_LENGTH: Final = 2**63 - 1

# What may follow the octets that do not allow every continuation (RFC 3629 section 4).
_SECOND_OCTETS: Final = {
    0xE0: (0xA0, 0xBF),
    0xED: (0x80, 0x9F),
    0xF0: (0x90, 0xBF),
    0xF4: (0x80, 0x8F),
}

# A payload up to this many bytes is joined with its header.
JOIN_LIMIT: Final = 65536


class FrameRules:
    """Judge the frame headers of one client, in order: `begin`, `check_length`, `commit`.

    Args:
        max_size: bytes that a message may have.
        compression: permessage-deflate has been negotiated.

    Attributes:
        opcode, final, length: of the frame that was read last.
        message_opcode: TEXT or BINARY, of the message that the last data frame belongs to.
        compressed: whether that message is.
        in_message: its last frame has not come.
        message_size: bytes of payload that its frames have announced.
    """

    __slots__ = (
        "_compression",
        "_max_compressed",
        "_max_size",
        "_rsv1",
        "compressed",
        "final",
        "in_message",
        "length",
        "message_opcode",
        "message_size",
        "opcode",
    )

    def __init__(self, max_size: int, compression: bool) -> None:
        self._compression = compression
        self._max_size = max_size
        # Compression makes what cannot be compressed a little larger.
        self._max_compressed = max_size + max_size // 64 + 64
        self._rsv1 = False
        self.opcode = CONTINUATION
        self.final = False
        self.length = 0
        self.message_opcode = CONTINUATION
        self.compressed = False
        self.in_message = False
        self.message_size = 0

    def begin(self, first: int, second: int) -> None:
        """Judge the two octets that every frame begins with; nothing is kept but what they say.

        Raises:
            WebSocketFailure: 1002.
        """
        opcode = first & _OPCODE
        self.opcode = opcode
        self.final = first & _FIN != 0
        self._rsv1 = first & _RSV1 != 0
        if opcode > PONG or BINARY < opcode < CLOSE:
            raise WebSocketFailure(PROTOCOL_ERROR, "reserved opcode")
        reserved = first & _RESERVED_BITS
        if reserved and (reserved != _RSV1 or not self._compression):
            raise WebSocketFailure(PROTOCOL_ERROR, "reserved bit set")
        if self._rsv1 and opcode not in (TEXT, BINARY):  # RFC 7692 section 6.1
            raise WebSocketFailure(PROTOCOL_ERROR, "compression bit outside of a first data frame")
        if not second & _MASKED:
            raise WebSocketFailure(PROTOCOL_ERROR, "frame is not masked")
        if opcode >= CLOSE:
            if not self.final:
                raise WebSocketFailure(PROTOCOL_ERROR, "fragmented control frame")
            if second & _LENGTH > _MAX_CONTROL:
                raise WebSocketFailure(PROTOCOL_ERROR, "control frame is too long")
        elif (opcode == CONTINUATION) != self.in_message:
            found = "message inside another one" if self.in_message else "nothing to continue"
            raise WebSocketFailure(PROTOCOL_ERROR, found)

    def check_length(self, form: int, length: int) -> None:
        """Judge the length, before the payload comes.

        Args:
            form: the low seven bits of the second octet: 126 and 127 announce that the length
                itself is in the next 2 or 8 octets.
            length: of the payload.

        Raises:
            WebSocketFailure: 1002 for a length of 64 bits or in a longer form than needed, 1009 for
                a message that is too big.
        """
        if length > _MAX_LENGTH:
            raise WebSocketFailure(PROTOCOL_ERROR, "frame length has its highest bit set")
        self.length = length
        if (form == 126 and length < 126) or (form == 127 and length < 0x10000):
            raise WebSocketFailure(PROTOCOL_ERROR, "frame length is not minimal")
        if self.opcode >= CLOSE:
            return
        continues = self.opcode == CONTINUATION
        compressed = self.compressed if continues else self._rsv1
        limit = self._max_compressed if compressed else self._max_size
        if length > limit - (self.message_size if continues else 0):
            raise WebSocketFailure(TOO_BIG, "message is too big")

    def commit(self) -> None:
        """Take note that the header is complete: its payload comes next."""
        if self.opcode >= CLOSE:
            return
        if self.opcode != CONTINUATION:
            self.message_opcode = self.opcode
            self.compressed = self._rsv1
            self.message_size = 0
        self.message_size += self.length
        self.in_message = not self.final

    def read_header(self, data: Buffer, position: int) -> int:
        """Judge the header that begins at `position`.

        Returns:
            Its size, 0 where not all of it is there: call again, with more behind it.

        Raises:
            WebSocketFailure: 1002 or 1009, as soon as the octets that are there show it.
        """
        available = len(data) - position
        if available < 2:
            return 0
        self.begin(data[position], data[position + 1])
        form = data[position + 1] & _LENGTH
        size = 2 + (0 if form < 126 else 2 if form == 126 else 8)
        if available < size:
            return 0
        length = form if form < 126 else int.from_bytes(data[position + 2 : position + size], "big")
        self.check_length(form, length)
        if available < size + _KEY_SIZE:
            return 0
        self.commit()
        return size + _KEY_SIZE


class FrameScanner:
    """Show raw bytes to `FrameRules`, however they are split.

    Args:
        rules: that judge the headers.

    Attributes:
        failure: what the first unlawful header is to be answered with.
    """

    __slots__ = ("_header", "_remaining", "_rules", "failure")

    def __init__(self, rules: FrameRules) -> None:
        self._rules = rules
        self._header = bytearray()  # the start of a header whose end has not come
        self._remaining = 0  # bytes of the payload that have not come
        self.failure: WebSocketFailure | None = None

    def scan(self, data: bytes) -> int:
        """Judge the next bytes; call it no more once there is a `failure`.

        Returns:
            How many of them are lawful: all, unless an unlawful header is among them.
        """
        position = 0
        try:
            while position < len(data):
                if self._remaining:
                    skipped = min(self._remaining, len(data) - position)
                    self._remaining -= skipped
                    position += skipped
                else:
                    position = self._scan_header(data, position)
        except WebSocketFailure as failure:
            self.failure = failure
        return position

    def _scan_header(self, data: bytes, position: int) -> int:
        kept = len(self._header)
        if kept:
            self._header += data[position : position + _MAX_HEADER - kept]
            size = self._rules.read_header(self._header, 0)
        else:
            size = self._rules.read_header(data, position)
        if size:
            self._header.clear()
            self._remaining = self._rules.length
            return position + size - kept
        if not kept:
            self._header += data[position:]
        return len(data)


def read_close(payload: bytes) -> Close:
    """Judge what the client's close frame says (RFC 6455 section 5.5.1).

    Raises:
        WebSocketFailure: 1002, or 1007 for a reason that is no UTF-8.
    """
    if not payload:
        return Close(NO_STATUS, "")
    code = int.from_bytes(payload[:2], "big")
    if len(payload) == 1 or not is_close_code(code):
        raise WebSocketFailure(PROTOCOL_ERROR, "invalid close code")
    try:
        return Close(code, payload[2:].decode("utf-8"))
    except UnicodeDecodeError:
        raise WebSocketFailure(INVALID_DATA, "close reason is not UTF-8") from None


def is_text_so_far(rest: bytes) -> bool:
    """Tell whether octets that a decoder of UTF-8 keeps as incomplete can become a character.

    Decoders look at a second octet that rules every third one out only once that has come; here
    the first bad octet counts (RFC 6455 section 8.1; RFC 3629 section 4).
    """
    lowest, highest = _SECOND_OCTETS.get(rest[0] if rest else 0, (0x80, 0xBF))
    return len(rest) < 2 or lowest <= rest[1] <= highest


# Our own frames: never masked, never fragmented.


def header(opcode: int, size: int, compressed: bool) -> bytes:
    """Write the header of a frame that is a whole message, or a control frame."""
    first = _FIN | opcode | (_RSV1 if compressed else 0)
    if size < 126:
        return bytes((first, size))
    if size < 0x10000:
        return bytes((first, 126)) + size.to_bytes(2, "big")
    return bytes((first, 127)) + size.to_bytes(8, "big")


def frame(opcode: int, payload: Buffer, compressed: bool = False) -> list[Buffer]:
    """Write a frame; a large payload is not copied."""
    size = len(payload)
    start = header(opcode, size, compressed)
    if size > JOIN_LIMIT:
        return [start, payload]
    return [b"".join((start, payload))]


def close_frame(code: int, reason: str) -> list[Buffer]:
    """Write a close frame; with NO_STATUS it is empty."""
    if code == NO_STATUS:
        return frame(CLOSE, b"")
    return frame(CLOSE, code.to_bytes(2, "big") + reason.encode("utf-8"))
