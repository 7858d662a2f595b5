"""Sockets that somebody else has opened, as systemd does: clients may come before the server."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.client import Address, Connection
from tests.conftest import STAGE, require
from tests.rows import Row
from tests.server import ESG, LISTENING, START_BOUND, ServerProcess

ROWS = (Row("pure", "asyncio"), Row("pure", "trio"), Row("fast", "uvloop"))
NAMES = ("web", "admin", "web")
# What a service manager does between fork and exec: numbers from 3 on, and whom they are for.
MANAGER = """
import os, sys
numbers = [int(number) for number in sys.argv[2].split(",")]
for index, number in enumerate(numbers):
    os.dup2(number, 100 + index)  # away from the numbers that are to be theirs
for index in range(len(numbers)):
    os.dup2(100 + index, 3 + index)
    os.close(100 + index)
os.environ.update(
    LISTEN_PID=str(os.getpid()), LISTEN_FDS=str(len(numbers)), LISTEN_FDNAMES=sys.argv[1]
)
os.execv(sys.argv[3], sys.argv[3:])
"""


class Manager:
    """Listeners that outlive the servers: TCP, UNIX, and TCP for IPv6.

    Args:
        folder: where the UNIX socket is.
    """

    def __init__(self, folder: Path) -> None:
        path = str(folder / "socket")
        unix = socket.socket(socket.AF_UNIX)
        unix.bind(path)
        unix.listen()
        self._listeners = [
            socket.create_server(("127.0.0.1", 0)),
            unix,
            socket.create_server(("::1", 0), family=socket.AF_INET6),
        ]
        self.addresses: list[Address] = [
            (listener.getsockname()[0], listener.getsockname()[1])
            if isinstance(listener.getsockname(), tuple)
            else path
            for listener in self._listeners
        ]

    def start(self, row: Row, *binds: str) -> ServerProcess:
        """Start a server with the listeners; it may not listen yet."""
        numbers = [listener.fileno() for listener in self._listeners]
        passed = (":".join(NAMES), ",".join(map(str, numbers)))
        options = [word for bind in binds for word in ("--bind", bind)]
        return ServerProcess(
            [*row.options, *options, STAGE],
            command=(sys.executable, "-c", MANAGER, *passed, *ESG),
            pass_fds=numbers,
        )

    def close(self) -> None:
        """Close the listeners."""
        for listener in self._listeners:
            listener.close()


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[Manager]:
    made = Manager(tmp_path)
    yield made
    made.close()


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_clients_that_come_before_the_server(manager: Manager, row: Row) -> None:
    require(row)
    for _ in range(2):  # the second time, after a server that has ended
        with ExitStack() as ended:
            early = [ended.enter_context(Connection(address)) for address in manager.addresses]
            for client in early:
                client.request("/")
            server = manager.start(row, "systemd")
            ended.callback(server.end)
            for client in early:
                assert client.response().body == b"hello"
            server.stderr.wait_for(LISTENING, count=len(early), within=START_BOUND)
            assert server.stop() == 0
    assert Path(str(manager.addresses[1])).is_socket()


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_those_of_one_name(manager: Manager, row: Row) -> None:
    require(row)
    with ExitStack() as ended:
        server = manager.start(row, "systemd:web", "127.0.0.1:0")
        ended.callback(server.end)
        server.stderr.wait_for(LISTENING, count=3, within=START_BOUND)
        for address in (manager.addresses[0], manager.addresses[2]):
            with Connection(address) as client:
                assert client.get("/").body == b"hello"
        with Connection(manager.addresses[1]) as nobodys:
            nobodys.request("/")
            assert server.stop() == 0  # by now, it would have been answered
            assert not nobodys.is_readable()


def test_a_name_that_was_not_passed(manager: Manager) -> None:
    server = manager.start(ROWS[0], "systemd:other")
    assert server.wait_exit() == 3
    assert server.stderr() == ["esg: cannot bind systemd: no socket 'other' was passed"]
    server.end()
