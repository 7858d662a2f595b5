"""The rules interpreted, compiled, and as the fast driver shortens them: the same verdicts."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esg.errors import RequestRejected
from esg.pure.request_body import RequestBody
from tests.differential import http_streams
from tests.differential.edges import mutated
from tests.differential.http_streams import chunked_contents, pipelines, requests
from tests.differential.rounds import examples
from tests.rules.grammar import cut
from tests.rules.heads import contents, limits, receive
from tests.rules.twins import find_twins

REQUEST_HEAD = find_twins("request_head")
CHUNK_FRAMING = find_twins("chunk_framing")
needs_both = pytest.mark.skipif(
    len(REQUEST_HEAD) < 2, reason="the fast implementation is not built"
)
BOUNDS = (
    http_streams.HEAD_LIMIT,
    http_streams.FIELDS_LIMIT,
    http_streams.TARGET_LIMIT,
    http_streams.BODY_LIMIT,
)
places = st.lists(st.integers(0, 4096), max_size=5)


def verdict(rule: ModuleType, pieces: list[bytes]) -> Any:
    """Judge a stream's first head as it comes in pieces."""
    return receive(rule, pieces, limits(rule, *BOUNDS))


@needs_both
@given(mutated(requests()), places)
@examples(500)
def test_twins_judge_a_head_alike(data: bytes, places: list[int]) -> None:
    whole = verdict(REQUEST_HEAD["interpreted"], [data])
    for rule in REQUEST_HEAD.values():
        assert verdict(rule, [data]) == whole
        assert verdict(rule, cut(data, places)) == whole


@needs_both
@given(st.lists(mutated(requests()), max_size=2), mutated(pipelines))
@examples(500)
def test_spans_are_judged_as_the_head_is(previous: list[bytes], data: bytes) -> None:
    """Whatever came before on the connection; where they say nothing, the rule is asked."""
    request_parser = pytest.importorskip("esg.accel.request_parser")
    rule = REQUEST_HEAD["compiled"]
    found = request_parser.read_head(data, limits(rule, *BOUNDS), tuple(previous))
    if found is not None:
        head, taken = found
        assert verdict(rule, [data]) == ((0, contents(head)), data[taken:])


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


@given(mutated(chunked_contents), st.binary(max_size=8), places)
@examples(500)
def test_chunked_content_is_read_as_it_is_framed(
    data: bytes, more: bytes, places: list[int]
) -> None:
    """By the twins, whole and in pieces, and by h11 (`decoded` raises what h11 rejects)."""
    data += more
    expected = framed(CHUNK_FRAMING["interpreted"], [data])
    for rule in CHUNK_FRAMING.values():
        assert framed(rule, cut(data, places)) == expected
    status, *rest = decoded(cut(data, places))
    assert status == expected[0]
    if not status:
        complete, content, taken = rest
        assert [complete, taken] == [expected[1], expected[3]]
        assert len(content) == expected[2] or not complete
