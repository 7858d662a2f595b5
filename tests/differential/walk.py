"""Follow a stream by the rules alone: which requests it holds, and where it ends.

It tells a client whether it may wait for an answer, and the test which answers are due.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from esg.errors import RequestRejected
from esg.rules import chunk_framing, request_head
from esg.rules.request_head import HeadLimits, RequestHead
from tests.conformance.websocket_frames import cut_all


@dataclass
class Walk:
    """What a stream holds.

    Attributes:
        heads: those of the requests that reach the application.
        rejected: the status that ends the stream, 0 for none.
        in_content: the rejection is that of the last request's content.
        unfinished: the stream ends inside a request.
    """

    heads: list[RequestHead] = field(default_factory=list)
    rejected: int = 0
    in_content: bool = False
    unfinished: bool = False

    @property
    def closes(self) -> bool:
        """Tell whether a request of the stream is the connection's last, whoever answers."""
        return any(h.http_version == "1.0" or b"close" in h.connection for h in self.heads)


def walk(data: bytes, limits: HeadLimits) -> Walk:
    """Walk over the requests of a stream."""
    found = Walk()
    try:
        while data and not found.unfinished and not found.closes:
            data = _after_request(data, limits, found)
    except RequestRejected as rejected:
        found.rejected = rejected.status
    return found


def walk_session(data: bytes, limits: HeadLimits) -> Walk:
    """Walk over an opening handshake and the frames behind it.

    Frames are only cut, not judged: `unfinished` may be said of a stream that fails earlier.
    """
    found = Walk()
    try:
        rest = _after_request(data, limits, found)
    except RequestRejected as rejected:
        found.rejected = rejected.status
    else:
        found.unfinished = found.unfinished or not found.heads or bool(cut_all(rest)[1])
    return found


def _after_request(data: bytes, limits: HeadLimits, found: Walk) -> bytes:
    """Take one request off the stream."""
    end = request_head.find_end(data, 0) if request_head.has_begun(data) else -1
    if end < 0:
        if request_head.has_begun(data):
            request_head.check_partial(data, limits)
            found.unfinished = True
        return b""
    head = request_head.judge(data[:end], limits)
    found.heads.append(head)
    found.in_content = True
    rest = data[end:]
    size = head.content_length
    if size < 0:
        framing = chunk_framing.ChunkFraming(limits.body_size, limits.head_size, limits.fields)
        size = framing.scan(rest)
        found.unfinished = not framing.complete
    else:
        found.unfinished = len(rest) < size
    found.in_content = found.unfinished
    return rest[size:]
