"""HTTP/1.1 on real connections: every row answers alike, and as the rules say."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given

from tests.differential.example import Example, http_examples
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
@given(http_examples())
@examples(2000)
def test_rows_answer_alike(rows: Rows, example: Example) -> None:
    answers = rows.answers(example)
    if report := complaints(example, answers) or disagreement(example, answers):
        pytest.fail(report, pytrace=False)
