"""How many examples a test sees, and which: the same in every run, or a round of a longer search.

`make test` draws the same examples every time. `make fuzz-differential` runs the same tests in
rounds, each with a seed of its own in the environment.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, seed, settings

SEED_VARIABLE = "DIFFERENTIAL_SEED"
SEED = os.environ.get(SEED_VARIABLE)

Test = Callable[..., None]


def examples(count: int) -> Callable[[Test], Test]:
    """Give a test `count` examples: as ever, or as the round's seed says."""

    def decorated(test: Test) -> Test:
        test = _settings(count)(test)
        return test if SEED is None else seed(int(SEED))(test)

    return decorated


def _settings(count: int) -> settings:
    # A deadline would measure the machine, and a data base would make two runs differ.
    return settings(
        max_examples=count,
        derandomize=SEED is None,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )


def command(example: Any) -> str:
    """Write the line that puts one example to all rows again."""
    return f".venv/bin/python -m tests.differential again {example.word()}"
