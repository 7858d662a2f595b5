"""The two programs that put AutobahnTestSuite's cases to a server."""

from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from tests.autobahn.outcomes import CASES, PROTOCOL, Outcome, read_outcomes
from tests.autobahn.python2 import find_python2, prepare_wstest

AT_ONCE = 4
"""Cases that kosoku puts at the same time; the suite itself puts one after the other."""


class EngineError(Exception):
    """An engine is missing, did not end in time, or wrote no report."""


class Engine(Protocol):
    """Put cases to a server."""

    @property
    def name(self) -> str:
        """What it is called on the command line and in the report."""

    @property
    def groups(self) -> Sequence[str]:
        """The groups of cases that it can put."""

    def prepare(self) -> None:
        """Install what it needs, where that is not there yet."""

    def judge(
        self, port: int, cases: Sequence[str], folder: Path, bound: float
    ) -> dict[str, Outcome]:
        """Put cases to a server and return what it made of them.

        Args:
            port: where the server listens on 127.0.0.1.
            cases: numbers, or patterns such as "6.*".
            folder: where the reports go; what is in it is removed first.
            bound: seconds after which the engine itself is taken for hanging.

        Raises:
            EngineError: there is no outcome.
        """


@dataclass(frozen=True)
class Kosoku:
    """Drive the suite's case files by kosoku; each case has 20 seconds at most.

    Those of compression are beyond it: its version 0.1 fails at a message that the server sends as
    it is, which is the server's choice (RFC 7692 section 6).
    """

    name: str = "kosoku"
    groups: tuple[str, ...] = PROTOCOL
    at_once: int = AT_ONCE

    def prepare(self) -> None:
        """Do nothing: it comes with the tests."""

    def judge(
        self, port: int, cases: Sequence[str], folder: Path, bound: float
    ) -> dict[str, Outcome]:
        """Put the cases, several at the same time."""
        _empty(folder)
        chosen = [word for case in cases for word in ("--include", case)]
        program = "from kosoku._cli import main; main()"
        options = ("--parallelism", str(self.at_once), "--outdir", str(folder), *chosen)
        _run([sys.executable, "-c", program, *options, f"127.0.0.1:{port}"], folder, bound)
        return _outcomes(folder)


@dataclass(frozen=True)
class Autobahn:
    """Run the suite itself.

    Args:
        python: the CPython 2.7 that it runs on.
    """

    python: Path
    name: str = "autobahn"
    groups: tuple[str, ...] = tuple(CASES)

    def prepare(self) -> None:
        """Make the suite's environment."""
        prepare_wstest(self.python)

    def judge(
        self, port: int, cases: Sequence[str], folder: Path, bound: float
    ) -> dict[str, Outcome]:
        """Put the cases, one after the other."""
        wstest = prepare_wstest(self.python)
        _empty(folder)
        specification = {
            "outdir": str(folder),
            "servers": [{"agent": "ESG", "url": f"ws://127.0.0.1:{port}"}],
            "cases": list(cases),
            "exclude-cases": [],
            "exclude-agent-cases": {},
        }
        file = folder / "specification.json"
        file.write_text(json.dumps(specification), "utf-8")
        _run([str(wstest), "--mode", "fuzzingclient", "--spec", str(file)], folder, bound)
        return _outcomes(folder)


def find_engines() -> dict[str, Engine]:
    """Return the engines that this machine offers, by name; the suite itself first."""
    python = find_python2()
    found: list[Engine] = [] if python is None else [Autobahn(python)]
    if importlib.util.find_spec("kosoku") is not None:
        found.append(Kosoku())
    return {engine.name: engine for engine in found}


def _empty(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)


def _run(command: Sequence[str], folder: Path, bound: float) -> None:
    """Run an engine with its output in the folder; its exit code tells of cases, not of itself."""
    with (folder / "engine.log").open("wb") as log:
        try:
            subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                timeout=bound,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise EngineError(f"no end within {bound:g} s: {_last_line(folder)}") from error


def _outcomes(folder: Path) -> dict[str, Outcome]:
    index = folder / "index.json"
    if not index.exists():
        raise EngineError(f"no report: {_last_line(folder)}")
    return read_outcomes(index)


def _last_line(folder: Path) -> str:
    lines = (folder / "engine.log").read_text("utf-8", "replace").split("\n")
    return next((line.strip() for line in reversed(lines) if line.strip()), "it wrote nothing")
