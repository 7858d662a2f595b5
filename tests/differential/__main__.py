"""Search for longer than a test may, or look at one example again.

python -m tests.differential search [--minutes 10] [-k ...]
python -m tests.differential again WORD
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.differential.example import Example
from tests.differential.report import complaints, disagreement, shown
from tests.differential.rounds import END_VARIABLE, SEED_VARIABLE
from tests.differential.rows import Rows, rows_here

TESTS = str(Path(__file__).parent)


def _search(minutes: float, arguments: list[str]) -> int:
    """Run the tests in rounds, each with its seed, until the time is up; 1 if any has failed."""
    end = time.monotonic() + 60 * minutes
    failed = 0
    while time.monotonic() < end:
        seed = str(random.randrange(2**32))
        print(f"{SEED_VARIABLE}={seed}", flush=True)
        command = [sys.executable, "-m", "pytest", "-q", "--no-header", TESTS, *arguments]
        environment = {**os.environ, SEED_VARIABLE: seed, END_VARIABLE: str(end)}
        code = subprocess.run(command, env=environment, check=False).returncode
        failed |= 0 if code == pytest.ExitCode.INTERRUPTED and time.monotonic() > end else code
    return int(bool(failed))


def _again(word: str) -> int:
    """Put one example to all rows; 1 if they differ."""
    example = Example.of_word(word)
    rows = Rows(rows_here())
    try:
        answers = rows.answers(example)
    finally:
        rows.close()
    report = complaints(example, answers) or disagreement(example, answers)
    print(report or shown(example, answers))
    return int(report is not None)


def main() -> int:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(prog="tests.differential", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    search = commands.add_parser("search", help="run the tests with other examples each time")
    search.add_argument("--minutes", type=float, default=10.0)
    again = commands.add_parser("again", help="put one example to all rows")
    again.add_argument("word")
    options, rest = parser.parse_known_args()
    return _search(options.minutes, rest) if options.command == "search" else _again(options.word)


if __name__ == "__main__":
    sys.exit(main())
