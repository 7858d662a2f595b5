"""The frames of the WebSocket protocol (RFC 6455 section 5), for the suite alone.

Written apart from every server's code, so that a server and the suite cannot share a mistake:
an encoder that can write what no client may send, a cutter that judges nothing, and a strict
reader of what a server sends, which undoes permessage-deflate (RFC 7692).
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
KINDS = {
    CONTINUATION: "continuation",
    TEXT: "text",
    BINARY: "binary",
    CLOSE: "close",
    PING: "ping",
    PONG: "pong",
}
FIN, RSV1, RSV2, RSV3 = 0x80, 0x40, 0x20, 0x10
MASKING_KEY = b"\x37\xfa\x21\x3d"
NO_CODE = 1005
LONGEST_IN_PIECES = 4096
PIECE = 16
FLUSHED = b"\x00\x00\xff\xff"


class Malformed(Exception):
    """The server sent what no server may send."""


def masked(data: bytes, key: bytes) -> bytes:
    """Apply a masking key of four octets (section 5.3)."""
    size = len(data)
    stream = (key * (size // 4 + 1))[:size]
    return (int.from_bytes(data, "big") ^ int.from_bytes(stream, "big")).to_bytes(size, "big")


def frame(
    opcode: int,
    payload: bytes = b"",
    *,
    fin: bool = True,
    rsv: int = 0,
    key: bytes | None = MASKING_KEY,
    form: int | None = None,
    length: int | None = None,
) -> bytes:
    """Write a frame, sound or not.

    Args:
        opcode: 0 to 15.
        payload: before masking.
        fin: whether the message ends here.
        rsv: RSV1, RSV2, RSV3 or their sum.
        key: the masking key; None for a frame without a mask.
        form: bits of the length (7, 16 or 64); the shortest that holds it unless given.
        length: what the header says, the payload's length unless given.
    """
    size = len(payload) if length is None else length
    form = form or (7 if size <= 125 else 16 if size <= 0xFFFF else 64)
    mask_bit = 0 if key is None else 0x80
    first = bytes([(FIN if fin else 0) | rsv | opcode])
    if form == 7:
        head = first + bytes([mask_bit | size])
    elif form == 16:
        head = first + bytes([mask_bit | 126]) + size.to_bytes(2, "big")
    else:
        head = first + bytes([mask_bit | 127]) + size.to_bytes(8, "big")
    return head + payload if key is None else head + key + masked(payload, key)


@dataclass(frozen=True)
class WireFrame:
    """One frame as it came; `form` is how many bits its length took."""

    fin: bool
    rsv: int
    opcode: int
    masked: bool
    form: int
    payload: bytes

    @property
    def minimal(self) -> bool:
        """Tell whether the length is in its shortest form (section 5.2)."""
        size = len(self.payload)
        return self.form == (7 if size <= 125 else 16 if size <= 0xFFFF else 64)

    def __str__(self) -> str:
        name = KINDS.get(self.opcode, f"opcode {self.opcode:#x}")
        marks = [] if self.fin else ["not final"]
        bits = ((RSV1, "RSV1"), (RSV2, "RSV2"), (RSV3, "RSV3"))
        marks += [bit for mask, bit in bits if self.rsv & mask]
        marks += ["masked"] if self.masked else []
        marks += [f"{self.form}-bit length"] if not self.minimal else []
        shown = repr(self.payload[:200]) + ("..." if len(self.payload) > 200 else "")
        return " ".join([f"<{name}", *marks, f"{len(self.payload)} octets: {shown}>"])


def cut(data: bytes | bytearray, start: int = 0) -> tuple[WireFrame, int] | None:
    """Cut off the frame at `start`, without judging it; None while it is not complete.

    Returns:
        The frame, and where it ends.
    """
    if len(data) < start + 2:
        return None
    first, second = data[start], data[start + 1]
    is_masked, size, at, form = bool(second & 0x80), second & 0x7F, start + 2, 7
    if size >= 126:
        form = 16 if size == 126 else 64
        size = int.from_bytes(data[at : at + form // 8], "big")
        at += form // 8
    key = bytes(data[at : at + 4]) if is_masked else b""
    at += 4 if is_masked else 0
    if len(data) < at + size:
        return None
    payload = bytes(data[at : at + size])
    if is_masked:
        payload = masked(payload, key)
    found = WireFrame(bool(first & FIN), first & 0x70, first & 0x0F, is_masked, form, payload)
    return found, at + size


def cut_all(data: bytes) -> tuple[list[WireFrame], bytes]:
    """Cut all complete frames off; return them and what is left."""
    found, at = [], 0
    while piece := cut(data, at):
        found.append(piece[0])
        at = piece[1]
    return found, data[at:]


@dataclass(frozen=True)
class Deflate:
    """What was negotiated of permessage-deflate for what the server sends."""

    takeover: bool = True
    window_bits: int = 15


@dataclass(frozen=True)
class WireMessage:
    """A message with its fragments joined and inflated, or a control frame."""

    kind: str
    data: bytes
    compressed: bool = False
    fragments: int = 1

    @property
    def code(self) -> int:
        """The close code; 1005 where the close frame has none (section 7.1.5)."""
        return int.from_bytes(self.data[:2], "big") if self.data else NO_CODE

    @property
    def reason(self) -> str:
        """The close reason."""
        return self.data[2:].decode("utf-8", "replace")

    def __str__(self) -> str:
        if self.kind == "close":
            return f"close {self.code} {self.reason!r}"
        shown = repr(self.data[:200]) + ("..." if len(self.data) > 200 else "")
        compressed = " compressed" if self.compressed else ""
        return f"{self.kind}{compressed} of {len(self.data)} octets: {shown}"


@dataclass
class FrameReader:
    """Read what a server sends after its 101, strictly; raise `Malformed` at a violation."""

    deflate: Deflate | None = None
    frames: list[WireFrame] = field(default_factory=list)
    messages: list[WireMessage] = field(default_factory=list)
    _begun: list[WireFrame] = field(default_factory=list)
    _pending: bytearray = field(default_factory=bytearray)
    _inflater: zlib._Decompress | None = None

    @property
    def closed(self) -> WireMessage | None:
        """The close frame, once it has come."""
        last = self.messages[-1] if self.messages else None
        return last if last and last.kind == "close" else None

    @property
    def leftover(self) -> bytes:
        """Octets of a frame that is not complete."""
        return bytes(self._pending)

    def feed(self, data: bytes) -> None:
        """Take octets in."""
        self._pending += data
        while piece := cut(self._pending):
            del self._pending[: piece[1]]
            self.frames.append(piece[0])
            self._take(piece[0])

    def _take(self, frame: WireFrame) -> None:
        if self.closed:
            raise Malformed(f"{frame} after the close frame")
        if frame.masked or not frame.minimal or frame.opcode not in KINDS:
            raise Malformed(f"{frame}")
        if frame.opcode >= CLOSE:
            self._take_control(frame)
        else:
            self._take_data(frame)

    def _take_control(self, frame: WireFrame) -> None:
        if not frame.fin or frame.rsv or len(frame.payload) > 125:
            raise Malformed(f"{frame}")
        if frame.opcode == CLOSE and not _sound_close(frame.payload):
            raise Malformed(f"{frame} is no close frame")
        self.messages.append(WireMessage(KINDS[frame.opcode], frame.payload))

    def _take_data(self, frame: WireFrame) -> None:
        continues = bool(self._begun)
        allowed = RSV1 if self.deflate and not continues else 0
        if continues != (frame.opcode == CONTINUATION) or frame.rsv & ~allowed:
            raise Malformed(f"{frame} out of place")
        self._begun.append(frame)
        if frame.fin:
            self._finish()

    def _finish(self) -> None:
        first, data = self._begun[0], b"".join(part.payload for part in self._begun)
        if first.rsv & RSV1:
            data = self._inflated(data)
        if first.opcode == TEXT:
            _decoded(data)
        kind, compressed = KINDS[first.opcode], bool(first.rsv & RSV1)
        self.messages.append(WireMessage(kind, data, compressed, len(self._begun)))
        self._begun = []

    def _inflated(self, data: bytes) -> bytes:
        assert self.deflate
        if self._inflater is None or not self.deflate.takeover:
            # A window of the negotiated size: farther references are an error (RFC 7692 7.1.2.1).
            self._inflater = zlib.decompressobj(-self.deflate.window_bits)
        try:
            return _all_of(self._inflater, data + FLUSHED, self.deflate.window_bits)
        except zlib.error as error:
            raise Malformed(f"the message does not inflate: {error}") from error


def _all_of(inflater: zlib._Decompress, data: bytes, window_bits: int) -> bytes:
    """Inflate; a small window in small pieces, for zlib checks no distance within one piece."""
    if window_bits == 15 or len(data) > LONGEST_IN_PIECES:
        return inflater.decompress(data)
    made = piece = inflater.decompress(data, PIECE)
    while piece or inflater.unconsumed_tail:
        piece = inflater.decompress(inflater.unconsumed_tail, PIECE)
        made += piece
    return made


def _decoded(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise Malformed(f"text that is no UTF-8: {data[:200]!r}") from error


def _sound_close(payload: bytes) -> bool:
    """Tell whether a server may send this close frame (sections 5.5.1 and 7.4)."""
    if not payload:
        return True
    code = int.from_bytes(payload[:2], "big")
    if len(payload) < 2 or not (1000 <= code <= 4999) or code in (1004, 1005, 1006, 1015):
        return False
    _decoded(payload[2:])
    return True
