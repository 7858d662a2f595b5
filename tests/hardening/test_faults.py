"""Faults of the machine and of the application: the server goes on, and loses nothing silently."""

from __future__ import annotations

import os
import re
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.client import Connection
from tests.conftest import Serve
from tests.rows import Row
from tests.server import ESG, REPOSITORY, ServerProcess
from tests.websocket_client import WebSocket

FAULTY = "tests.apps.faulty:app"
POST = b"POST /echo HTTP/1.1\r\nHost: test\r\nContent-Length: 4\r\n\r\n"
# Each is shorter than the server stands still.
SHORT = (
    *("--timeout-headers", "1", "--timeout-keep-alive", "1"),
    *("--timeout-body", "1", "--timeout-write", "1"),
)
STANDSTILL = 2.5


@pytest.fixture(scope="module")
def server(serve_module: Serve, row: Row) -> ServerProcess:
    """Return a server of every row."""
    return serve_module("--log-level", "debug", app=FAULTY, row=row)


def serves(server: ServerProcess) -> bool:
    """Tell whether somebody else is served."""
    with server.connect() as client:
        return client.get("/").body == b"hello"


def test_full_disk_under_the_log(row: Row) -> None:
    """Lines are lost, requests are not; the listener is ours, as nothing says where it is."""
    command = ("sh", "-c", 'exec "$@" >/dev/full 2>/dev/full', "sh", *ESG)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        number = listener.fileno()
        arguments = [*row.options, "--fd", str(number), "--log-level", "debug", FAULTY]
        server = ServerProcess(arguments, command=command, pass_fds=[number])
        try:
            for target, status in (("/scope", 200), ("/quote", 500), ("/scope", 200)):
                with Connection(listener.getsockname()) as client:
                    assert client.get(target).status == status
            with Connection(listener.getsockname()) as client:
                client.send(b"no request\r\n\r\n")
                assert client.response().status == 400
            assert server.stop() == 0
        finally:
            server.end()


class Interrupted:
    """Clients of a server that stands still for longer than any of its timeouts."""

    def __init__(self, server: ServerProcess) -> None:
        self._server = server
        self._idle = server.connect()
        assert self._idle.get("/").body == b"hello"
        self._sending = server.connect()
        self._sending.send(POST + b"ab")
        # It has answered, so it has seen the other's bytes, too.
        assert self._idle.get("/").body == b"hello"

    def go_on(self) -> None:
        """Send what was missing, and connect anew."""
        self._idle.request("/")
        self._sending.send(b"cd")
        self._new = self._server.connect()
        self._new.request("/")
        time.sleep(STANDSTILL)  # it stands still: there is nothing to wait for

    def check(self) -> None:
        """Read the answers: whatever came in time, though nobody looked, is answered."""
        assert self._new.response().body == b"hello"
        assert self._idle.response().body == b"hello"
        assert self._sending.response().body == b"abcd"
        for client in (self._new, self._idle, self._sending):
            client.close()


def test_process_that_is_halted(serve: Serve, row: Row) -> None:
    """SIGSTOP, SIGCONT: the clients were in time."""
    server = serve(*SHORT, app=FAULTY, row=row)
    clients = Interrupted(server)
    server.send_signal(signal.SIGSTOP)
    clients.go_on()
    server.send_signal(signal.SIGCONT)
    clients.check()


def test_app_that_blocks_the_loop(serve: Serve, row: Row) -> None:
    """Others wait, and were in time all the same."""
    server = serve(*SHORT, app=FAULTY, row=row)
    clients = Interrupted(server)
    with server.connect() as blocking:
        blocking.request("/block")
        server.stdout.wait_for("block: begun")
        clients.go_on()
        server.open_gate()
        assert blocking.response().body == b"blocked"
        clients.check()


@pytest.mark.parametrize("seconds", [86_400, -86_400])
def test_clock_that_is_set(serve: Serve, row: Row, seconds: int) -> None:
    """Nobody is late by it, and nobody is given more time."""
    server = serve("--timeout-headers", "3", "--timeout-keep-alive", "1", app=FAULTY, row=row)
    with server.connect() as sending:
        sending.send(POST + b"ab")
        with server.connect() as client:
            assert client.get(f"/clock?{seconds}").body == b"set"
            assert client.at_end()
        with server.connect() as silent:
            assert silent.at_end()
        sending.send(b"cd")
        assert sending.response().body == b"abcd"


def test_wall_clock_is_for_dates_alone() -> None:
    """What the test above cannot set: the compiled code's clock."""
    package = REPOSITORY / "esg"
    sources = [path for kind in ("py", "pyx", "pxd") for path in package.rglob(f"*.{kind}")]
    wall = re.compile(r"time\.time\(|CLOCK_REALTIME, &|gettimeofday|datetime\.now\(")
    users = {str(path.relative_to(package)) for path in sources if wall.search(path.read_text())}
    # The Date field, twice; the log's time; how long a certificate is valid.
    assert users == {"service.py", "accel/serving.pyx", "access_log.py", "tls/pem_files.py"}


def test_app_that_forks(server: ServerProcess) -> None:
    """A child that has everything open keeps no client waiting for the end of its response."""
    with server.connect() as client:
        client.request("/fork", fields=[("Connection", "close")])
        child = int(client.response().body)
        try:
            assert client.at_end()
            assert serves(server)
        finally:
            os.kill(child, signal.SIGKILL)


def test_programs_inherit_nothing(server: ServerProcess) -> None:
    """Neither listener nor connections."""
    with server.connect() as client:
        assert client.get("/inheritable").body == b"[]"


@contextmanager
def unjudged(row: Row) -> Iterator[ServerProcess]:
    """Run a server of whose log nothing is expected: event loops complain of closed descriptors."""
    server = ServerProcess([*row.options, "--port", "0", FAULTY])
    try:
        server.wait_started()
        yield server
    finally:
        server.kill()


def test_app_that_closes_its_own_connection(row: Row) -> None:
    """That connection is lost, the next one may get its number, and nothing is mixed up."""
    with unjudged(row) as server, server.connect() as client:
        client.request("/close-own-socket")
        others = [server.connect() for _ in range(3)]
        for _ in range(3):
            assert [other.get("/").body for other in others] == [b"hello"] * 3
        for other in others:
            other.close()
        assert serves(server)
        assert server.stop() == 0


def test_app_that_closes_the_loops_descriptors(row: Row) -> None:
    """Without them there is no serving on: the process ends, and says so by its exit code."""
    with unjudged(row) as server, server.connect() as client:
        client.request("/close-all")
        server.stdout.wait_for("close-all: begun")
        assert server.wait_exit() != 0


def test_calls_in_another_thread(server: ServerProcess) -> None:
    """They raise, before they touch anything."""
    with server.connect() as client:
        assert client.get("/thread").body == b"WrongThread WrongThread"
    with WebSocket(server.address) as client:
        client.open("/thread")
        assert client.next_text() == "WrongThread WrongThread"


def test_send_of_another_request(server: ServerProcess) -> None:
    """A message goes to the client of the request whose send() it was given to."""
    since = len(server.stdout())
    with server.connect() as lender, server.connect() as borrower:
        lender.request("/lend")
        server.stdout.wait_for("lend: waiting", since=since)
        assert borrower.get("/borrow").body == b"for the borrower"
        assert lender.response().body == b"for the lender"
        server.open_gate()
        assert lender.get("/").body == b"hello"


def test_errors_that_cannot_be_shown(server: ServerProcess) -> None:
    with server.connect() as client:
        assert client.get("/unprintable").status == 500
    assert serves(server)


@pytest.mark.parametrize("when", ["connecting", "open"])
@pytest.mark.parametrize(
    "what", ["ValueError", "OSError", "KeyboardInterrupt", "SystemExit", "CancelledError", "cancel"]
)
def test_websocket_app_that_raises(server: ServerProcess, row: Row, what: str, when: str) -> None:
    if row.loop == "trio" and what == "cancel":
        pytest.skip("a trio task cannot cancel itself but by a scope of its own")
    since = len(server.stderr())
    with WebSocket(server.address) as client:
        answer = client.ask(f"/ill?what={what}&when={when}")
        if when == "open":
            assert answer.status == 101
            assert client.next_close() == (1011, "")
        else:
            assert answer.status == 500
    server.stderr.wait_for("^ERROR: +Exception in the application", since=since)
    assert serves(server)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("kind", ["http", "websocket"])
def test_app_that_cancels_itself_and_returns(
    server: ServerProcess, row: Row, kind: str, when: str
) -> None:
    """Its task would end as cancelled, and the task group would end all others."""
    if row.loop == "trio":
        pytest.skip("a trio task cannot cancel itself but by a scope of its own")
    target = f"/cancel-itself?{when}"
    with server.connect() as other:
        if kind == "http":
            with server.connect() as client:
                assert client.get(target).status == (200 if when == "after" else 500)
        else:
            with WebSocket(server.address) as client:
                assert client.ask(target).status == (101 if when == "after" else 500)
        assert other.get("/").body == b"hello"
        assert serves(server)


@pytest.mark.parametrize("how", ["receive", "send", "send-late", "nonsense"])
@pytest.mark.parametrize("kind", ["http", "websocket"])
def test_app_that_goes_on_calling(server: ServerProcess, kind: str, how: str) -> None:
    """Though it is told each time that its client is gone, or that it calls wrongly."""
    since = len(server.stdout())
    client: Connection | WebSocket
    if kind == "http":
        client = server.connect()
        client.request(f"/deaf?{how}")
    else:
        client = WebSocket(server.address)
        client.ask(f"/deaf?{how}")
    server.stdout.wait_for("deaf: begun", since=since)
    client.close()
    assert serves(server)
    with server.connect() as another:
        assert another.get("/hear").body == b"heard"
