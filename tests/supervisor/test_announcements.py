"""What the service manager is told of a server with several processes."""

from __future__ import annotations

import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import Serve
from tests.supervisor.test_workers import APP, ENDED

BOUND = 60.0


class Manager:
    """A service manager's socket."""

    def __init__(self, path: Path) -> None:
        self.path = str(path)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path)
        self.socket.settimeout(BOUND)

    def told(self) -> list[str]:
        """Return the next message, line by line."""
        return self.socket.recv(4096).decode().splitlines()

    def next_state(self) -> str:
        """Return the first line of the next message that is no sign of life."""
        while (first := self.told()[0]) == "WATCHDOG=1":
            pass
        return first


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[Manager]:
    made = Manager(tmp_path / "notify")
    yield made
    made.socket.close()


def test_states_and_signs_of_life(serve: Serve, manager: Manager) -> None:
    """One voice: the workers are silent."""
    env = {"NOTIFY_SOCKET": manager.path, "WATCHDOG_USEC": "400000"}
    server = serve("--workers", "2", app=APP, env=env)
    assert manager.next_state() == "READY=1"
    assert [manager.told() for _ in range(2)] == [["WATCHDOG=1"]] * 2
    server.send_signal(signal.SIGHUP)
    assert manager.next_state() == "RELOADING=1"
    server.stderr.wait_for(ENDED, count=2)
    assert manager.next_state() == "READY=1"
    server.send_signal(signal.SIGTERM)
    assert manager.next_state() == "STOPPING=1"
    assert server.wait_exit() == 0
    manager.socket.setblocking(False)
    left = []
    while True:
        try:
            left.append(manager.told())
        except BlockingIOError:
            break
    assert [told for told in left if told != ["WATCHDOG=1"]] == []
