"""The archives of the last commit: what they hold, and that they serve where nothing else is."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import esg
from release import archives
from tests.interpreters import Interpreter
from tests.server import REPOSITORY

pytestmark = [
    pytest.mark.skipif(
        not (REPOSITORY / ".git").exists(), reason="only what is committed is released"
    ),
    pytest.mark.skipif(sys.implementation.name != "cpython", reason="CPython builds releases"),
]
BOUND = 900.0  # seconds, on a busy machine


def release(*arguments: str | Path) -> str:
    """Run the command; return what it printed."""
    done = subprocess.run(
        [sys.executable, "-m", "release", *map(str, arguments)],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=BOUND,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_source_distribution_is_complete(tmp_path: Path) -> None:
    made = archives.build_sdist(tmp_path)
    assert made.name == f"esg-{esg.__version__}.tar.gz"
    release("check", "--folder", tmp_path, "--only", "none")


@pytest.mark.exhaustive
@pytest.mark.timeout(2 * BOUND)
def test_each_serves_where_nothing_else_is(tmp_path: Path) -> None:
    folder = ("--folder", tmp_path / "dist", "--only", Interpreter.running().name, "pypy3.11")
    release("build", *folder)
    said = release("check", *folder)
    assert f"{Interpreter.running().name}  serves from esg-" in said
    assert "pypy3.11     serves from esg-" in said
