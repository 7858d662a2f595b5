"""The rows: which there are, which can run, which are asked for."""

from __future__ import annotations

import pytest

from esg.testing import available_rows
from esg.testing.rows import ROWS, chosen_rows, matching_rows, why_missing
from tests.rows import ROWS as HERE


def test_available_rows_are_those_that_are_installed() -> None:
    assert set(available_rows()) == {row.id for row in HERE if not row.missing}
    assert available_rows()[0] == "pure-asyncio"


def test_no_names_are_all_rows_that_can_run() -> None:
    assert chosen_rows([]) == available_rows()


def test_names_keep_their_order_and_count_once() -> None:
    assert chosen_rows(["pure-trio", "pure-asyncio", "pure-trio"]) == ("pure-trio", "pure-asyncio")


@pytest.mark.parametrize("name", ["fast-trio", "", "pure", "pure-asyncio-debug"])
def test_an_unknown_row(name: str) -> None:
    with pytest.raises(ValueError, match=f"no row '{name}'; the rows are pure-asyncio, "):
        chosen_rows([name])


def test_a_row_that_cannot_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("esg.implementation._installed", lambda module: False)
    assert why_missing("pure-asyncio") is None
    with pytest.raises(ValueError, match=r"pure-trio cannot run: .*pip install 'esg\[trio\]'"):
        chosen_rows(["pure-trio"])
    assert "pure-trio" not in available_rows()


def test_patterns() -> None:
    assert matching_rows(ROWS, ["*-asyncio"]) == ("pure-asyncio", "fast-asyncio")
    assert matching_rows(ROWS, ["fast-*", "*-trio"]) == ROWS[2:]
    assert matching_rows(["pure-trio"], ["fast-*"]) == ()


def test_a_pattern_for_nothing() -> None:
    with pytest.raises(ValueError, match=r"'slow-\*' matches no row"):
        matching_rows(ROWS, ["fast-*", "slow-*"])
