"""Every case on every row, whole and one byte at a time; and the rows beside each other."""

from __future__ import annotations

import pytest

from tests.conformance.conftest import require
from tests.conformance.digest import difference, digest
from tests.conformance.model import Case
from tests.conformance.rows import WHOLE, Row
from tests.conformance.suite import Suite

Selected = dict[str, list[Case]]


def test_case(row: Row, case: Case, mode: str, suite: Suite, selected: Selected) -> None:
    """Run one case on one row."""
    require(row)
    outcome = suite.outcome(row, case, mode, selected[row.id])
    if outcome.problems:
        pytest.fail(outcome.report(), pytrace=False)


def test_rows_answer_alike(
    compared: Case, rows: list[Row], suite: Suite, selected: Selected
) -> None:
    """Compare the responses, scopes and traces of all rows with those of the first."""
    seen = {
        row.id: digest(suite.outcome(row, compared, WHOLE, selected.get(row.id, [compared])).seen)
        for row in rows
        if compared in selected.get(row.id, [])
    }
    if len(seen) < 2:
        pytest.skip("only one row runs this case")
    (first, expected), *others = seen.items()
    for name, lines in others:
        if found := difference(expected, lines):
            pytest.fail(f"{compared.id}: {first} (-) and {name} (+):\n" + "\n".join(found), False)
