"""What is installed beside an interpreter, under which key, and what is said without it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.interpreters import debian_pypy, environment
from tests.interpreters.discovery import Interpreter

PYPROJECT = """
[project]
dependencies = ["anyio>=4", "h11"]
[project.optional-dependencies]
trio = ["trio", "anyio>=4"]
loops = ["uvloop; sys_platform != 'win32'"]
rows = ["esg[trio, loops]", "pytest"]
"""
MISSING_PYPY = Interpreter("pypy", (3, 11, 0), None)


@pytest.fixture
def no_pypy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Give a machine that has no PyPy and no way to get it."""
    monkeypatch.setenv("ESG_TEST_CACHE", str(tmp_path))
    monkeypatch.setattr(debian_pypy, "obstacle", lambda: "no apt here")


def test_requirements_follow_the_package_s_own_extras(tmp_path: Path) -> None:
    pyproject = tmp_path / "pyproject.toml"
    pyproject.write_text(PYPROJECT)
    assert environment.requirements(pyproject, "rows") == [
        "anyio>=4",
        "h11",
        "pytest",
        "trio",
        "uvloop; sys_platform != 'win32'",
    ]


def test_requirements_of_this_package() -> None:
    needed = environment.requirements(environment.REPOSITORY / "pyproject.toml", environment.EXTRA)
    names = {requirement.split(">")[0] for requirement in needed}
    assert {"anyio", "click", "h11", "pytest", "trio", "wsproto"} <= names
    assert not any(name.startswith("esg") for name in names)


def test_key_changes_with_what_is_installed() -> None:
    python = Interpreter("cpython", (3, 12, 1), Path("/usr/bin/python3.12"))
    newer = Interpreter("cpython", (3, 12, 2), python.executable)
    key = environment.key(python, ["a", "b"])
    assert key == environment.key(python, ["b", "a"])
    assert len({key, environment.key(python, ["a"]), environment.key(newer, ["a", "b"])}) == 3


def test_running_interpreter_needs_nothing() -> None:
    command = environment.prepare(Interpreter.running())
    assert command.esg("--port", "0") == [sys.executable, "-m", "esg", "--port", "0"]
    assert command.pytest("-x") == [sys.executable, "-m", "pytest", "-x"]


def test_environment_imports_the_working_tree(tmp_path: Path) -> None:
    command = environment.prepare(Interpreter.running())
    script = "import esg._version; print(esg._version.__file__)"
    answer = subprocess.run(
        [command.python, "-c", script],
        env=command.environment(),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert Path(answer.stdout.strip()) == environment.REPOSITORY / "esg" / "_version.py"


def test_environment_keeps_what_was_there() -> None:
    command = environment.prepare(Interpreter.running())
    made = command.environment({"PYTHONPATH": "/elsewhere", "LANG": "C"})
    assert made == {
        "PYTHONPATH": f"{environment.REPOSITORY}{os.pathsep}/elsewhere",
        "LANG": "C",
    }


@pytest.mark.usefixtures("no_pypy")
def test_missing_pypy_says_why() -> None:
    with pytest.raises(environment.InterpreterUnavailable, match="no apt here"):
        environment.prepare(MISSING_PYPY)


@pytest.mark.usefixtures("no_pypy")
@pytest.mark.parametrize(
    ("ci", "outcome"), [("true", pytest.fail.Exception), ("", pytest.skip.Exception)]
)
def test_missing_pypy_fails_in_ci_and_skips_elsewhere(
    ci: str, outcome: type[BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CI", ci)
    with pytest.raises(outcome, match="no apt here"):
        environment.prepare_or_skip(MISSING_PYPY)
