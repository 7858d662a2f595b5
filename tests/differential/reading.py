"""A head, and chunked content, read by the rules and as the pure driver does: the limits are small."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from esg.errors import RequestRejected
from esg.pure.request_body import RequestBody
from tests.differential import http_streams
from tests.rules.heads import limits, receive
from tests.rules.twins import find_twins

REQUEST_HEAD = find_twins("request_head")
CHUNK_FRAMING = find_twins("chunk_framing")
BOUNDS = (
    http_streams.HEAD_LIMIT,
    http_streams.FIELDS_LIMIT,
    http_streams.TARGET_LIMIT,
    http_streams.BODY_LIMIT,
)


def verdict(rule: ModuleType, pieces: list[bytes]) -> Any:
    """Judge a stream's first head as it comes in pieces, and see what is behind it."""
    return receive(rule, pieces, limits(rule, *BOUNDS))


def framed(rule: ModuleType, pieces: list[bytes]) -> tuple[Any, ...]:
    """Judge chunked content: the verdict, what it announces, and how much belongs to it."""
    framing = rule.ChunkFraming(BOUNDS[3], BOUNDS[0], BOUNDS[1])
    taken = 0
    try:
        for piece in pieces:
            taken += framing.scan(piece)
    except RequestRejected as rejected:
        return (rejected.status,)
    return (0, framing.complete, framing.body_size, taken)


def decoded(pieces: list[bytes]) -> tuple[Any, ...]:
    """Read chunked content as the pure driver does."""
    rule = REQUEST_HEAD["interpreted"]
    head = rule.RequestHead("POST", "1.1", b"/", b"")
    head.content_length = -1
    body = RequestBody(head, limits(rule, *BOUNDS))
    content = b""
    taken = 0
    try:
        for piece in pieces:
            if not body.complete:
                more, used = body.feed(piece)
                content += more
                taken += used
    except RequestRejected as rejected:
        return (rejected.status,)
    return (0, body.complete, content, taken)
