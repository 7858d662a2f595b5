"""What the regression guard makes of callgrind's counts; it is not run itself, for it compiles."""

from pathlib import Path

import guard
import pytest
from guard import LOADS, MARKS, GuardError, Verdict


def counts(start: int, each: int, number: int) -> list[int]:
    """Return what a load of some instructions each leaves, with marks that cost 7 each."""
    return [start, *[number * each + 7, 2 * number * each + 7] * guard.REPETITIONS]


def test_starts_and_marks_cancel_out() -> None:
    totals = [total for index in range(len(LOADS)) for total in counts(10**9, 1000 + index, 50)]
    assert list(guard.per_unit(totals, 50).values()) == [1000 + i for i in range(len(LOADS))]


def test_what_adds_now_and_then_is_left_out() -> None:
    disturbed = counts(0, 1000, 50)
    disturbed[1] += 5000
    disturbed[4] += 9000
    totals = [*disturbed, *counts(0, 1, 50) * (len(LOADS) - 1)]
    assert guard.per_unit(totals, 50)["hello"] == 1000


def test_more_than_is_tolerated_fails() -> None:
    verdicts = guard.compare({"a": 1000.0, "b": 1000.0}, {"a": 1031.0, "b": 1029.0})
    assert guard.exceeded(verdicts, 0.03) == [Verdict("a", 1000.0, 1031.0)]
    text = guard.report(verdicts, 0.03)
    assert "| a | 1,000 | 1,031 | +3.1% **too much** |" in text
    assert "| b | 1,000 | 1,029 | +2.9% |" in text


def test_counts_are_read_in_the_order_of_the_marks(tmp_path: Path) -> None:
    for number in range(1, MARKS * len(LOADS) + 1):
        text = f"events: Ir\nfn=(1)\n12 34\ntotals: {number}\n"
        (tmp_path / f"counts.{number}").write_text(text)
    assert guard.dumped(tmp_path) == list(range(1, MARKS * len(LOADS) + 1))


def test_missing_counts_are_an_error(tmp_path: Path) -> None:
    (tmp_path / "counts.1").write_text("totals: 5\n")
    with pytest.raises(GuardError, match="callgrind has written 1 counts"):
        guard.dumped(tmp_path)


def test_unknown_commit_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert guard.main(["--base", "no-such-commit"]) == 3
    assert "no-such-commit" in capsys.readouterr().err
