"""Make an interpreter ready to run ESG: a cached environment with what its tests need.

ESG itself is not installed there. It is imported from the working tree, so that one
environment serves every change of the code; its key is what is installed in it. Its fast
implementation is compiled in the tree, for each CPython beside the others.
"""

import contextlib
import fcntl
import hashlib
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.interpreters import debian_pypy
from tests.interpreters.discovery import Interpreter, probe
from tests.rows import in_ci

REPOSITORY = Path(__file__).resolve().parents[2]
EXTRA = "test-row"
_OWN_EXTRAS = re.compile(r"esg\[(?P<extras>[a-z, -]+)\]")


class InterpreterUnavailable(Exception):
    """Say why an interpreter that the tests require cannot be had here."""


@dataclass(frozen=True)
class EsgCommand:
    """Run ESG's working tree, or anything else, on one prepared interpreter."""

    interpreter: Interpreter
    python: Path

    def esg(self, *arguments: str) -> list[str]:
        """Return the argv that runs `python -m esg` there."""
        return [str(self.python), "-m", "esg", *arguments]

    def pytest(self, *arguments: str) -> list[str]:
        """Return the argv that runs pytest there."""
        return [str(self.python), "-m", "pytest", *arguments]

    def environment(self, base: Mapping[str, str] | None = None) -> dict[str, str]:
        """Return the process environment that makes it import the working tree.

        Args:
            base: what to add to; by default, this process's own environment.
        """
        environment = dict(os.environ if base is None else base)
        inherited = environment.get("PYTHONPATH")
        paths = [str(REPOSITORY), *([inherited] if inherited else [])]
        environment["PYTHONPATH"] = os.pathsep.join(paths)
        return environment


def prepare(interpreter: Interpreter) -> EsgCommand:
    """Make an interpreter ready, from the cache if it holds it.

    Raises:
        InterpreterUnavailable: it is not installed and cannot be got here.
        subprocess.CalledProcessError: a step that should have worked did not.
    """
    if interpreter.is_running:
        return EsgCommand(interpreter, Path(sys.executable))
    needed = requirements(REPOSITORY / "pyproject.toml", EXTRA)
    with locked(interpreter.name):
        installed = _installed(interpreter)
        folder = cache_folder() / f"{installed.name}-{key(installed, needed)}"
        python = folder / "bin" / "python"
        if not (folder / "complete").exists() or probe(python) is None:
            create(installed, folder, needed)
    if installed.implementation == "cpython":
        with locked("build"):
            _run(python, REPOSITORY / "setup.py", "-q", "build_ext", "--inplace", **_flags())
    return EsgCommand(installed, python)


def prepare_or_skip(interpreter: Interpreter) -> EsgCommand:
    """Prepare an interpreter for a test; if it cannot be had, fail in CI and skip elsewhere."""
    try:
        return prepare(interpreter)
    except InterpreterUnavailable as error:
        if os.environ.get("CI") == "true":
            pytest.fail(f"{interpreter.name} is required in CI: {error}", pytrace=False)
        pytest.skip(f"{interpreter.name}: {error}")


def cache_folder() -> Path:
    """Return where environments are kept: $ESG_TEST_CACHE, or .cache in the working tree."""
    chosen = os.environ.get("ESG_TEST_CACHE")
    return Path(chosen).resolve() if chosen else REPOSITORY / ".cache" / "interpreters"


def requirements(pyproject: Path, extra: str) -> list[str]:
    """List the package's dependencies and an extra's, those of extras it names included."""
    project = tomllib.loads(pyproject.read_text(encoding="utf-8"))["project"]
    return sorted({*project["dependencies"], *_extra(project, extra)})


def key(interpreter: Interpreter, needed: Iterable[str]) -> str:
    """Return the cache key of an environment: another interpreter or another need, another key."""
    parts = [str(interpreter.executable), str(interpreter.version), *sorted(needed)]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]


def _extra(project: Mapping[str, Any], extra: str) -> Iterator[str]:
    for requirement in project["optional-dependencies"][extra]:
        own = _OWN_EXTRAS.fullmatch(requirement)
        if own is None:
            yield requirement
            continue
        for name in own["extras"].split(","):
            yield from _extra(project, name.strip())


def _installed(interpreter: Interpreter) -> Interpreter:
    """Return the interpreter itself, or the PyPy unpacked in its place."""
    if interpreter.executable is not None:
        return interpreter
    folder = cache_folder() / debian_pypy.FOLDER
    reason = debian_pypy.obstacle()
    unpacked = probe(folder / debian_pypy.EXECUTABLE)
    if unpacked is None and reason is not None:
        raise InterpreterUnavailable(reason)
    return unpacked or debian_pypy.unpack(folder)


def create(interpreter: Interpreter, folder: Path, needed: Iterable[str]) -> None:
    """Make a virtual environment and fill it; `complete` is written last.

    Our own pip installs into it (--python), so the interpreter need not bring one.
    """
    complete = folder / "complete"
    complete.unlink(missing_ok=True)
    _run(interpreter.executable, "-m", "venv", "--clear", "--without-pip", folder)
    python = folder / "bin" / "python"
    _run(sys.executable, "-m", "pip", "--quiet", "--python", python, "install", *needed)
    probe.cache_clear()
    complete.touch()


def _flags() -> dict[str, str]:
    """Return the variables of a build: where nobody stays to use it, it is not optimised."""
    return {"CFLAGS": "-O0"} if in_ci() else {}


def _run(*argv: str | Path | None, **variables: str) -> None:
    done = subprocess.run(
        list(map(str, argv)),
        cwd=REPOSITORY,
        env={**os.environ, **variables},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.stderr.write(done.stdout)
        done.check_returncode()


@contextlib.contextmanager
def locked(name: str) -> Iterator[None]:
    """Let one process at a time change a part of the cache; the others wait for what it makes."""
    cache_folder().mkdir(parents=True, exist_ok=True)
    with (cache_folder() / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
