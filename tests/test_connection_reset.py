"""Clients that leave behind bytes that nobody reads: noticed, whoever waits for what."""

from __future__ import annotations

import socket
import struct
import time
from contextlib import suppress
from pathlib import Path

import pytest

from esg.connection_reset import is_reset
from tests.conformance.websocket_frames import BINARY, frame
from tests.conftest import Serve, require
from tests.hardening.throwing import throw_repeatedly
from tests.rows import Row
from tests.server import ServerProcess
from tests.supervisor.rows import PROCESS_ROWS
from tests.websocket_client import OPENING, WebSocket

APP = "tests.apps.besieged:app"
# More than the kernel holds of one connection.
MOST = 2**28
# Nobody waits for this in a test.
LONG = "600"


@pytest.fixture(scope="module", params=PROCESS_ROWS)
def row(request: pytest.FixtureRequest) -> Row:
    """Return a row of each kind, and the others on request."""
    return require(request.param)


def test_a_reset_is_seen_behind_unread_bytes() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        theirs = socket.create_connection(listener.getsockname())
        ours = listener.accept()[0]
    with ours, theirs:
        theirs.sendall(b"unread")
        assert not is_reset(ours.fileno())
        theirs.shutdown(socket.SHUT_WR)
        assert not is_reset(ours.fileno())
        theirs.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        theirs.close()
        deadline = time.monotonic() + 60
        while not is_reset(ours.fileno()):
            assert time.monotonic() < deadline


def test_what_a_unix_client_has_left_is_still_to_be_read() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(b"unread")
        theirs.close()
        assert not is_reset(ours.fileno())
        assert ours.recv(10) == b"unread"


def test_websocket_that_is_not_accepted(serve: Serve, row: Row) -> None:
    server = serve("--ws-accept-timeout", LONG, app=APP, row=row)
    with WebSocket(server.address) as client:
        client.request("/hang", fields=OPENING)
        server.stdout.wait_for("hang: waiting")
        assert throw_repeatedly(client, frame(BINARY, bytes(65_536)), MOST) < MOST
        client.reset()
    server.stdout.wait_for("hang: disconnect 1006")


def sockets_of(server: ServerProcess) -> int:
    """Count the sockets that a server has open; a loop opens other files when it needs them."""
    folder = Path(f"/proc/{server.pid}/fd")
    found = 0
    for entry in folder.iterdir():
        with suppress(FileNotFoundError):  # closed meanwhile
            found += str(entry.readlink()).startswith("socket:")
    return found


def wait_for_sockets(server: ServerProcess, count: int) -> None:
    """Wait until a server has no more sockets than that."""
    deadline = time.monotonic() + 60
    while sockets_of(server) > count:
        assert time.monotonic() < deadline
        time.sleep(0.05)  # between two looks


def test_websocket_whose_messages_wait(serve: Serve, row: Row) -> None:
    """Its application is told all that came before, then of the end; its descriptor is free."""
    server = serve("--ws-ping-interval", "0", app=APP, row=row)  # a ping would find out, too
    before = sockets_of(server)
    with WebSocket(server.address) as client:
        client.open("/slow")
        server.stdout.wait_for("slow: waiting")
        assert throw_repeatedly(client, frame(BINARY, bytes(65_536)), MOST) < MOST
        client.reset()
    wait_for_sockets(server, before)
    server.open_gate()
    server.stdout.wait_for("slow: [1-9].* messages, then disconnect 1006")


def test_app_that_neither_receives_nor_sends(serve: Serve, row: Row) -> None:
    """The descriptor is freed, and the application goes on."""
    server = serve(app=APP, row=row)
    before = sockets_of(server)
    for content in (b"", bytes(65_536)):
        since = len(server.stdout())
        with server.connect() as client:
            client.request("/early", "POST", [("Content-Length", "1000000")], content)
            server.stdout.wait_for("early: waiting", since=since)
            client.reset()
        wait_for_sockets(server, before)
        server.open_gate()


def test_content_that_nobody_receives(serve: Serve, row: Row) -> None:
    """Its application is cancelled where it is to be."""
    server = serve("--cancel-on-disconnect=0.1", app=APP, row=row)
    with server.connect() as client:
        client.request("/stall", "POST", [("Content-Length", str(MOST))])
        server.stdout.wait_for("stall: waiting")
        assert throw_repeatedly(client, bytes(65_536), MOST) < MOST
        client.reset()
    server.stdout.wait_for("stall: Cancelled")
