"""How connections, requests and servers end where something is in the way."""

from __future__ import annotations

import os
import signal
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.apps.exchanges import MUCH
from tests.conftest import Serve
from tests.rows import Row
from tests.server import ESG, ServerProcess

EXCHANGES = "tests.apps.exchanges:app"
PATIENT = ("--timeout-graceful-shutdown", "60")
# How long cancelled requests have to end, and a process whose loop is blocked.
STUCK_AFTER = 1.0
LAST_RESORT = 4.0
# What a busy machine may add to either.
SLACK = 3.0


@pytest.fixture(scope="module")
def server(serve_module: Serve, row: Row) -> ServerProcess:
    """Return a server of every row."""
    return serve_module(app=EXCHANGES, row=row)


@pytest.mark.parametrize(
    ("version", "fields"),
    [("1.0", ""), ("1.1", "Connection: close\r\n")],
    ids=["HTTP/1.0", "Connection: close"],
)
def test_a_byte_too_many_does_not_cost_the_response(
    server: ServerProcess, version: str, fields: str
) -> None:
    """A close over unread bytes would reset the connection (RFC 9112 sections 2.2 and 9.6)."""
    since = len(server.stdout())
    with server.connect() as client:
        first = f"POST /late HTTP/{version}\r\nHost: test\r\n{fields}Content-Length: 2\r\n\r\nxx"
        client.send(first.encode())
        server.stdout.wait_for("^# late: waiting", since=since)
        client.send(b"\r\n")
        server.open_gate()
        server.stdout.wait_for('"POST /late', since=since)
        # Nothing is read before the server has gone on to the connection's end.
        with server.connect() as other:
            assert other.get("/other").status == 200
        answer = client.response()
        assert answer.body == b"x" * MUCH
        assert answer.field("connection") == "close"
        assert client.at_end()


def test_no_response_for_a_client_that_has_half_closed(server: ServerProcess) -> None:
    """It may still read, so the application's mistake is answered as any other."""
    told = len(server.stdout())
    with server.connect() as client:
        client.request("/silent")
        client.finish_writing()
        server.stdout.wait_for("^# silent: waiting", since=told)
        server.open_gate()
        assert client.response().status == 500
        assert client.at_end()


def test_an_empty_line_holds_up_no_stop(serve: Serve, row: Row) -> None:
    """It begins no request (RFC 9112 section 2.2), so the connection is idle."""
    server = serve(*PATIENT, "--timeout-keep-alive", "60", app=EXCHANGES, row=row)
    with server.connect() as client:
        client.send(b"GET /first HTTP/1.1\r\nHost: test\r\n\r\n\r\n")
        assert client.response().body == b"/first?"
        assert server.stop() == 0
        assert client.at_end()


def test_an_empty_line_is_no_late_head(serve: Serve, row: Row) -> None:
    options = ("--timeout-keep-alive", "0.3", "--timeout-headers", "0.3")
    server = serve(*options, app=EXCHANGES, row=row)
    with server.connect() as client:
        client.send(b"GET /first HTTP/1.1\r\nHost: test\r\n\r\n\r\n")
        assert client.response().body == b"/first?"
        assert client.at_end()
    assert server.stop() == 0
    assert not server.stderr.matching("rejected")


def test_requests_that_cannot_be_cancelled_end_with_the_server(
    serve: Serve, row: Row, tmp_path: Path
) -> None:
    """The lifespan has its end all the same, and a UNIX socket's file is removed."""
    path = tmp_path / "socket"
    bound = 0.3
    options = ("--uds", str(path), "--timeout-graceful-shutdown", str(bound))
    server = serve(*options, app=EXCHANGES, row=row)
    with ExitStack() as clients:
        _start_stuck(server, clients)
        began = time.monotonic()
        assert server.stop() == 0
        assert time.monotonic() - began < bound + STUCK_AFTER + SLACK
    assert server.stderr.matching("^ERROR: +Requests go on though they are cancelled")
    assert server.stdout.matching("^# lifespan: shutdown")
    assert not path.exists()


def _start_stuck(server: ServerProcess, clients: ExitStack) -> None:
    """Start requests that cannot be cancelled: one in a thread, one that will not."""
    for target, told in (("/in-a-thread", "in a thread"), ("/stubborn", "stubborn")):
        clients.enter_context(server.connect()).request(target)
        server.stdout.wait_for(f"^# {told}")


def test_second_signal_stops_at_once_what_cannot_be_cancelled(serve: Serve, row: Row) -> None:
    server = serve(*PATIENT, app=EXCHANGES, row=row)
    with ExitStack() as clients:
        _start_stuck(server, clients)
        server.send_signal(signal.SIGTERM)
        server.stderr.wait_for("Stopping")
        began = time.monotonic()
        assert server.stop(signal.SIGINT) == 128 + signal.SIGINT
        assert time.monotonic() - began < STUCK_AFTER + SLACK
    assert server.stdout.matching("^# lifespan: shutdown")


def test_second_signal_ends_a_process_whose_loop_is_blocked(serve: Serve) -> None:
    server = serve(*PATIENT, app=EXCHANGES)
    with server.connect() as client:
        client.request("/blocking")
        server.stdout.wait_for("^# blocking")
        began = time.monotonic()
        server.send_signal(signal.SIGTERM)
        assert _wait_signalled_again(server) == 128 + signal.SIGINT
        assert time.monotonic() - began < LAST_RESORT + SLACK


def _wait_signalled_again(server: ServerProcess) -> int:
    """Send SIGINT once SIGTERM is no longer pending: a blocked loop tells nothing."""
    status = Path(f"/proc/{server.pid}/status")
    pending = 1 << (signal.SIGTERM - 1)
    deadline = time.monotonic() + SLACK
    while time.monotonic() < deadline:
        lines = dict(line.split(":", 1) for line in status.read_text("ascii").splitlines())
        if not (int(lines["SigPnd"], 16) | int(lines["ShdPnd"], 16)) & pending:
            return server.stop(signal.SIGINT)
    raise AssertionError("SIGTERM is not taken")


def test_a_server_leaves_anothers_unix_socket(serve: Serve, row: Row, tmp_path: Path) -> None:
    """The second has taken over the path of the first, which may now go."""
    path = tmp_path / "socket"
    first = serve("--uds", str(path), row=row)
    path.unlink()
    second = serve("--uds", str(path), row=row)
    assert first.stop() == 0
    assert path.is_socket()
    with second.connect() as client:
        assert client.get("/").body == b"hello"
    assert second.stop() == 0
    assert not path.exists()


def test_a_reader_of_the_log_that_leaves(serve: Serve, row: Row) -> None:
    """As in `esg app | head -1`: its lines are lost, and nothing else."""
    reading, writing = os.pipe()
    command = ("sh", "-c", f'exec "$@" >/dev/fd/{writing}', "sh", *ESG)
    server = serve(app="examples.hello:app", row=row, command=command, pass_fds=[writing])
    os.close(writing)
    with server.connect() as client:
        assert client.get("/").status == 200
        assert b'"GET / HTTP/1.1" 200' in os.read(reading, 1000)
        os.close(reading)
        for _ in range(3):
            assert client.get("/").status == 200
    assert server.stop() == 0
    assert not server.stderr.matching("Logging error|Traceback|BrokenPipe")
