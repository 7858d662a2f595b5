"""That the process ends in bounded time, whatever the application does, and says how it ended."""

from __future__ import annotations

import signal
import time

import pytest

from tests.conftest import Serve
from tests.rows import Row

BUSY = "tests.apps.busy:app"
# The graceful bound below, what requests, loop and threads may take behind it, and some slack.
ENDS_WITHIN = 15.0


@pytest.mark.parametrize("target", ["/thread", "/executor"])
def test_threads_of_the_application_do_not_hold_the_stop(
    serve: Serve, row: Row, target: str
) -> None:
    if row.loop == "trio" and target == "/executor":
        target = "/thread"  # trio has no executor
    server = serve("--timeout-graceful-shutdown", "0.5", app=BUSY, row=row)
    with server.connect() as client:
        client.request(target)
        server.stdout.wait_for(f"# {target}: begun")
        began = time.monotonic()
        server.send_signal(signal.SIGTERM)
        assert server.wait_exit(ENDS_WITHIN) == 0
        assert time.monotonic() - began < ENDS_WITHIN


def test_second_signal_ends_a_blocked_loop(serve: Serve, row: Row) -> None:
    server = serve(app=BUSY, row=row)
    with server.connect() as client:
        client.request("/block")
        server.stdout.wait_for("# /block: begun")
        server.send_signal(signal.SIGTERM)
        server.send_signal(signal.SIGINT)
        assert server.wait_exit(ENDS_WITHIN) in (128 + signal.SIGINT, 128 + signal.SIGTERM)
