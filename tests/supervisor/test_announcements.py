"""What the service manager is told of a server with several processes."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.conftest import Serve
from tests.notify_socket import NotifySocket
from tests.server import LINE_BOUND
from tests.supervisor.test_workers import APP, ENDED


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[NotifySocket]:
    with closing(NotifySocket(str(tmp_path / "notify"))) as made:
        yield made


def next_state(manager: NotifySocket) -> str:
    """Return the first field of the next message that is no sign of life."""
    return next(iter(manager.next_but_pings(4 * LINE_BOUND)))


def test_states_and_signs_of_life(serve: Serve, manager: NotifySocket, tmp_path: Path) -> None:
    """One voice: the workers are silent."""
    (tmp_path / "esg.toml").write_text("workers = 2")
    env = {**manager.variable, "WATCHDOG_USEC": "400000"}
    server = serve("--config", str(tmp_path / "esg.toml"), app=APP, env=env)
    assert next_state(manager) == "READY"
    manager.pings(2)
    server.send_signal(signal.SIGHUP)
    assert [next_state(manager) for _ in range(2)] == ["RELOADING", "READY"]
    server.stderr.wait_for(ENDED, count=2)
    (tmp_path / "esg.toml").write_text("workers = 0")
    server.send_signal(signal.SIGHUP)
    assert [next_state(manager) for _ in range(2)] == ["RELOADING", "READY"]
    server.stderr.wait_for("configuration is not taken")
    server.send_signal(signal.SIGTERM)
    assert next_state(manager) == "STOPPING"
    assert server.wait_exit() == 0
    manager.close()
    assert [told for told in manager.drain() if told != {"WATCHDOG": "1"}] == []
