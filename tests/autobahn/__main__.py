"""Put all cases to all rows and write a table: `make autobahn`, `python -m tests.autobahn`."""

from __future__ import annotations

import argparse
import fnmatch
import os
import sys
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.autobahn.engines import Engine, EngineError, find_engines
from tests.autobahn.outcomes import CASES, Outcome
from tests.autobahn.python2 import CACHE
from tests.autobahn.report import faults, markdown
from tests.autobahn.subjects import Subject, subjects

GROUP_BOUND = 3600.0
"""Seconds for one group of cases on one row; those of compression take many minutes."""


def parse_arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.autobahn",
        description="Put AutobahnTestSuite's cases to ESG. Exit status 1: not all as they should.",
        epilog="Names may be patterns, separated by commas: --rows 'fast-*,pure-trio'.",
    )
    parser.add_argument("--rows", default="*", help="which rows (default: all)")
    parser.add_argument("--groups", help="which groups of cases (default: all that it can put)")
    parser.add_argument(
        "--jobs", type=int, default=os.cpu_count(), help="rows at a time (%(default)s)"
    )
    parser.add_argument("--engine", choices=("autobahn", "kosoku"), help="default: autobahn if any")
    parser.add_argument("--report", type=Path, default=CACHE / "report.md", help="%(default)s")
    parser.add_argument("--list", action="store_true", help="name rows, groups and engines; stop")
    return parser.parse_args(arguments)


def chosen(patterns: str, names: Iterable[str]) -> list[str]:
    """Return the names that any of the comma-separated patterns fits, in their order.

    Raises:
        SystemExit: a pattern fits none.
    """
    known = list(names)
    wanted = [pattern.strip() for pattern in patterns.split(",")]
    for pattern in wanted:
        if not fnmatch.filter(known, pattern):
            raise SystemExit(f"nothing is called {pattern!r}; there are: {', '.join(known)}")
    return [name for name in known if any(fnmatch.fnmatch(name, pattern) for pattern in wanted)]


def say(text: str) -> None:
    """Tell the person who waits how far it is; the report alone goes to stdout."""
    print(text, file=sys.stderr, flush=True)


def judge(
    subject: Subject, engine: Engine, groups: Sequence[str]
) -> tuple[dict[str, Outcome], list[str]]:
    """Put groups of cases to one row, each to a server of its own; return what came of it."""
    outcomes: dict[str, Outcome] = {}
    failures: list[str] = []
    for group in groups:
        started = time.monotonic()
        folder = CACHE / "reports" / engine.name / subject.name / group
        try:
            outcomes |= subject.judge(engine, [f"{group}.*"], folder, GROUP_BOUND)
        except (AssertionError, EngineError) as error:
            say(f"{subject.name}: group {group}: {error}")
            failures.append(f"group {group}: {str(error).strip().splitlines()[-1]}")
        say(f"{subject.name}: group {group} took {time.monotonic() - started:.0f} s")
    return outcomes, failures + faults(subject, outcomes, groups)


def run(
    chosen_subjects: Sequence[Subject], engine: Engine, groups: Sequence[str], jobs: int
) -> tuple[str, bool]:
    """Judge all, some at a time; return the report, and whether nothing was wrong."""

    def one(subject: Subject) -> tuple[dict[str, Outcome], list[str]]:
        if subject.missing:
            return {}, [f"it cannot run: {subject.missing}"]
        outcomes, wrong = judge(subject, engine, groups)
        say(f"{subject.name}: {len(wrong) or 'no'} faults")
        return outcomes, wrong

    engine.prepare()
    with ThreadPoolExecutor(jobs) as pool:
        results = dict(
            zip([s.name for s in chosen_subjects], pool.map(one, chosen_subjects), strict=True)
        )
    judged = {name: outcomes for name, (outcomes, _) in results.items()}
    wrong = {name: found for name, (_, found) in results.items()}
    return markdown(engine.name, groups, judged, wrong), not any(wrong.values())


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command."""
    options = parse_arguments(arguments)
    engines = find_engines()
    names = chosen(options.rows, subjects())
    if options.list:
        print(f"rows:    {', '.join(names)}\ngroups:  {', '.join(CASES)}")
        print(f"engines: {', '.join(engines) or 'none'}")
        return 0
    if not engines or options.engine not in (None, *engines):
        raise SystemExit("no such engine here: `pip install kosoku`, or install a Python 2.7")
    engine = engines[options.engine or next(iter(engines))]
    groups = chosen(options.groups or "*", engine.groups)
    report, passed = run([subjects()[name] for name in names], engine, groups, options.jobs)
    options.report.parent.mkdir(parents=True, exist_ok=True)
    options.report.write_text(report, "utf-8")
    print(report)
    say(f"stored in {options.report}")
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
