"""How a server ends: by signals, with every kind of work in flight.

A slow request is an upload whose last byte the test holds back: it ends when the test says so.
"""

from __future__ import annotations

import re
import signal
import socket
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.client import Connection
from tests.conftest import Serve
from tests.rows import Row
from tests.server import ServerProcess

HELD_BACK = b"!"
PATIENT = ("--timeout-graceful-shutdown", "60")


def start_slow_request(server: ServerProcess, client: Connection) -> None:
    """Send all of a request but its last byte, and wait until the application has the rest."""
    client.request("/count", "POST", [("Content-Length", "10")])
    client.send(b"x" * 9)
    server.stdout.wait_for("# content: begun")


def ask_to_stop(server: ServerProcess, number: int = signal.SIGTERM) -> None:
    """Send a signal and wait until the server has taken it."""
    server.send_signal(number)
    server.stderr.wait_for("Stopping")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
def test_idle_server(serve: Serve, row: Row, number: int) -> None:
    server = serve(row=row)
    assert server.stop(number) == 0
    assert server.stdout.matching("# lifespan: shutdown")


def test_slow_request_is_delivered(serve: Serve, row: Row) -> None:
    """Meanwhile idle connections are closed, and new ones refused."""
    server = serve("--timeout-keep-alive", "60", row=row)
    with server.connect() as client, server.connect() as idle, server.connect() as fresh:
        idle.get("/")
        start_slow_request(server, client)
        ask_to_stop(server)
        assert idle.at_end()
        assert fresh.at_end()
        assert refuses_connections(server.port)
        client.send(HELD_BACK)
        answer = client.response()
        assert (answer.status, answer.body) == (200, b"10")
        assert answer.field("connection") == "close"
        assert client.at_end()
    assert server.wait_exit() == 0


def refuses_connections(port: int) -> bool:
    """Tell whether a port refuses connections soon: it closes a moment after the log line."""
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        with socket.socket() as another:
            if another.connect_ex(("127.0.0.1", port)):
                return True
    return False


def test_what_does_not_end_is_ended(serve: Serve, row: Row) -> None:
    """An endless stream, a wait for the client, a stall and work after a response."""
    server = serve("--timeout-graceful-shutdown", "0.5", row=row)
    with ExitStack() as clients:
        for target in ("/stream", "/listen", "/stall", "/background"):
            clients.enter_context(server.connect()).request(target)
        for line in ("stream: begun", "listen: begun", "stall: waiting", "background: waiting"):
            server.stdout.wait_for(f"# {line}")
        began = time.monotonic()
        assert server.stop() == 0
        assert time.monotonic() - began < 0.5 + 2
    told = server.stdout.text
    assert "# listen: http.disconnect" in told  # before the cancellation
    assert "# stall: Cancelled" in told
    assert "# background: Cancelled" in told
    assert re.search("# stream: (Cancelled|ClientDisconnected)", told)
    assert "# lifespan: shutdown" in told
    assert server.stderr.matching("WARNING.*Requests do not end within 0.5 s")


def test_an_event_stream_ends_itself(serve: Serve, row: Row) -> None:
    """`esg.shutdown` in the scope's extensions tells the application when the stop begins."""
    server = serve(*PATIENT, app="examples.events_until_stop:app", row=row)
    with server.connect() as client:
        client.request("/")
        answer = client.start_response()
        assert answer.readline() == b"data: 0\n"
        ask_to_stop(server)
        assert answer.read().endswith(b"event: goodbye\ndata: \n\n")
    assert server.wait_exit() == 0
    assert not server.stderr.matching("do not end")


def test_no_bound_waits(serve: Serve) -> None:
    server = serve("--timeout-graceful-shutdown", "0")
    with server.connect() as client:
        start_slow_request(server, client)
        ask_to_stop(server)
        client.send(HELD_BACK)
        assert client.response().status == 200
    assert server.wait_exit() == 0


def test_pipelined_requests_that_have_come_are_answered(serve: Serve, row: Row) -> None:
    """The one in flight is answered; what follows it may be, as long as the close says so."""
    server = serve(row=row)
    with server.connect() as client:
        start_slow_request(server, client)
        ask_to_stop(server)
        client.send(HELD_BACK + b"GET / HTTP/1.1\r\nHost: test\r\n\r\n")
        answer = client.response()
        assert answer.body == b"10"
        assert answer.field("connection") == "close"
        assert client.at_end()
    assert server.wait_exit() == 0


def test_connections_that_wait_in_the_kernel_are_served(serve: Serve, row: Row) -> None:
    """As many as may wait there, not only those that are accepted at once."""
    server = serve(app="tests.apps.faulty:app", row=row)
    with server.connect() as blocking, ExitStack() as clients:
        blocking.request("/block")
        server.stdout.wait_for("block: begun")
        waiting = [clients.enter_context(server.connect()) for _ in range(200)]
        for client in waiting:
            client.request("/", fields=[("Connection", "close")])
        server.send_signal(signal.SIGTERM)
        server.open_gate()
        assert blocking.response().body == b"blocked"
        assert all(client.response().body == b"hello" for client in waiting)
    assert server.wait_exit() == 0


def test_background_work_ends_within_the_bound(serve: Serve, row: Row) -> None:
    server = serve(row=row)
    with server.connect() as client:
        assert client.get("/background").body == b"answered"
        server.stdout.wait_for("# background: waiting")
        ask_to_stop(server)
        server.open_gate()
    assert server.wait_exit() == 0
    assert server.stdout.matching("# background: done")


def test_second_signal_stops_at_once(serve: Serve, row: Row) -> None:
    stop_twice(serve(*PATIENT, row=row), signal.SIGTERM, 143)


def test_second_interrupt_stops_at_once(serve: Serve) -> None:
    stop_twice(serve(*PATIENT), signal.SIGINT, 130)


def stop_twice(server: ServerProcess, number: int, code: int) -> None:
    with server.connect() as client:
        client.request("/stall")
        server.stdout.wait_for("# stall: waiting")
        ask_to_stop(server, number)
        began = time.monotonic()
        assert server.stop(number) == code
        assert time.monotonic() - began < 3
    assert server.stdout.matching("# stall: Cancelled")
    assert server.stdout.matching("# lifespan: shutdown")


def test_lifespan_shutdown_that_hangs_is_bounded(serve: Serve, row: Row) -> None:
    server = serve("--timeout-lifespan", "0.3", row=row, env={"STAGE_LIFESPAN": "hang"})
    began = time.monotonic()
    assert server.stop() == 0
    assert time.monotonic() - began < 0.3 + 2
    assert server.stderr.matching("ERROR.*shutdown did not complete within 0.3 s")


def test_second_signal_cuts_lifespan_shutdown_short(serve: Serve) -> None:
    server = serve("--timeout-lifespan", "60", env={"STAGE_LIFESPAN": "hang"})
    server.send_signal(signal.SIGTERM)
    server.stdout.wait_for("# lifespan: shutdown")
    assert server.stop() == 143


# What it was making complains when it is dropped, as asyncio's half made loops do.
HANGING = """
import time
class Half:
    def __del__(self):
        raise AttributeError("made by half")
half = Half()
try:
    print("# importing")
    time.sleep(60)
finally:
    del half
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
def test_import_that_hangs_can_be_stopped(
    write_module: Callable[[str, str], Path], row: Row, number: int
) -> None:
    folder = write_module("hanging", HANGING)
    server = ServerProcess([*row.options, "--port", "0", "hanging:app"], cwd=folder)
    try:
        server.stdout.wait_for("# importing")
        assert server.stop(number) == 0
        assert not server.stderr.matching("Traceback|listening")
    finally:
        server.end()


@pytest.mark.parametrize("loop", ["asyncio", "trio"])
def test_start_up_that_hangs_can_be_stopped(loop: str) -> None:
    arguments = ["--port", "0", "--loop", loop, "--impl", "pure", "tests.apps.lifespans:hangs"]
    server = ServerProcess(arguments)
    try:
        server.stdout.wait_for("# hangs: startup")
        assert server.stop() == 0
        assert server.stdout.matching("# hangs: Cancelled")
        assert not server.stderr.matching("Traceback|listening")
    finally:
        server.end()
