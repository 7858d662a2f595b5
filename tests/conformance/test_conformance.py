"""Every case on every target, whole and one byte at a time; and ESG's rows beside each other."""

from __future__ import annotations

import pytest

from tests.conformance.digest import difference
from tests.conformance.model import Case
from tests.conformance.suite import Result, Suite
from tests.conformance.targets import WHOLE, Target, require

Selected = dict[str, list[Case]]


# The first test of a target runs all its cases.
@pytest.mark.timeout(1800)
def test_case(target: Target, case: Case, mode: str, suite: Suite, selected: Selected) -> None:
    """Run one case on one target."""
    require(target)
    outcome = suite.outcome(target, case, mode, selected[target.id])
    if outcome.result is Result.INAPPLICABLE:
        pytest.skip(str(outcome.seen.inapplicable))
    if outcome.result is Result.DIFFERS:
        pytest.xfail(f"another choice than ESG's: {'; '.join(outcome.problems)}")
    if outcome.result is Result.FAILED:
        pytest.fail(outcome.report(), pytrace=False)


def test_targets_answer_alike(compared: Case, suite: Suite) -> None:
    """Compare responses, scopes and traces of all targets that ran with those of the first."""
    outcomes = suite.outcomes_of(compared, WHOLE)
    if len(outcomes) < 2:
        pytest.skip("only one target ran this case")
    seen = {outcome.seen.target: outcome.digest for outcome in outcomes}
    (first, expected), *others = seen.items()
    for name, lines in others:
        if found := difference(expected, lines):
            report = [f"{compared.id}: {first} (-) and {name} (+):", *found]
            pytest.fail("\n".join(report), pytrace=False)
