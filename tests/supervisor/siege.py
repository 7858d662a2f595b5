"""Honest and hostile clients of the same workers, for minutes: nobody honest loses anything."""

from __future__ import annotations

import re
import time
from pathlib import Path

from tests.hardening import besiegers
from tests.hardening.besiegers import under_siege
from tests.hardening.memory import MEBIBYTE
from tests.rows import Row
from tests.server import ServerProcess
from tests.supervisor.load import Load, running
from tests.supervisor.mixed_load import MixedLoad
from tests.supervisor.test_workers import SERVES, serving

APP = "tests.apps.soaked:app"
WORKERS = 4
# Of one worker, from a quarter of the siege to its end.
MOST_GROWTH = 8 * MEBIBYTE
# Seconds that a measurement of the throughput takes, and how often it is repeated, for the machine
# may have been busy; what the throughput must at least be of what it was.
WINDOW = 3.0
ATTEMPTS = 8
AS_BEFORE = 0.8


def besiege(row: Row, seconds: float, seed: int) -> str:
    """Do it; return what was seen, in a line.

    Raises:
        AssertionError: something was lost, kept or answered wrongly.
    """
    server = ServerProcess(
        [
            *(*row.options, "--workers", str(WORKERS), "--port", "0", "--no-access-log"),
            *(*besiegers.OPTIONS, APP),
        ]
    )
    try:
        server.wait_started()
        server.stderr.wait_for(SERVES, count=WORKERS)
        workers = serving(server)
        with running(MixedLoad(server.address)) as load:
            before = max(throughput(load) for _ in range(2))
            with under_siege(server.address, seed) as hostile:
                time.sleep(seconds / 4)
                memory = [memory_of(number) for number in sorted(workers)]
                time.sleep(seconds * 3 / 4)
            after = regained(load, before)
        grown = [memory_of(number) - m for number, m in zip(sorted(workers), memory, strict=True)]
        said = (
            f"{load.answers.total()} answers, {load.uploads} uploads, {load.texts} texts beside "
            f"{hostile.done.total()} hostile clients of {len(hostile.done)} kinds; "
            f"{before:.0f} answers/s before, {after:.0f} after; workers of {max(memory) >> 20} MiB "
            f"have grown by {[size >> 10 for size in grown]} KiB"
        )
        assert not load.failures, (load.failures[:5], said)
        assert not hostile.failures, (hostile.failures[:5], said)
        assert serving(server) == workers, said
        assert after >= before * AS_BEFORE, said
        assert max(grown) < MOST_GROWTH, said
        assert server.stop() == 0
        return said
    finally:
        server.end()


def throughput(load: Load) -> float:
    """Return the answers per second of a moment."""
    begun, before = time.monotonic(), load.answers.total()
    time.sleep(WINDOW)  # it is what is measured
    return (load.answers.total() - before) / (time.monotonic() - begun)


def regained(load: Load, before: float) -> float:
    """Return the throughput as soon as it is what it was, or else the best one seen."""
    best = 0.0
    for _ in range(ATTEMPTS):
        best = max(best, throughput(load))
        if best >= before * AS_BEFORE:
            break
    return best


def memory_of(number: int) -> int:
    """Return the resident memory of a process in bytes."""
    status = Path(f"/proc/{number}/status").read_text("ascii")
    found = re.search(r"VmRSS:\s+(\d+) kB", status)
    assert found
    return int(found[1]) * 1024
