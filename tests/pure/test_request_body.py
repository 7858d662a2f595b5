"""The content of one request: what belongs to it, however it is cut."""

from __future__ import annotations

import pytest

from esg.errors import RequestRejected
from esg.pure.request_body import RequestBody
from esg.rules import request_head
from esg.rules.request_head import HeadLimits

LIMITS = HeadLimits(65536, 100, 8192, 0)
NEXT = b"GET /next HTTP/1.1\r\n"


def body_for(fields: bytes, limits: HeadLimits = LIMITS) -> RequestBody:
    head = b"POST / HTTP/1.1\r\nHost: test\r\n" + fields + b"\r\n\r\n"
    return RequestBody(request_head.judge(head, limits), limits)


def feed(body: RequestBody, data: bytes, step: int) -> tuple[bytes, bytes]:
    """Feed data in pieces; return the content and what was left over."""
    found = b""
    for start in range(0, len(data), step):
        piece = data[start : start + step]
        content, taken = body.feed(piece)
        found += content
        if body.complete:
            return found, data[start + taken :]
        assert taken == len(piece)
    return found, b""


STEPS = pytest.mark.parametrize("step", [1, 2, 3, 7, 1000])


@STEPS
def test_content_length(step: int) -> None:
    body = body_for(b"Content-Length: 11")
    assert not body.complete
    assert feed(body, b"hello world" + NEXT, step) == (b"hello world", NEXT)
    assert body.complete


@STEPS
def test_chunked(step: int) -> None:
    body = body_for(b"Transfer-Encoding: chunked")
    sent = b'5\r\nhello\r\n6;name="a;b"\r\n world\r\n0\r\nTrailer: x\r\n\r\n'
    assert feed(body, sent + NEXT, step) == (b"hello world", NEXT)
    assert body.complete


def test_incomplete_content_is_not_complete() -> None:
    body = body_for(b"Content-Length: 3")
    assert body.feed(b"ab") == (b"ab", 2)
    assert not body.complete


def test_large_content_comes_piece_by_piece() -> None:
    body = body_for(b"Transfer-Encoding: chunked")
    piece = b"x" * 65536
    assert body.feed(b"%x\r\n" % (16 * len(piece)))[0] == b""
    for _ in range(16):
        assert body.feed(piece) == (piece, len(piece))
    assert body.feed(b"\r\n0\r\n\r\n") == (b"", 7)
    assert body.complete


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"x\r\n", 400),
        (b"5\nhello\r\n", 400),
        (b"5\r\nhelloXX", 400),
        (b"-1\r\n", 400),
        (b"0\r\nbad trailer\r\n\r\n", 400),
    ],
)
@STEPS
def test_broken_framing(sent: bytes, status: int, step: int) -> None:
    with pytest.raises(RequestRejected) as caught:
        feed(body_for(b"Transfer-Encoding: chunked"), sent, step)
    assert caught.value.status == status


@STEPS
def test_limit_of_chunked_content(step: int) -> None:
    limits = HeadLimits(65536, 100, 8192, 10)
    body = body_for(b"Transfer-Encoding: chunked", limits)
    with pytest.raises(RequestRejected) as caught:
        feed(body, b"6\r\nabcdef\r\n5\r\nghijk\r\n0\r\n\r\n", step)
    assert caught.value.status == 413
