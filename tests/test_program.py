"""What ESG does as the program: its standard streams, and what it does not import."""

from __future__ import annotations

import subprocess
import sys

import pytest

import esg
from tests.rows import Row
from tests.server import REPOSITORY, environment

# A loop, and what comes with it.
LOOPS = ("anyio", "asyncio", "ssl", "trio", "uvloop", "esg.server")
# What few need: it is imported where they do.
SELDOM = ("difflib", "email.utils", "esg.interfaces.wsgi", "h11", "multiprocessing", "tomllib")


def imported(statement: str, names: tuple[str, ...]) -> list[str]:
    """Return which modules a fresh interpreter has, of those named, after a statement."""
    code = f"{statement}; import sys; print([n for n in {names!r} if n in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env=environment(),
        cwd=REPOSITORY,
    )
    found: list[str] = eval(done.stdout)
    return found


def test_a_supervisor_has_no_loop() -> None:
    """It costs every server with workers time and memory, and would be of no use."""
    assert imported("import esg.cli, esg.supervisor.supervisor", LOOPS) == []


def test_a_server_has_nothing_that_few_need() -> None:
    row = Row("fast", "asyncio")
    if row.missing:
        pytest.skip(row.missing)
    assert imported("import esg.cli, esg.process, esg.accel.server", SELDOM) == []


def test_the_facade_has_what_it_imports_late() -> None:
    assert all(hasattr(esg, name) for name in esg.__all__)
    with pytest.raises(AttributeError, match="module 'esg' has no attribute 'serve'"):
        esg.serve  # type: ignore[attr-defined]  # noqa: B018


@pytest.mark.parametrize("stream", [0, 1, 2])
def test_a_closed_stream_does_not_become_a_socket(stream: int) -> None:
    """Else what is written to it would go to a client."""
    code = (
        "import os, sys, esg.program\n"
        "os.close(%d)\n"
        "esg.program.occupy_standard_streams()\n"
        "sys.exit(0 if os.open(os.devnull, os.O_RDONLY) > 2 else 1)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code % stream], check=False, env=environment(), cwd=REPOSITORY
    )
    assert done.returncode == 0
