"""Four workers under load: how they share it, and that nothing is lost when they are replaced."""

from __future__ import annotations

import os
import re
import signal
from collections import Counter
from contextlib import ExitStack

import pytest

from tests.conftest import Serve, require
from tests.rows import Row
from tests.server import LINE_BOUND, ServerProcess
from tests.supervisor.load import under_load
from tests.supervisor.rows import PROCESS_ROWS

APP = "tests.apps.processes:app"
WORKERS = 4
SERVES = "Worker ([0-9]+) serves"
ENDED = "Worker ([0-9]+) has ended"


@pytest.fixture(scope="module", params=PROCESS_ROWS)
def server(request: pytest.FixtureRequest, serve_module: Serve) -> ServerProcess:
    """Return a server with four workers."""
    row: Row = require(request.param)
    options = ("--workers", str(WORKERS), "--no-access-log")
    started = serve_module(*options, app=APP, row=row)
    started.stderr.wait_for(SERVES, count=WORKERS)
    return started


def serving(server: ServerProcess) -> set[int]:
    """Return the processes that serve, as the log tells it."""
    found: set[int] = set()
    for line in server.stderr():
        if match := re.search(SERVES, line):
            found.add(int(match[1]))
        elif match := re.search(ENDED, line):
            found.discard(int(match[1]))
    return found


def wait_for(server: ServerProcess, pattern: str, count: int, since: int) -> None:
    server.stderr.wait_for(pattern, count=count, within=4 * LINE_BOUND, since=since)


def test_load_is_even(server: ServerProcess) -> None:
    answered: Counter[bytes] = Counter()
    with ExitStack() as kept:
        # One after the other: of many at once, a worker that the machine has no time for gets few.
        for _ in range(256):
            answered[kept.enter_context(server.connect()).get("/").body] += 1
        assert len(answered) == WORKERS
        assert max(answered.values()) <= 1.3 * 256 / WORKERS, answered


def test_renewal_under_load(server: ServerProcess) -> None:
    """Over kept and new connections, not one request fails while all workers are replaced."""
    old = serving(server)
    since = len(server.stderr())
    with under_load(server.address) as load:
        load.wait_for_answers(100)
        server.send_signal(signal.SIGHUP)
        wait_for(server, ENDED, WORKERS, since)
        load.wait_for_answers(100)
    assert load.failures == []
    assert serving(server).isdisjoint(old)
    assert len(serving(server)) == WORKERS


def test_killed_workers_are_replaced(server: ServerProcess) -> None:
    """Requests fail only where they were in the worker that died; later ones do not.

    Two are enough: after more failures, starts wait longer and longer.
    """
    for number in sorted(serving(server))[:2]:
        since = len(server.stderr())
        with under_load(server.address) as load:
            load.wait_for_answers(20)
            os.kill(number, signal.SIGKILL)
            wait_for(server, f"Worker {number} has ended unasked: killed by SIGKILL", 1, since)
            failed = len(load.failures)
            wait_for(server, SERVES, 1, since)
            load.wait_for_answers(20)
        # A client may have noted its failure a moment after the log told of the end.
        assert len(load.failures) <= load.clients, load.failures
        assert failed <= load.clients
    assert len(serving(server)) == WORKERS


def test_a_worker_that_is_told_to_stop_is_replaced(server: ServerProcess) -> None:
    """At once, and it retires as if the supervisor had told it: nothing fails."""
    number = min(serving(server))
    since = len(server.stderr())
    with under_load(server.address) as load:
        load.wait_for_others_than(serving(server) - {number})
        os.kill(number, signal.SIGTERM)
        wait_for(server, f"Worker {number} was told to stop; starting another", 1, since)
        wait_for(server, SERVES, 1, since)
        wait_for(server, f"Worker {number} has ended$", 1, since)
    assert load.failures == []
    assert len(serving(server)) == WORKERS


def test_one_more_and_one_less(server: ServerProcess) -> None:
    since = len(server.stderr())
    before = serving(server)
    server.send_signal(signal.SIGTTIN)
    wait_for(server, SERVES, 1, since)
    assert serving(server) > before
    server.send_signal(signal.SIGTTOU)
    wait_for(server, ENDED, 1, since)
    (gone,) = before - serving(server)
    assert len(serving(server)) == WORKERS
    assert f"Worker {gone} has ended" in server.stderr.text


def test_stacks_of_all_workers(server: ServerProcess) -> None:
    since = len(server.stderr())
    server.send_signal(signal.SIGQUIT)
    wait_for(server, "The stacks of worker [0-9]+:", WORKERS, since)
    wait_for(server, "esg/process.py.* in run_server", WORKERS, since)
    with server.connect() as client:
        assert client.get("/").status == 200


def test_all_end_with_the_server(server: ServerProcess) -> None:
    number = len(serving(server))
    shutdowns = len(server.stdout.matching("# lifespan: shutdown"))
    assert server.stop() == 0
    assert len(server.stdout.matching("# lifespan: shutdown")) == shutdowns + number
    assert server.stderr()[-1].endswith("Stopped")
