"""How many examples a test sees, and which: the same in every run, or a round of a longer search.

`make test` draws the same examples every time. `make fuzz-differential` runs the same tests in
rounds, each with a seed of its own in the environment.
"""

from __future__ import annotations

import functools
import os
import time
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, seed, settings

SEED_VARIABLE = "DIFFERENTIAL_SEED"
SEED = os.environ.get(SEED_VARIABLE)

# When a search is to end, by the monotonic clock that all processes share.
END_VARIABLE = "DIFFERENTIAL_END"
END = float(os.environ.get(END_VARIABLE, "inf"))

Test = Callable[..., None]


class TimeIsUp(KeyboardInterrupt):
    """End a search; neither hypothesis nor pytest takes it for a failure."""


def examples(count: int) -> Callable[[Test], Test]:
    """Give a test `count` examples: as ever, or as the round's seed says."""

    def decorated(test: Test) -> Test:
        test = _settings(count)(_until_the_end(test))
        return test if SEED is None else seed(int(SEED))(test)

    return decorated


def _until_the_end(test: Test) -> Test:
    """Let a search end between two examples, unless one has failed and is being shrunk."""
    failed = False

    @functools.wraps(test)
    def run(*arguments: Any, **details: Any) -> None:
        nonlocal failed
        if not failed and time.monotonic() > END:
            raise TimeIsUp
        try:
            test(*arguments, **details)
        except BaseException:
            failed = True
            raise

    return run


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
