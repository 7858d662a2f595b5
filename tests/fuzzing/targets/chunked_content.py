"""Chunked content: one verdict and one content, by either twin and by h11, however it is cut."""

from __future__ import annotations

from tests.differential.reading import CHUNK_FRAMING, decoded, framed
from tests.fuzzing.given import Given


def check(given: Given) -> None:
    """Read the content by all ways there are."""
    expected = framed(CHUNK_FRAMING["interpreted"], [given.stream])
    for rule in CHUNK_FRAMING.values():
        assert framed(rule, [given.stream]) == expected
        assert framed(rule, given.pieces) == expected
    status, *rest = decoded(given.pieces)
    assert status == expected[0]
    if not status:
        complete, content, taken = rest
        assert [complete, taken] == [expected[1], expected[3]]
        assert len(content) == expected[2] or not complete
        assert len(content) <= len(given.stream)
