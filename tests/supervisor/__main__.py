"""`python -m tests.supervisor`: everything that happens to workers, mixed, for minutes.

First hostile clients of every kind beside honest ones: no honest one may lose anything, the workers
must hold no more at the end, and be as fast. Then the same while workers are killed, blocked,
stopped and replaced: what may fail are the requests in those that are killed or blocked from outside,
but nothing may be answered wrongly. At the end all workers must serve, and the supervisor must hold
no more than at its beginning.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import sys
import time
from collections import Counter
from fnmatch import fnmatch

from tests.hardening import besiegers
from tests.hardening.besiegers import under_siege
from tests.rows import ROWS, Row
from tests.server import ServerProcess
from tests.supervisor.load import Load, running
from tests.supervisor.mixed_load import MixedLoad
from tests.supervisor.siege import APP, besiege
from tests.supervisor.test_workers import SERVES, serving

WORKERS = 4
OPTIONS = (
    *("--workers", str(WORKERS), "--port", "0", "--no-access-log"),
    *("--timeout-worker-healthcheck", "5", "--timeout-keep-alive", "1"),
    *("--limit-max-requests", "3000", "--limit-max-requests-jitter", "1000"),
    *("--worker-max-age", "60", *besiegers.OPTIONS),
)
SIGNALS = (signal.SIGHUP, signal.SIGTTIN, signal.SIGTTOU, signal.SIGUSR1, signal.SIGQUIT)
DEADLY = ("kill", "block")
SETTLED_WITHIN = 120.0  # seconds
MOST_GROWTH = 8 * 2**20  # bytes, of the supervisor


class Soak:
    """Trouble one server.

    Args:
        row: what it runs on.
        chance: what decides on the next trouble.
    """

    def __init__(self, row: Row, chance: random.Random) -> None:
        self._chance = chance
        self._done: Counter[str] = Counter()
        self._server = ServerProcess([*row.options, *OPTIONS, APP])

    def run(self, seconds: float) -> None:
        """Do it, and look at what is left.

        Raises:
            AssertionError: something was lost that need not have been.
        """
        server = self._server
        try:
            server.wait_started()
            server.stderr.wait_for(SERVES, count=WORKERS)
            before = server.memory()
            with running(MixedLoad(server.address)) as load:
                with under_siege(server.address, self._chance.randrange(10**6)) as hostile:
                    self._trouble(load, seconds)
                self._wait_until_settled()
                failed = len(load.failures)
                load.wait_for_answers(500)
                assert len(load.failures) == failed, load.failures[failed:]
            deadly = sum(self._done[name] for name in DEADLY)
            assert failed <= deadly * load.clients, load.failures
            assert not load.wrong, load.wrong
            assert not hostile.failures, hostile.failures
            assert server.memory() < before + MOST_GROWTH, (before, server.memory())
            assert server.stop() == 0
            print(
                f"{load.answers.total()} answers, {load.uploads} uploads, {load.texts} texts, "
                f"{failed} failures beside {hostile.done.total()} hostile clients; "
                f"{dict(self._done)}"
            )
        finally:
            server.end()

    def _trouble(self, load: Load, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            what = self._chance.choice((*SIGNALS, *DEADLY, "stop"))
            if isinstance(what, signal.Signals):
                self._server.send_signal(what)
            else:
                self._end_one(what)
            self._done[what if isinstance(what, str) else what.name] += 1
            load.wait_for_answers(self._chance.randrange(20, 400))

    def _end_one(self, how: str) -> None:
        if how == "block":
            with self._server.connect() as client:
                client.request("/block")
            return
        victims = serving(self._server)
        if victims:
            number = signal.SIGKILL if how == "kill" else signal.SIGTERM
            try:
                os.kill(self._chance.choice(sorted(victims)), number)
            except ProcessLookupError:
                self._done[how] -= 1  # it has just gone

    def _wait_until_settled(self) -> None:
        """Have as many workers as at the beginning, all of them new."""
        old = serving(self._server)
        self._server.send_signal(signal.SIGHUP)
        deadline = time.monotonic() + SETTLED_WITHIN
        while (now := serving(self._server)) & old or len(now) != WORKERS:
            assert time.monotonic() < deadline, (old, now, self._server.stderr.text[-3000:])
            self._server.stderr.wait_for("", since=len(self._server.stderr()), within=60)


def main() -> None:
    """Soak every row for its share of the time."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    parser.add_argument("--rows", default="*", help="a pattern, such as 'fast-*'")
    given = parser.parse_args()
    rows = [row for row in ROWS if not row.missing and fnmatch(row.id, given.rows)]
    print(f"seed {given.seed}")
    for row in rows:
        seconds = given.minutes * 60 / len(rows) / 2
        print(f"{row.id}: ", end="", flush=True)
        print(besiege(row, seconds, given.seed), flush=True)
        print(f"{row.id}: ", end="", flush=True)
        Soak(row, random.Random(given.seed)).run(seconds)
    sys.exit(0)


if __name__ == "__main__":
    main()
