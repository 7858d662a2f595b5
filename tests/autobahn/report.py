"""The report of `make autobahn`: a table of all subjects, then what was not as it should be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tests.autobahn.outcomes import INFORMATIONAL, NON_STRICT, OK, Outcome, missing_cases
from tests.autobahn.subjects import Subject


def faults(subject: Subject, outcomes: Mapping[str, Outcome], groups: Sequence[str]) -> list[str]:
    """Say what is wrong with a subject, one line for each: refused outcomes, and cases not put."""
    refused = [str(outcome) for outcome in outcomes.values() if not subject.accepts(outcome)]
    return [*missing_cases(outcomes.values(), groups), *refused]


def summary(outcomes: Sequence[Outcome]) -> str:
    """Count the verdicts of some cases: "OK 141, NON-STRICT 4"."""
    verdicts = [_verdict(outcome) for outcome in outcomes]
    kinds = sorted(set(verdicts), key=lambda kind: (kind != OK, kind))
    counts = [f"{kind} {verdicts.count(kind)}" for kind in kinds]
    return ", ".join(counts) or "–"


def _verdict(outcome: Outcome) -> str:
    """Return one word for both verdicts: the one on the messages, if the close was as it should."""
    fine = (OK, INFORMATIONAL, NON_STRICT)
    if outcome.behavior in fine and outcome.close not in fine:
        return f"close {outcome.close}"
    return outcome.behavior


def markdown(
    engine: str,
    groups: Sequence[str],
    judged: Mapping[str, Mapping[str, Outcome]],
    wrong: Mapping[str, Sequence[str]],
) -> str:
    """Write the whole report.

    Args:
        engine: what put the cases.
        groups: which of them.
        judged: the outcomes of each subject, by its name.
        wrong: its faults.
    """
    lines = [
        f"# AutobahnTestSuite, put by {engine}",
        "",
        "| row | " + " | ".join(groups) + " | verdict |",
        "|---" * (len(groups) + 2) + "|",
    ]
    for name, outcomes in judged.items():
        cells = [summary([o for o in outcomes.values() if o.group == group]) for group in groups]
        verdict = f"{len(wrong[name])} faults" if wrong[name] else "passed"
        lines.append(f"| {name} | {' | '.join(cells)} | {verdict} |")
    for name, found in wrong.items():
        if found:
            lines += ["", f"## {name}", "", *(f"- {fault}" for fault in found)]
    return "\n".join(lines) + "\n"
