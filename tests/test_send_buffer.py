"""What the kernel holds for a client, and what that is for: readers slower than its buffers."""

from __future__ import annotations

import socket
import sys
import time
from pathlib import Path

import pytest

from esg.send_buffer import unacknowledged
from tests.conftest import Serve
from tests.rows import Row

ON_LINUX = pytest.mark.skipif(sys.platform != "linux", reason="only Linux counts them")


def _tcp_pair() -> tuple[socket.socket, socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        one = socket.create_connection(listener.getsockname())
        return one, listener.accept()[0]


def _fill(sock: socket.socket) -> None:
    sock.setblocking(False)
    try:
        while True:
            sock.send(bytes(65536))
    except BlockingIOError:
        pass


@ON_LINUX
@pytest.mark.parametrize("pair", [_tcp_pair, socket.socketpair], ids=["tcp", "unix"])
def test_bytes_are_counted_until_the_peer_takes_them(pair: object) -> None:
    assert callable(pair)
    ours, theirs = pair()
    with ours, theirs:
        assert unacknowledged(ours.fileno()) == 0
        _fill(ours)
        before = unacknowledged(ours.fileno())
        assert before > 0
        theirs.settimeout(60)
        taken = 0
        while unacknowledged(ours.fileno()) >= before:
            data = theirs.recv(65536)
            taken += len(data)
            assert data
        assert taken


def test_nothing_is_known_of_what_is_no_socket() -> None:
    with Path(__file__).open("rb") as file:
        assert unacknowledged(file.fileno()) == 0


@ON_LINUX
def test_slow_reader_is_no_stalled_one(serve: Serve, row: Row) -> None:
    """It takes less in its timeout than the kernel wants to be free before it says so."""
    server = serve("--timeout-write", "2", app="tests.apps.stage:app", row=row)
    with server.connect(receive_buffer=4096) as client:
        client.request("/big?50000000")
        ends = time.monotonic() + 6
        while time.monotonic() < ends:
            assert client.socket.recv(4096)
            time.sleep(0.1)
    server.stdout.wait_for("# big: ClientDisconnected")
