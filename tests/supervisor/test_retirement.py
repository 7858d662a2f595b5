"""How a worker leaves because another has taken its place."""

from __future__ import annotations

import signal

import pytest

from tests.conftest import Serve, require
from tests.rows import Row
from tests.supervisor.rows import PROCESS_ROWS
from tests.supervisor.test_workers import APP, ENDED, SERVES
from tests.websocket_client import WebSocket

# One worker, and a supervisor all the same.
ONE = ("--worker-max-age", "1000000")


@pytest.fixture(params=PROCESS_ROWS)
def process_row(request: pytest.FixtureRequest) -> Row:
    """Return one row of each kind."""
    return require(request.param)


def test_an_idle_connection_is_served_once_more(serve: Serve, process_row: Row) -> None:
    """Its answer says that it was the last, so the client never writes into a closing one."""
    server = serve(*ONE, "--timeout-keep-alive", "60", app=APP, row=process_row)
    with server.connect() as idle, server.connect() as fresh:
        old = idle.get("/").body
        server.send_signal(signal.SIGHUP)
        server.stderr.wait_for(SERVES, count=2)
        while (answer := idle.get("/")).field("connection") != "close":
            assert answer.body == old  # it has not been told yet
        assert (answer.status, answer.body) == (200, old)
        assert idle.at_end()
        answer = fresh.get("/")  # open since before, without a request so far
        assert (answer.status, answer.body, answer.field("connection")) == (200, old, "close")
        with server.connect() as another:
            assert another.get("/").body != old
    server.stderr.wait_for(ENDED)


def test_idle_connections_are_closed_after_their_time(serve: Serve, process_row: Row) -> None:
    server = serve(*ONE, "--timeout-keep-alive", "0.2", app=APP, row=process_row)
    with server.connect() as fresh:
        server.send_signal(signal.SIGHUP)
        server.stderr.wait_for(ENDED)
        assert fresh.at_end()


def test_a_stop_does_not_wait_for_idle_connections(serve: Serve, process_row: Row) -> None:
    server = serve(*ONE, "--timeout-keep-alive", "600", app=APP, row=process_row)
    with server.connect() as idle:
        idle.get("/")
        server.send_signal(signal.SIGHUP)
        server.stderr.wait_for(SERVES, count=2)
        assert server.stop() == 0
        assert idle.at_end()


def test_websockets_are_told(serve: Serve, process_row: Row) -> None:
    options = (*ONE, "--timeout-keep-alive", "0.2")
    server = serve(*options, app="tests.apps.sockets:app", row=process_row)
    with WebSocket(server.address) as client:
        client.open("/echo")
        server.send_signal(signal.SIGHUP)
        assert client.next_close()[0] == 1012
        client.send_close(1012)
    server.stderr.wait_for(ENDED)


def test_a_request_in_flight_is_answered(serve: Serve, process_row: Row) -> None:
    server = serve(*ONE, app=APP, row=process_row)
    with server.connect() as client:
        client.request("/slow?1")
        old = server.stdout.wait_for("# slow: ([0-9]+)")[1]
        server.send_signal(signal.SIGHUP)
        answer = client.response()
        assert (answer.status, answer.text) == (200, old)
    server.stderr.wait_for(f"Worker {old} has ended")
