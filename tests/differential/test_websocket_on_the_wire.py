"""WebSocket on real connections: every row answers alike, and tells the application the same."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given

from tests.differential.example import Example, websocket_examples
from tests.differential.report import complaints, disagreement
from tests.differential.rounds import examples
from tests.differential.rows import Rows, rows_here


@pytest.fixture(scope="module")
def rows() -> Iterator[Rows]:
    """Return a server of every row."""
    running = Rows(rows_here())
    yield running
    running.close()


@pytest.mark.timeout(1800)
@given(websocket_examples())
@examples(500)
def test_rows_answer_alike(rows: Rows, example: Example) -> None:
    answers = rows.answers(example)
    if report := complaints(example, answers) or disagreement(example, answers):
        pytest.fail(report, pytrace=False)
