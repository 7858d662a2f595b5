"""What ends an application that takes too long, or goes on without its client; and full servers."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from tests.conftest import Serve
from tests.rows import Row
from tests.server import ServerProcess


def serves(server: ServerProcess) -> bool:
    with server.connect() as client:
        return client.get("/").body == b"hello"


def test_an_application_that_takes_too_long(serve: Serve, row: Row) -> None:
    server = serve("--timeout-request", "0.3", row=row)
    with server.connect() as client:
        client.request("/stall")
        answer = client.response()
        assert (answer.status, answer.field("connection")) == (503, "close")
        assert client.at_end()
    server.stdout.wait_for(r"# stall: \w*Cancelled")
    server.stderr.wait_for(r"^ERROR: .* within 0.3 s; cancelled \(--timeout-request\)")
    assert serves(server)


def test_a_response_that_takes_too_long_is_cut_off(serve: Serve, row: Row) -> None:
    server = serve("--timeout-request", "0.3", row=row)
    with server.connect() as client:
        client.request("/stream")
        received = client.read_to_end()
    assert received.startswith(b"HTTP/1.1 200 ")
    assert not received.endswith(b"0\r\n\r\n")
    server.stdout.wait_for(r"# stream: \w*Cancelled")
    assert serves(server)


@pytest.mark.parametrize("target", ["/in-a-thread", "/stubborn"])
def test_an_application_that_goes_on_is_answered_for(serve: Serve, row: Row, target: str) -> None:
    """Its thread, or what swallows the cancellation, may go on for ever; its client need not wait."""
    options = ("--timeout-request", "0.3", "--timeout-graceful-shutdown", "0.2")
    server = serve(*options, app="tests.apps.exchanges:app", row=row)
    with server.connect() as client:
        client.request(target)
        answer = client.response()
        assert (answer.status, answer.field("connection")) == (503, "close")
        assert client.at_end()
    server.stderr.wait_for(r"^ERROR: .* within 0.3 s; cancelled \(--timeout-request\)")
    assert len(server.stderr.matching("^ERROR")) == 1
    with server.connect() as client:
        assert client.get("/first").status == 200


def test_what_is_said_too_late_is_heard_by_nobody(serve: Serve, row: Row) -> None:
    server = serve("--timeout-request", "0.3", app="tests.apps.exchanges:app", row=row)
    with server.connect() as client:
        client.request("/late-thread")
        assert client.response().status == 503
        assert client.at_end()
    server.open_gate()
    server.stdout.wait_for("^# late thread: ClientDisconnected")
    assert server.stop() == 0
    assert len(server.stderr.matching("^ERROR")) == 1


def test_work_after_a_response_is_not_bounded(serve: Serve, row: Row) -> None:
    server = serve("--timeout-request", "0.2", "--cancel-on-disconnect=0", row=row)
    with server.connect() as client:
        assert client.get("/background").status == 200
    with server.connect() as client:
        client.request("/stall")  # the sweep that ends this one has spared the other
        assert client.response().status == 503
    server.open_gate()
    server.stdout.wait_for("# background: done")


@pytest.mark.parametrize("leaving", ["reset", "FIN"])
def test_a_client_that_leaves(serve: Serve, row: Row, leaving: str) -> None:
    server = serve("--cancel-on-disconnect=0.1", row=row)
    with server.connect() as client:
        client.request("/stall")
        server.stdout.wait_for("# stall: waiting")
        if leaving == "FIN":
            client.finish_writing()
            server.stdout.wait_for(r"# stall: \w*Cancelled")
        else:
            client.reset()
    server.stdout.wait_for(r"# stall: \w*Cancelled")
    assert not server.stderr.matching("^ERROR")
    assert serves(server)


def test_nobody_is_cancelled_by_default(serve: Serve, row: Row) -> None:
    server = serve("--timeout-graceful-shutdown", "0.2", row=row)
    with server.connect() as client:
        client.request("/early")
        server.stdout.wait_for("# early: waiting")
        client.reset()
    assert serves(server)
    server.open_gate()
    server.stdout.wait_for("# early: \\w+")
    assert not server.stdout.matching("Cancelled")


def test_more_connections_than_allowed_wait(serve: Serve, row: Row) -> None:
    server = serve("--limit-connections", "2", row=row)
    with ExitStack() as opened:
        first, second = (opened.enter_context(server.connect()) for _ in range(2))
        assert first.get("/").body == b"hello"
        assert second.get("/").body == b"hello"
        third = opened.enter_context(server.connect())  # the kernel takes it
        third.request("/")
        assert second.get("/").body == b"hello"
        assert not third.is_readable()
        first.close()
        assert third.response().body == b"hello"


def test_a_full_server_stops(serve: Serve, row: Row) -> None:
    server = serve("--limit-connections", "1", row=row)
    with server.connect() as client, server.connect() as waiting:
        assert client.get("/").body == b"hello"
        waiting.request("/")
        assert server.stop() == 0
