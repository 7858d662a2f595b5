"""What a load is and what it counts, whatever program puts it."""

from __future__ import annotations

import contextlib
import json
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from environment import BENCH, PROGRAMS, compile_program
from live_server import pinned

SUMMARY, READY = "SUMMARY ", "READY "


class LoadError(Exception):
    """What puts the load is missing or failed."""


@dataclass(frozen=True)
class LoadSummary:
    """What a load counted in one run; times in microseconds."""

    requests: int
    duration: int
    p50: float
    p99: float
    p999: float
    errors: Mapping[str, int]

    @property
    def problem(self) -> str | None:
        """Name the errors that the load saw, if any."""
        seen = [f"{count} {kind}" for kind, count in self.errors.items() if count]
        if not self.requests:
            seen.insert(0, "no answer")
        return f"the load saw: {', '.join(seen)}" if seen else None


Begin = Callable[[], LoadSummary]


def compiled(name: str) -> Path:
    """Return one of the load programs, compiled where it has changed.

    Raises:
        LoadError: It cannot be compiled; the text says why.
    """
    program = PROGRAMS / name
    reason = compile_program(BENCH / f"{name}.c", program, BENCH / "load_core.h")
    if reason is not None:
        raise LoadError(reason)
    return program


def read_summary(output: str) -> LoadSummary | None:
    """Find the line that a load prints in the end."""
    for line in output.splitlines():
        if line.startswith(SUMMARY):
            return LoadSummary(**json.loads(line.removeprefix(SUMMARY)))
    return None


@contextlib.contextmanager
def opened(command: Sequence[object], core: int) -> Iterator[Begin]:
    """Run a load program on one core; its connections are open while the body runs.

    Yields:
        What begins the load, and returns what it counted. That raises LoadError if it failed.

    Raises:
        LoadError: Not all connections can be opened.
    """
    with pinned(core):
        process = subprocess.Popen(
            [str(word) for word in command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
    with process:
        source, sink = process.stdout, process.stdin
        assert source is not None
        assert sink is not None
        ready = source.readline()
        if not ready.startswith(READY) or json.loads(ready.removeprefix(READY))["refused"]:
            raise LoadError(f"not all connections were opened: {ready.strip()}")

        def begin() -> LoadSummary:
            sink.write("\n")
            sink.flush()
            summary = read_summary(source.readline())
            if summary is None:
                raise LoadError(f"the load failed (exit {process.wait()})")
            return summary

        yield begin
