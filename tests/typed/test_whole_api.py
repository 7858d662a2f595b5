"""That the program of the type checkers names all that is public, and runs."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import esg
from esg import testing
from esg.testing import StartServer
from tests.server import REPOSITORY, environment
from tests.typed import whole_api

BOUND = 300.0  # seconds, on a busy machine


@pytest.mark.parametrize(
    ("module", "names"),
    [("esg", esg.__all__), ("testing", testing.__all__)],
    ids=["esg", "testing"],
)
def test_every_public_name_is_used(module: str, names: list[str]) -> None:
    tree = ast.parse(Path(whole_api.__file__).read_text("utf-8"))
    used = {ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    assert {f"{module}.{name}" for name in names} <= used


def test_it_runs() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "tests.typed.whole_api"],
        cwd=REPOSITORY,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=BOUND,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_the_fixture_is_what_its_type_says(esg_server: StartServer) -> None:
    assert whole_api.start_one(esg_server) == "7"
