"""Several processes on PyPy: start, the end of a worker, renewal, stop, and the supervisor's end."""

from __future__ import annotations

import os
import signal

import pytest

from tests.interpreters import Interpreter, find_interpreters, prepare_or_skip
from tests.server import START_BOUND, ServerProcess
from tests.supervisor.load import under_load
from tests.supervisor.test_workers import APP, ENDED, SERVES, serving

PYPYS = [found for found in find_interpreters() if found.name.startswith("pypy")]
# PyPy starts slowly.
BOUND = 4 * START_BOUND


@pytest.mark.parametrize("interpreter", PYPYS, ids=lambda found: found.name)
def test_workers_on_pypy(interpreter: Interpreter) -> None:
    pypy = prepare_or_skip(interpreter)
    options = ("--workers", "2", "--port", "0", "--no-access-log", APP)
    server = ServerProcess(options, env=pypy.environment(), command=pypy.esg())
    try:
        server.stderr.wait_for(SERVES, count=2, within=BOUND)
        server.wait_started()
        with under_load(server.address) as load:
            load.wait_for_others_than(set(), 2)
            old = serving(server)
            server.send_signal(signal.SIGHUP)
            server.stderr.wait_for(ENDED, count=2, within=BOUND)
            load.wait_for_answers(20)
        assert load.failures == []
        assert not serving(server) & old
        killed = min(serving(server))
        os.kill(killed, signal.SIGKILL)
        server.stderr.wait_for(f"Worker {killed} has ended unasked: killed by SIGKILL")
        server.stderr.wait_for(SERVES, count=5, within=BOUND)
        assert len(serving(server) - {killed}) == 2
        assert server.stop() == 0
    finally:
        server.end()


@pytest.mark.exhaustive
@pytest.mark.parametrize("interpreter", PYPYS, ids=lambda found: found.name)
def test_workers_on_pypy_end_with_their_supervisor(interpreter: Interpreter) -> None:
    pypy = prepare_or_skip(interpreter)
    options = ("--workers", "2", "--port", "0", APP)
    server = ServerProcess(options, env=pypy.environment(), command=pypy.esg())
    try:
        server.stderr.wait_for(SERVES, count=2, within=BOUND)
        server.send_signal(signal.SIGKILL)
        assert server.wait_exit() == -signal.SIGKILL  # its streams are closed at all ends
        assert len(server.stdout.matching("# lifespan: shutdown")) == 2
    finally:
        server.end()
