"""The rows that hostile clients are put to."""

from __future__ import annotations

import pytest

from tests.conftest import require
from tests.rows import ROWS, Row

# One of each kind; the others differ in what nobody here looks at.
_SAMPLE = ("pure-asyncio", "pure-trio", "fast-uvloop")


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(r, id=r.id, marks=[] if r.id in _SAMPLE else pytest.mark.exhaustive)
        for r in ROWS
    ],
)
def row(request: pytest.FixtureRequest) -> Row:
    """Return every row, one after the other; `make test` takes a sample."""
    return require(request.param)
