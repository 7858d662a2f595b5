"""One verdict over the raw chunk lines and trailers of a chunked request.

A driver shows every raw body byte to `ChunkFraming.scan` before, or while, its parser decodes
it. Only framing is judged; the data in between is skipped, not kept. Must not know the parser.

Obeys RFC 9112 sections 7.1, 7.1.1, 7.1.2. Stricter than it in two places, where senders gain
nothing and parsers differ: no whitespace in a chunk line outside of quoted strings, and at most
15 digits in a chunk size, so that sizes fit a machine word.
"""

from __future__ import annotations

import re
from typing import Final

from esg.errors import RequestRejected

# The states: what the next raw byte belongs to.
_SIZE_LINE: Final = 0
_DATA: Final = 1
_DATA_END: Final = 2
_TRAILER_LINE: Final = 3
_COMPLETE: Final = 4

MAX_CHUNK_LINE: Final = 1024  # bytes of one chunk line, extensions included

_TOKEN: Final = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
_OPEN_QUOTE: Final = rb'"(?:[\t \x21\x23-\x5b\x5d-\x7e\x80-\xff]|\\[\t \x21-\x7e\x80-\xff])*'
_QUOTED: Final = _OPEN_QUOTE + rb'"'
_EXTENSION: Final = rb";" + _TOKEN + rb"(?:=(?:" + _TOKEN + rb"|" + _QUOTED + rb"))?"
_CHUNK: Final = rb"([0-9A-Fa-f]{1,15})(?:" + _EXTENSION + rb")*"
_CHUNK_LINE: Final = re.compile(_CHUNK + rb"\r\n")
# What can still become one.
_CHUNK_LINE_START: Final = re.compile(
    _CHUNK + rb"(?:\r|;(?:" + _TOKEN + rb"=(?:" + _OPEN_QUOTE + rb"\\?)?)?)?"
)
_TRAILER: Final = re.compile(_TOKEN + rb":[\t\x20-\x7e\x80-\xff]*\r\n")


class ChunkFraming:
    """Follow the framing of one chunked message.

    Args:
        body_limit: bytes of decoded content, 0 for no bound; above it 413.
        trailer_limit: bytes of the trailer section; above it 431.
        trailer_fields: number of trailer fields; above it 431.

    Attributes:
        body_size: bytes of content that the chunk lines have announced.
        trailer_start: where, in the bytes that were scanned last, the trailer section begins,
            -1 where none of them belongs to it. Trailers are judged and thrown away.
    """

    __slots__ = (
        "_body_limit",
        "_line",
        "_remaining",
        "_state",
        "_trailer_fields",
        "_trailer_limit",
        "body_size",
        "trailer_start",
    )

    def __init__(self, body_limit: int, trailer_limit: int, trailer_fields: int) -> None:
        self._body_limit = body_limit
        self._trailer_limit = trailer_limit
        self._trailer_fields = trailer_fields
        self._state = _SIZE_LINE
        self._remaining = 0  # of the current chunk's data
        self._line = bytearray()  # the start of a line whose end has not come
        self.body_size = 0
        self.trailer_start = -1

    @property
    def complete(self) -> bool:
        """Tell whether the message has ended."""
        return self._state == _COMPLETE

    def scan(self, data: bytes) -> int:
        """Judge the next raw bytes of the message.

        Returns:
            How many of them belong to this message: all, unless it ends among them.

        Raises:
            RequestRejected: 400, 413 or 431. Nothing after it is to be read.
        """
        position = 0
        end = len(data)
        self.trailer_start = 0 if self._state == _TRAILER_LINE else -1
        while position < end and self._state != _COMPLETE:
            if self._state == _DATA:
                taken = min(self._remaining, end - position)
                position += taken
                self._remaining -= taken
                if not self._remaining:
                    self._state = _DATA_END
            else:
                position = self._scan_line(data, position)
                if self._state == _TRAILER_LINE and self.trailer_start < 0:
                    self.trailer_start = position
        return position

    def _scan_line(self, data: bytes, position: int) -> int:
        newline = data.find(b"\n", position)
        end = newline + 1 if newline >= 0 else len(data)
        self._line += data[position:end]
        if newline < 0:
            self._check_unfinished_line()
            return end
        line = bytes(self._line)
        self._line.clear()
        if self._state == _SIZE_LINE:
            self._size_line(line)
        elif self._state == _DATA_END:
            if line != b"\r\n":
                raise RequestRejected(400, "chunk data is not followed by CRLF")
            self._state = _SIZE_LINE
        else:
            self._trailer_line(line)
        return end

    def _check_unfinished_line(self) -> None:
        """Judge a line whose end has not come: it may never come."""
        if self._state == _SIZE_LINE:
            if len(self._line) > MAX_CHUNK_LINE:
                raise RequestRejected(400, f"chunk line exceeds {MAX_CHUNK_LINE} bytes")
            if not _CHUNK_LINE_START.fullmatch(self._line):
                raise RequestRejected(400, f"invalid chunk line {bytes(self._line[:80])!r}")
        if self._state == _DATA_END and self._line != b"\r":
            raise RequestRejected(400, "chunk data is not followed by CRLF")
        if self._state != _TRAILER_LINE or self._line == b"\r":  # the empty line is no trailer
            return
        if len(self._line) > self._trailer_limit:
            raise RequestRejected(431, "trailer section is too large")

    def _size_line(self, line: bytes) -> None:
        if len(line) > MAX_CHUNK_LINE:
            raise RequestRejected(400, f"chunk line exceeds {MAX_CHUNK_LINE} bytes")
        match = _CHUNK_LINE.fullmatch(line)
        if match is None:
            raise RequestRejected(400, f"invalid chunk line {line[:80]!r}")
        size = int(match[1], 16)
        if not size:
            self._state = _TRAILER_LINE
            return
        self._state = _DATA
        self._remaining = size
        self.body_size += size
        if self.body_size > self._body_limit > 0:
            raise RequestRejected(413, f"content exceeds {self._body_limit} bytes")

    def _trailer_line(self, line: bytes) -> None:
        if line == b"\r\n":
            self._state = _COMPLETE
            return
        self._trailer_limit -= len(line)
        self._trailer_fields -= 1
        if self._trailer_limit < 0 or self._trailer_fields < 0:
            raise RequestRejected(431, "trailer section is too large")
        if not _TRAILER.fullmatch(line):
            raise RequestRejected(400, f"invalid trailer line {line[:80]!r}")
