"""The targets of the suite: which servers run the cases, and how each is started.

ESG's are the rows of `tests.rows` on the running interpreter, and the first row on every other
interpreter that is found. Any other server is a target by a command line.
"""

from __future__ import annotations

import functools
import shlex
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.interpreters import Interpreter, find_interpreters, prepare_or_skip
from tests.rows import FIRST_ROW, ROWS, Row, in_ci

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parent.parent

WHOLE, SPLIT = "whole", "split"

# What every ESG process of the suite is started with; a case's own options come after these.
OPTIONS = ("--port", "0", "--log-level", "debug", "--timeout-keep-alive", "30")


@dataclass(frozen=True)
class Target:
    """One server configuration under test.

    Args:
        id: the name in a test's.
        command: the argv, with {python}, {app}, {app_dir} and {port} left open.
        modes: whole requests, or also byte by byte.
        exact: it is ESG: held to its own decisions (CHOICE) and the exact form of its answers.
        interpreter: what runs it, if that is not the running one.
        missing: why it cannot run here, None if it can.
    """

    id: str
    command: tuple[str, ...]
    modes: tuple[str, ...] = (WHOLE, SPLIT)
    exact: bool = True
    interpreter: Interpreter | None = None
    missing: str | None = None

    def argv(self, options: tuple[str, ...], app: str, port: int) -> list[str]:
        """Return the command line of one process."""
        python = sys.executable if self.interpreter is None else python_of(self.interpreter)
        places = {"python": python, "app": app, "port": port, "app_dir": REPOSITORY}
        return [*(word.format(**places) for word in self.command), *options]


@functools.cache
def python_of(interpreter: Interpreter) -> str:
    """Return the Python that runs ESG on another interpreter; skip where it cannot be had."""
    return str(prepare_or_skip(interpreter).python)


def _command(row: Row) -> tuple[str, ...]:
    served = ("--app-dir", "{app_dir}", "{app}")
    return ("{python}", "-m", "esg", *row.options, *OPTIONS, *served)


@functools.cache
def own_targets() -> tuple[Target, ...]:
    """Return ESG's targets: every row here, and the first row on the other interpreters."""
    here = [Target(row.id, _command(row), missing=row.missing) for row in ROWS]
    elsewhere = [
        Target(f"{FIRST_ROW.id}-{other.name}", _command(FIRST_ROW), (WHOLE,), interpreter=other)
        for other in find_interpreters()
        if not other.is_running
    ]
    return (*here, *elsewhere)


def foreign_target(template: str) -> Target:
    """Return the target of any other server, from a command with {app} and {port} in it."""
    words = shlex.split(template)
    return Target(Path(words[0]).name, tuple(words), exact=False)


def require(target: Target) -> None:
    """Skip a target that cannot run here; in CI that is an error."""
    if target.interpreter is not None:
        python_of(target.interpreter)
    if target.missing and in_ci():
        pytest.fail(f"{target.id} cannot run: {target.missing}", pytrace=False)
    if target.missing:
        pytest.skip(f"{target.id}: {target.missing}")
