"""A strict, incremental parser of the responses on one connection (RFC 9112).

It is the suite's own, so that a server and the suite cannot share a mistake. It knows the
methods of the requests in advance (a response to HEAD has no body) and keeps every octet. What
comes after a 101 belongs to whom it is switched to, in `after_switch`.
"""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass, field

from tests.conformance.websocket_frames import FrameReader, Malformed
from tests.conformance.websocket_opening import negotiated

STATUS_LINE = re.compile(rb"HTTP/1\.[01] ([1-9]\d\d) ([\t\x20-\x7e\x80-\xff]*)\Z")
FIELD_LINE = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\t\x20-\x7e\x80-\xff]*?)[ \t]*\Z")
CHUNK_LINE = re.compile(rb"([0-9A-Fa-f]{1,16})(?:[ \t]*;[\t\x20-\x7e\x80-\xff]*)?\Z")


class Framing(enum.Enum):
    """How the end of the body is found."""

    NONE = "none"
    LENGTH = "content-length"
    CHUNKED = "chunked"
    CLOSE = "close-delimited"


@dataclass
class WireResponse:
    """One response as it came."""

    status: int
    reason: bytes
    fields: list[tuple[bytes, bytes]]
    framing: Framing = Framing.NONE
    body: bytearray = field(default_factory=bytearray)
    chunks: list[int] = field(default_factory=list)
    trailers: list[tuple[bytes, bytes]] = field(default_factory=list)
    complete: bool = False
    interim: list[int] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    head: bytes = b""

    def values(self, name: str) -> list[str]:
        """Return the values of all field lines of this name, in order."""
        wanted = name.lower().encode()
        return [value.decode("latin-1") for key, value in self.fields if key.lower() == wanted]


def _line(raw: bytes) -> tuple[bytes, bytes]:
    match = FIELD_LINE.match(raw)
    if not match:
        raise Malformed(f"field line {raw!r}")
    return match[1], match[2]


class ResponseParser:
    """Cut the received octets into responses."""

    def __init__(self, methods: list[str]) -> None:
        self.raw = bytearray()
        self.responses: list[WireResponse] = []
        self.interim: list[WireResponse] = []
        self.frames: FrameReader | None = None
        self.error: str | None = None
        self._methods = methods
        self._pending = bytearray()
        self._current: WireResponse | None = None
        self._remaining = 0
        self._step = self._read_head

    @property
    def complete(self) -> int:
        """How many final responses are complete."""
        return sum(response.complete for response in self.responses)

    @property
    def leftover(self) -> bytes:
        """Octets that belong to no response, and to no complete frame."""
        return bytes(self._pending) + (self.frames.leftover if self.frames else b"")

    def feed(self, data: bytes) -> None:
        """Take octets in; a violation is kept in `error` and ends the parsing."""
        self.raw += data
        self._pending += data
        if self.error is not None:
            return
        try:
            while self._step():
                pass
        except Malformed as error:
            self.error = str(error)

    def feed_eof(self) -> None:
        """Take in the end of the stream, which completes a close-delimited body."""
        if self._current and self._current.framing is Framing.CLOSE:
            self._finish()

    def _finish(self) -> bool:
        assert self._current is not None
        self._current.complete = True
        self._current = None
        self._step = self._read_head
        return True

    def _take_line(self) -> bytes | None:
        end = self._pending.find(b"\r\n")
        if end < 0:
            return None
        line = bytes(self._pending[:end])
        del self._pending[: end + 2]
        return line

    def _read_head(self) -> bool:
        end = self._pending.find(b"\r\n\r\n")
        if end < 0:
            return False
        head = bytes(self._pending[: end + 4])
        del self._pending[: end + 4]
        status_line, *lines = head[:-4].split(b"\r\n")
        match = STATUS_LINE.match(status_line)
        if not match:
            raise Malformed(f"status line {status_line!r}")
        response = WireResponse(int(match[1]), match[2], [_line(raw) for raw in lines], head=head)
        if response.status == 101:
            return self._switch(response)
        if response.status < 200:
            self.interim.append(response)
            return True
        return self._begin(response)

    def _switch(self, response: WireResponse) -> bool:
        """Take a 101 as the last response; what follows are frames."""
        response.complete = True
        self.responses.append(response)
        self.frames = FrameReader(negotiated(response))
        self._step = self._read_frames
        return True

    def _read_frames(self) -> bool:
        assert self.frames
        taken = bytes(self._pending)
        self._pending.clear()
        self.frames.feed(taken)
        return False

    def _begin(self, response: WireResponse) -> bool:
        """Decide the framing (RFC 9112 section 6.3)."""
        index = len(self.responses)
        method = self._methods[index] if index < len(self._methods) else "GET"
        before = sum(len(earlier.interim) for earlier in self.responses)
        response.interim = [interim.status for interim in self.interim[before:]]
        response.links = [
            link for interim in self.interim[before:] for link in interim.values("link")
        ]
        self.responses.append(response)
        self._current = response
        if method == "HEAD" or response.status in (204, 304):
            return self._finish()
        if codings := response.values("transfer-encoding"):
            if codings != ["chunked"]:
                raise Malformed(f"transfer-encoding {codings}")
            response.framing, self._step = Framing.CHUNKED, self._read_chunk_line
            return True
        if lengths := response.values("content-length"):
            if len(lengths) != 1 or not re.fullmatch(r"\d+", lengths[0]):
                raise Malformed(f"content-length {lengths}")
            response.framing, self._step = Framing.LENGTH, self._read_counted
            self._remaining = int(lengths[0])
            return True
        response.framing, self._step = Framing.CLOSE, self._read_to_close
        return True

    def _move(self, count: int) -> None:
        assert self._current is not None
        self._current.body += self._pending[:count]
        del self._pending[:count]

    def _read_counted(self) -> bool:
        count = min(self._remaining, len(self._pending))
        self._move(count)
        self._remaining -= count
        return self._finish() if self._remaining == 0 else False

    def _read_to_close(self) -> bool:
        self._move(len(self._pending))
        return False

    def _read_chunk_line(self) -> bool:
        line = self._take_line()
        if line is None:
            return False
        match = CHUNK_LINE.match(line)
        if not match:
            raise Malformed(f"chunk line {line!r}")
        self._remaining = int(match[1], 16)
        assert self._current is not None
        if self._remaining == 0:
            self._step = self._read_trailer
        else:
            self._current.chunks.append(self._remaining)
            self._step = self._read_chunk_data
        return True

    def _read_chunk_data(self) -> bool:
        count = min(self._remaining, len(self._pending))
        self._move(count)
        self._remaining -= count
        if self._remaining or len(self._pending) < 2:
            return False
        if self._pending[:2] != b"\r\n":
            raise Malformed("no CRLF after chunk data")
        del self._pending[:2]
        self._step = self._read_chunk_line
        return True

    def _read_trailer(self) -> bool:
        line = self._take_line()
        if line is None:
            return False
        if line == b"":
            return self._finish()
        assert self._current is not None
        self._current.trailers.append(_line(line))
        return True
