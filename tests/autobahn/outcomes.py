"""What an engine says of a case, and whether that will do.

A case has two verdicts: on the messages that were exchanged, and on how the connection ended.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

OK = "OK"
NON_STRICT = "NON-STRICT"
INFORMATIONAL = "INFORMATIONAL"

# They show what a server does where RFC 6455 leaves it open: data after a close frame (section
# 5.5.1), and close codes that nobody has registered (section 7.4.2). Nothing is asked of it.
INFORMATIVE = ("7.1.6", "7.13.1", "7.13.2")

# How many cases there are by group; 8 and 11 have none.
CASES = {
    "1": 16,
    "2": 11,
    "3": 7,
    "4": 10,
    "5": 20,
    "6": 145,
    "7": 37,
    "9": 54,
    "10": 1,
    "12": 90,
    "13": 126,
}
PROTOCOL = ("1", "2", "3", "4", "5", "6", "7", "9", "10")
COMPRESSION = ("12", "13")


@dataclass(frozen=True)
class Outcome:
    """The verdicts on one case.

    Args:
        case: such as "6.4.1".
        behavior: on the messages.
        close: on the end of the connection.
        close_code: what the server closed with, if it did.
        milliseconds: how long it took.
        report: the engine's own report of the case, in HTML.
    """

    case: str
    behavior: str
    close: str
    close_code: int | None
    milliseconds: int
    report: Path

    @property
    def group(self) -> str:
        """The first part of the case's number."""
        return self.case.partition(".")[0]

    def is_acceptable(self, strict: bool = True) -> bool:
        """Tell whether it will do.

        Args:
            strict: "NON-STRICT" (allowed by the RFC, but not what it prefers) will not.
        """
        if self.case in INFORMATIVE:
            return {self.behavior, self.close} <= {OK, INFORMATIONAL}
        allowed = {OK} if strict else {OK, NON_STRICT}
        return self.behavior in allowed and self.close == OK

    def __str__(self) -> str:
        """Say it in a line."""
        code = "none" if self.close_code is None else self.close_code
        return f"{self.case}: {self.behavior}, close {self.close} (code {code}): {self.report}"


def read_outcomes(index: Path) -> dict[str, Outcome]:
    """Read the index.json that either engine writes for one server.

    kosoku lists what had no answer, which would name the server, as of another.
    """
    agents: Mapping[str, Mapping[str, Mapping[str, object]]] = json.loads(index.read_text("utf-8"))
    cases = {case: entry for agent in agents.values() for case, entry in agent.items()}
    return {case: _outcome(case, entry, index.parent) for case, entry in cases.items()}


def _outcome(case: str, entry: Mapping[str, object], folder: Path) -> Outcome:
    code, duration = entry["remoteCloseCode"], entry["duration"]
    assert code is None or isinstance(code, int)
    assert isinstance(duration, int)
    report = (folder / str(entry["reportfile"])).with_suffix(".html")
    return Outcome(
        case, str(entry["behavior"]), str(entry["behaviorClose"]), code, duration, report
    )


def missing_cases(outcomes: Iterable[Outcome], groups: Iterable[str]) -> list[str]:
    """Name the groups of which not every case was put, with how many were."""
    put = [outcome.group for outcome in outcomes]
    short = [group for group in groups if put.count(group) != CASES[group]]
    return [f"group {group}: {put.count(group)} of {CASES[group]} cases" for group in short]
