"""The rows of the suite: which servers run the cases, and how each is started."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parent.parent

WHOLE, SPLIT = "whole", "split"

# What every ESG process of the suite is started with; a case's own options come after these.
ESG_OPTIONS = ("--port", "0", "--log-level", "debug", "--timeout-keep-alive", "30")


@dataclass(frozen=True)
class Row:
    """One server configuration under test.

    `command` is the argv with `{app}` and `{port}` left open. `exact` rows are ESG's: they are
    held to its own decisions (CHOICE) and to the exact form of its own answers, too.
    `unavailable` says why the row cannot run here.
    """

    id: str
    command: tuple[str, ...]
    modes: tuple[str, ...] = (WHOLE, SPLIT)
    exact: bool = True
    environment: Mapping[str, str] = field(default_factory=dict)
    unavailable: str | None = None

    def argv(self, options: tuple[str, ...], app: str, port: int) -> list[str]:
        """Return the command line of one process."""
        words = [word.format(app=app, port=port, app_dir=HERE) for word in self.command]
        return [*words, *options]


def esg_command(prefix: tuple[str, ...], impl: str, loop: str) -> tuple[str, ...]:
    """Return the command that serves the scripted app on one implementation and loop."""
    return (
        *prefix,
        "--impl",
        impl,
        "--loop",
        loop,
        *ESG_OPTIONS,
        "--app-dir",
        "{app_dir}",
        "{app}",
    )


def own_rows() -> list[Row]:
    """Return ESG's rows on the running interpreter."""
    prefix = (sys.executable, "-m", "esg")
    pairs = [("pure", "asyncio"), ("pure", "trio"), ("pure", "uvloop")]
    return [Row(f"{impl}-{loop}", esg_command(prefix, impl, loop)) for impl, loop in pairs]


def foreign_row(template: str) -> Row:
    """Return the row of any other server, from a command with {app} and {port} in it."""
    name = Path(shlex.split(template)[0]).name
    return Row(name, tuple(shlex.split(template)), exact=False)


def in_ci() -> bool:
    """Tell whether a row that cannot run is an error."""
    return os.environ.get("CI", "") not in ("", "0", "false")
