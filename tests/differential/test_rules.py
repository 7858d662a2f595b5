"""The rules interpreted, compiled, and as the fast driver shortens them: the same verdicts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.differential.edges import mutated
from tests.differential.http_streams import chunked_contents, pipelines, requests
from tests.differential.reading import (
    BOUNDS,
    CHUNK_FRAMING,
    REQUEST_HEAD,
    decoded,
    framed,
    verdict,
)
from tests.differential.rounds import examples
from tests.rules.grammar import cut
from tests.rules.heads import contents, limits

needs_both = pytest.mark.skipif(
    len(REQUEST_HEAD) < 2, reason="the fast implementation is not built"
)
places = st.lists(st.integers(0, 4096), max_size=5)


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
