"""Run the load generator and read what it counted."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass

from environment import BENCH
from live_server import pinned
from scenarios import Scenario

HOW_TO_GET_IT = "wrk is not installed: `apt-get install wrk` on Debian and Ubuntu"
SUMMARY = "SUMMARY "
RESPONSE_TIMEOUT = "10s"
SPARE_SECONDS = 30


class LoadError(Exception):
    """The load generator is missing or failed."""


@dataclass(frozen=True)
class LoadSummary:
    """What a load counted in one run; times in microseconds."""

    requests: int
    duration: int
    p50: float
    p99: float
    errors: Mapping[str, int]

    @property
    def problem(self) -> str | None:
        """Name the errors that the load saw, if any."""
        seen = [f"{count} {kind}" for kind, count in self.errors.items() if count]
        if not self.requests:
            seen.insert(0, "no answer")
        return f"the load saw: {', '.join(seen)}" if seen else None


def require() -> None:
    """Check that wrk is there.

    Raises:
        LoadError: It is not; the text says how to get it.
    """
    if shutil.which("wrk") is None:
        raise LoadError(HOW_TO_GET_IT)


def run(scenario: Scenario, port: int, seconds: int, core: int) -> LoadSummary:
    """Put the load of a scenario on a port of 127.0.0.1.

    Args:
        scenario: What is sent, and over how many connections.
        port: Where to.
        seconds: How long, in whole seconds.
        core: Number of the core that wrk is pinned to.

    Raises:
        LoadError: wrk failed, or hung.
    """
    command = [
        *("wrk", "--threads", "1", "--connections", str(scenario.connections)),
        *("--duration", f"{seconds}s", "--timeout", RESPONSE_TIMEOUT),
        *("--script", f"load/{scenario.script}.lua", f"http://127.0.0.1:{port}/"),
    ]
    with pinned(core):
        try:
            done = subprocess.run(
                command,
                check=False,  # What it printed tells more than its exit code.
                cwd=BENCH,
                capture_output=True,
                text=True,
                timeout=seconds + SPARE_SECONDS,
            )
        except subprocess.TimeoutExpired as error:
            raise LoadError("wrk did not end in time") from error
    return _read_summary(done)


def _read_summary(done: subprocess.CompletedProcess[str]) -> LoadSummary:
    """Find the line that load/summary.lua prints.

    Raises:
        LoadError: There is none.
    """
    for line in done.stdout.splitlines():
        if line.startswith(SUMMARY):
            counted = json.loads(line.removeprefix(SUMMARY))
            return LoadSummary(
                counted["requests"],
                counted["duration"],
                counted["p50"],
                counted["p99"],
                counted["errors"],
            )
    raise LoadError(f"wrk failed (exit {done.returncode}): {done.stderr.strip()}")
