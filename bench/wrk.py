"""Put a load of HTTP by wrk, where that is installed and can put it."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from environment import BENCH
from live_server import Place, pinned
from load import Begin, LoadError, LoadSummary, read_summary
from scenarios import HttpScenario
from servers import TLS, UNIX

RESPONSE_TIMEOUT = "10s"
SPARE_SECONDS = 30
MOST_CONNECTIONS = 100  # It opens all at once and starts the clock; a listener's queue is short.


def is_there() -> bool:
    """Tell whether wrk is installed."""
    return shutil.which("wrk") is not None


def can_put(scenario: HttpScenario) -> bool:
    """Tell whether a load is of a kind that wrk puts."""
    if scenario.mode == UNIX or scenario.slow or scenario.streams:
        return False
    # It takes a close that an answer does not announce for an error.
    if scenario.closes and scenario.mode != TLS:
        return False
    return scenario.connections <= MOST_CONNECTIONS


@contextlib.contextmanager
def opened(scenario: HttpScenario, place: Place, seconds: int, core: int) -> Iterator[Begin]:
    """Be ready to put the load of a scenario on a server for some whole seconds.

    Yields:
        What does it, and returns what was counted. That raises LoadError if wrk failed, or hung.
    """
    with tempfile.TemporaryDirectory() as folder:
        request = Path(folder, "request")
        request.write_bytes(scenario.request * scenario.pipelined)
        scheme = "https" if scenario.mode == TLS else "http"
        command = [
            *("wrk", "--threads", "1", "--connections", str(scenario.connections)),
            *("--duration", f"{seconds}s", "--timeout", RESPONSE_TIMEOUT),
            *("--script", "load/request.lua", f"{scheme}://127.0.0.1:{place.port}/"),
        ]

        def begin() -> LoadSummary:
            with pinned(core):
                return _run(command, seconds, {**os.environ, "REQUEST": str(request)})

        yield begin


def _run(command: Sequence[str], seconds: int, variables: Mapping[str, str]) -> LoadSummary:
    """Run wrk and read what it counted.

    Raises:
        LoadError: It failed, or hung.
    """
    try:
        done = subprocess.run(
            command,
            check=False,  # What it printed tells more than its exit code.
            cwd=BENCH,
            env=variables,
            capture_output=True,
            text=True,
            timeout=seconds + SPARE_SECONDS,
        )
    except subprocess.TimeoutExpired as error:
        raise LoadError("wrk did not end in time") from error
    summary = read_summary(done.stdout)
    if summary is None:
        raise LoadError(f"wrk failed (exit {done.returncode}): {done.stderr.strip()}")
    return summary
