"""Find the interpreters of this machine, without installing or changing anything.

A name on PATH proves nothing (a version manager's shim exists for versions that are not
active), so every candidate is asked what it is.
"""

import functools
import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self

CPYTHON_MINORS = (11, 12, 13, 14)
PYPY_MINOR = 11
PROBE_TIMEOUT = 30.0  # seconds
_PROBE = (
    "import json, sys;"
    "print(json.dumps([sys.implementation.name, list(sys.version_info[:3]), sys.executable]))"
)


@dataclass(frozen=True)
class Interpreter:
    """Describe one Python interpreter; `executable` is None while PyPy is not yet unpacked."""

    implementation: str
    version: tuple[int, int, int]
    executable: Path | None

    @property
    def name(self) -> str:
        """Name it for a test's id, such as `cpython3.12`."""
        return f"{self.implementation}{self.version[0]}.{self.version[1]}"

    @property
    def is_running(self) -> bool:
        """Tell whether it is the one that runs the tests."""
        return self.executable == Path(sys.executable)

    @classmethod
    def running(cls) -> Self:
        """Describe the one that runs the tests, in its virtual environment."""
        return cls(sys.implementation.name, sys.version_info[:3], Path(sys.executable))


def find_interpreters() -> list[Interpreter]:
    """List the running interpreter, every other CPython >= 3.11 found, and PyPy 3.11.

    One of each minor version. PyPy is listed even if it is not installed, because the tests
    require it: `prepare` gets it, or says why it cannot.
    """
    running = Interpreter.running()
    pypy = find_pypy() or Interpreter("pypy", (3, PYPY_MINOR, 0), None)
    others = [*find_cpythons(), pypy]
    return [running, *(other for other in others if other.name != running.name)]


def find_cpythons() -> list[Interpreter]:
    """List a CPython of each minor version that runs here, oldest first."""
    found = (find_cpython(minor) for minor in CPYTHON_MINORS)
    return [interpreter for interpreter in found if interpreter is not None]


def find_cpython(minor: int) -> Interpreter | None:
    """Return the first CPython 3.`minor` of PATH and of pyenv that runs."""
    return _first("cpython", minor, candidates([f"python3.{minor}"]))


def find_pypy() -> Interpreter | None:
    """Return the first PyPy 3.11 of PATH and of pyenv that runs."""
    return _first("pypy", PYPY_MINOR, candidates([f"pypy3.{PYPY_MINOR}", "pypy3"]))


def candidates(names: Iterable[str]) -> Iterator[Path]:
    """Yield the executable files so named on PATH, then among pyenv's versions."""
    names = list(names)
    for folder in search_folders(os.environ.get("PATH", ""), _pyenv_root()):
        for name in names:
            path = folder / name
            if path.is_file() and os.access(path, os.X_OK):
                yield path


def search_folders(path_variable: str, pyenv_root: Path) -> list[Path]:
    """List where to look: PATH's folders in order, then pyenv's versions, newest first.

    pyenv's shims are left out: they start slowly, and lead to those same versions.
    """
    on_path = [Path(entry) for entry in path_variable.split(os.pathsep) if entry]
    on_path = [folder for folder in on_path if folder != pyenv_root / "shims"]
    versions = sorted(pyenv_root.glob("versions/*/bin"), key=_version_key, reverse=True)
    return [*on_path, *versions]


@functools.cache
def probe(executable: Path) -> Interpreter | None:
    """Ask an executable what it is; None if it does not run or is no Python.

    Its environment is isolated (-I): a PYTHONPATH of ours must not decide the answer.
    """
    try:
        answer = subprocess.run(
            [executable, "-I", "-c", _PROBE],
            capture_output=True,
            timeout=PROBE_TIMEOUT,
            check=True,
        ).stdout
        implementation, version, path = json.loads(answer)
    except (OSError, ValueError, subprocess.SubprocessError):
        return None
    major, minor, micro = version
    return Interpreter(implementation, (major, minor, micro), Path(path))


def _first(implementation: str, minor: int, paths: Iterable[Path]) -> Interpreter | None:
    for found in map(probe, paths):
        if (
            found is not None
            and found.implementation == implementation
            and found.version[:2] == (3, minor)
        ):
            return found
    return None


def _version_key(folder: Path) -> tuple[tuple[int, int | str], ...]:
    """Order `3.9.18` before `3.12.1`, and numbers before words."""
    parts = folder.parent.name.split(".")
    return tuple((0, int(part)) if part.isdigit() else (1, part) for part in parts)


def _pyenv_root() -> Path:
    return Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
