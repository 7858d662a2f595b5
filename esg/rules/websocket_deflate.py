"""permessage-deflate: the payload of compressed messages, inflated no further than allowed.

Must not know frames. Obeys RFC 7692 sections 7.2.1 to 7.2.3.
"""

from __future__ import annotations

import zlib
from typing import Any, Final

from esg.asgi import Buffer
from esg.errors import WebSocketFailure
from esg.websocket import INVALID_DATA, TOO_BIG, DeflateParameters

# What a sync flush ends with: left out of every message (RFC 7692 section 7.2.1).
_TAIL: Final = b"\x00\x00\xff\xff"

# Below this many bytes a message gains nothing that is worth the time.
SMALLEST: Final = 32
# Of a larger message its beginning shows whether it can be compressed at all.
_PROBED: Final = 16384
_SAMPLE: Final = 2048

# Why a compressed text is refused, whichever fault it has. Both may be there, and which one is seen
# first depends on the cuts of the TCP stream: zlib keeps what it inflated before an error to itself.
NOT_TEXT: Final = "text is not UTF-8 once inflated"

_MOST_ENDS: Final = 16  # each costs a new inflater

_LEVEL: Final = 1  # the fastest: the others cost several times as much for a few percent
_MEMORY_LEVEL: Final = 5
_SMALLEST_DEFLATE_WINDOW: Final = 9
_RUN_LENGTHS: Final = 3  # zlib's Z_RLE, which PyPy's module has no name for


class MessageInflater:
    """Inflate one client's messages.

    Args:
        parameters: as negotiated.
        max_size: bytes that a message may have, inflated.

    Attributes:
        before_failure: what the call that has failed had inflated by then. Text that is none there
            is the earlier fault, wherever the client's bytes were cut.
    """

    __slots__ = (
        *("_ends", "_inflater", "_keeps_context", "_max_size", "_size", "_window_bits"),
        "before_failure",
    )

    def __init__(self, parameters: DeflateParameters, max_size: int) -> None:
        self._keeps_context = not parameters.client_no_context_takeover
        # A window larger than the client's does no harm, and some clients cannot keep to 256
        # bytes: zlib's deflate has no such window.
        self._window_bits = max(_SMALLEST_DEFLATE_WINDOW, parameters.client_max_window_bits)
        self._max_size = max_size
        self._inflater: Any = None  # made with the first message
        self._size = 0  # of the current message, as far as it has been inflated
        self._ends = 0  # how often a final block has ended the stream within this message
        self.before_failure = b""

    def inflate(self, data: Buffer, final: bool) -> bytes:
        """Inflate the next piece of a message's payload; `final` if it is the last one.

        Raises:
            WebSocketFailure: 1009, having inflated no more than one byte beyond the limit; 1007
                for data that is not deflated, the code of what is no text: see NOT_TEXT.
        """
        inflated = self._inflate(data)
        if not final:
            return inflated
        if self._inflater is None or not self._inflater.eof:
            self.before_failure = inflated
            inflated += self._inflate(_TAIL)
            self.before_failure = b""  # it may be large, and the connection idle
        self._size = 0
        self._ends = 0
        if not self._keeps_context:
            self._inflater = None
        return inflated

    def _inflate(self, data: Buffer) -> bytes:
        pieces: list[bytes] = []
        while data:
            if self._inflater is None or self._inflater.eof:
                self._inflater = zlib.decompressobj(-self._window_bits)
            try:
                piece = self._inflater.decompress(data, self._max_size - self._size + 1)
            except zlib.error:
                raise WebSocketFailure(INVALID_DATA, "invalid compressed data") from None
            self._size += len(piece)
            pieces.append(piece)
            if self._size > self._max_size:
                self.before_failure += b"".join(pieces)
                raise WebSocketFailure(TOO_BIG, "message is too big")
            data = self._rest()
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _rest(self) -> bytes:
        """Return what follows a final block: a sender may use one (RFC 7692 section 7.2.3.4)."""
        rest: bytes = self._inflater.unused_data
        if rest:
            self._ends += 1
            if self._ends > _MOST_ENDS:
                raise WebSocketFailure(INVALID_DATA, "too many final blocks in one message")
        return rest


class MessageDeflater:
    """Compress our messages to one client.

    Args:
        parameters: as negotiated.
    """

    __slots__ = ("_deflater", "_flush", "_strategy", "_window_bits")

    def __init__(self, parameters: DeflateParameters) -> None:
        bits = parameters.server_max_window_bits
        self._window_bits = max(_SMALLEST_DEFLATE_WINDOW, bits)
        # zlib's smallest window has 512 bytes. Where only 256 are allowed, it must not look back
        # further than one byte.
        self._strategy = _RUN_LENGTHS if bits < self._window_bits else zlib.Z_DEFAULT_STRATEGY
        # A full flush forgets what went before, as a message without its predecessors must.
        alone = parameters.server_no_context_takeover
        self._flush = zlib.Z_FULL_FLUSH if alone else zlib.Z_SYNC_FLUSH
        self._deflater: Any = None  # made with the first message that is worth it

    def deflate(self, message: Buffer) -> bytes | None:
        """Compress a message, None where it is better sent as it is (section 6.1 lets us).

        It is decided before compressing: what the client does not get must not become context.
        """
        size = len(message)
        if size < SMALLEST or (size >= _PROBED and _is_incompressible(message)):
            return None
        if self._deflater is None:
            self._deflater = zlib.compressobj(
                _LEVEL, zlib.DEFLATED, -self._window_bits, _MEMORY_LEVEL, self._strategy
            )
        compressed: bytes = self._deflater.compress(message) + self._deflater.flush(self._flush)
        return compressed.removesuffix(_TAIL)


def _is_incompressible(message: Buffer) -> bool:
    sample = bytes(message[:_SAMPLE])
    return len(zlib.compress(sample, _LEVEL)) > _SAMPLE * 15 // 16
