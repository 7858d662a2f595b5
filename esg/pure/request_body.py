"""The content of one request: counted where its length is known, else read by h11.

Chunks are judged by `chunk_framing` and taken apart by h11, which gets a fresh connection for each
message that has them, and only the bytes that belong to it; what comes after them stays with us.
"""

from __future__ import annotations

import h11

from esg.rules.chunk_framing import MAX_CHUNK_LINE, ChunkFraming
from esg.rules.request_head import HeadLimits, RequestHead

# Says no more to h11 than how the content is framed.
_CHUNKED_HEAD = b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n"


class RequestBody:
    """Read the content that follows a judged head.

    Args:
        head: with content: its length is not 0.
        limits: bounds of content and trailers.
    """

    __slots__ = ("_chunks", "_remaining")

    def __init__(self, head: RequestHead, limits: HeadLimits) -> None:
        self._remaining = head.content_length
        self._chunks = _Chunks(limits) if head.content_length < 0 else None

    @property
    def complete(self) -> bool:
        """Tell whether all content has come."""
        return self._remaining == 0 if self._chunks is None else self._chunks.framing.complete

    def feed(self, data: bytes) -> tuple[bytes, int]:
        """Take raw bytes; return the content among them and how many belong to this message.

        Raises:
            RequestRejected: 400, 413 or 431.
        """
        if self._chunks is not None:
            return self._chunks.feed(data)
        taken = min(len(data), self._remaining)
        self._remaining -= taken
        return data[:taken], taken


class _Chunks:
    """Take chunks apart."""

    __slots__ = ("_parser", "framing")

    def __init__(self, limits: HeadLimits) -> None:
        self.framing = ChunkFraming(limits.body_size, limits.head_size, limits.fields)
        # Lines are bounded by ChunkFraming; h11's own bound must not be lower.
        longest = max(limits.head_size, MAX_CHUNK_LINE)
        self._parser = h11.Connection(h11.SERVER, max_incomplete_event_size=2 * longest)
        self._parser.receive_data(_CHUNKED_HEAD)
        self._parser.next_event()

    def feed(self, data: bytes) -> tuple[bytes, int]:
        """See `RequestBody.feed`."""
        taken = self.framing.scan(data)
        return self._read(self._without_trailers(data, taken)), taken

    def _without_trailers(self, data: bytes, taken: int) -> bytes:
        if self.framing.trailer_start < 0:
            return data[:taken]
        return data[: self.framing.trailer_start] + (b"\r\n" if self.framing.complete else b"")

    def _read(self, data: bytes) -> bytes:
        if data:  # to h11, nothing would mean the end of the stream
            self._parser.receive_data(data)
        pieces: list[bytes] = []
        while isinstance(event := self._parser.next_event(), h11.Data):
            pieces.append(bytes(event.data))
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)
