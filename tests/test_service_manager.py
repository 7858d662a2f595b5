"""What systemd is told: a socket of the test's own stands for the service manager."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from esg.service_manager import ServiceManager
from tests.certificates import Authority
from tests.conftest import Serve
from tests.notify_socket import NotifySocket
from tests.rows import Row
from tests.server import run_esg

BUSY = "tests.apps.busy:app"
# Of the watchdog: well below what the tests wait for.
WATCHDOG = {"WATCHDOG_USEC": "200000"}


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[NotifySocket]:
    with closing(NotifySocket(str(tmp_path / "notify"))) as fake:
        yield fake


def test_start_and_stop_are_told(serve: Serve, row: Row, manager: NotifySocket) -> None:
    server = serve(row=row, env=manager.variable)
    assert manager.next() == {"READY": "1", "STATUS": f"Listening on {server.url}"}
    server.stdout.wait_for("# lifespan: startup")
    with server.connect() as client:
        client.request("/count", "POST", [("Content-Length", "2")])
        client.send(b"1")
        server.stdout.wait_for("# content: begun")
        server.send_signal(signal.SIGTERM)
        assert manager.next()["STOPPING"] == "1"
        client.send(b"2")  # it is told when the stop begins, not when it is over
        assert client.response().status == 200
    assert server.wait_exit() == 0


def test_a_reload_of_certificates_is_told(
    serve: Serve, manager: NotifySocket, tmp_path: Path
) -> None:
    """As systemd's Type=notify-reload asks for: asked for or not, and when it fails, too."""
    pair = Authority(tmp_path).issue("served")
    server = serve(*pair.options, env=manager.variable)
    ready = manager.next()
    server.send_signal(signal.SIGHUP)
    reloading = manager.next()
    assert reloading["RELOADING"] == "1"
    assert reloading["MONOTONIC_USEC"].isdigit()
    assert manager.next() == ready
    pair.certfile.write_text("none")
    assert manager.next()["RELOADING"] == "1"
    assert manager.next() == ready
    server.stderr.wait_for("ERROR.*Certificates are not reloaded")


def test_a_status_that_is_no_unicode(manager: NotifySocket) -> None:
    """A UNIX socket's path may be any bytes."""
    with closing(ServiceManager(manager.variable["NOTIFY_SOCKET"])) as service_manager:
        service_manager.ready("Listening on unix:/\udcff")
    assert manager.next_bytes() == b"READY=1\nSTATUS=Listening on unix:/\xff"


def test_the_socket_may_have_an_abstract_name(serve: Serve) -> None:
    name = f"@esg-test-{os.getpid()}-{time.monotonic_ns()}"
    with closing(NotifySocket(name)) as manager:
        serve(env=manager.variable)
        assert manager.next()["READY"] == "1"


def test_a_stop_of_its_own_is_told(serve: Serve, manager: NotifySocket) -> None:
    server = serve("--limit-max-requests", "1", env=manager.variable)
    assert manager.next()["READY"] == "1"
    with server.connect() as client:
        assert client.get("/").status == 200
    assert manager.next()["STOPPING"] == "1"
    assert server.wait_exit() == 0


def test_the_loop_feeds_the_watchdog(serve: Serve, row: Row, manager: NotifySocket) -> None:
    server = serve(row=row, app=BUSY, env=manager.variable | WATCHDOG)
    assert manager.next()["READY"] == "1"
    manager.pings(5)
    with server.connect() as client:
        client.request("/block")
        server.stdout.wait_for("# /block: begun")
        with pytest.raises(TimeoutError):
            manager.pings(20, within=1)
    assert server.stop(signal.SIGKILL) == -signal.SIGKILL


def test_the_watchdog_is_fed_while_requests_end(serve: Serve, manager: NotifySocket) -> None:
    server = serve("--timeout-graceful-shutdown", "60", env=manager.variable | WATCHDOG)
    with server.connect() as client:
        client.request("/count", "POST", [("Content-Length", "2")])
        client.send(b"1")
        server.stdout.wait_for("# content: begun")
        server.send_signal(signal.SIGTERM)
        assert manager.next_but_pings()["READY"] == "1"
        assert manager.next_but_pings()["STOPPING"] == "1"
        manager.pings(3)
        client.send(b"2")
    assert server.wait_exit() == 0


def test_a_start_that_fails_is_not_told(manager: NotifySocket) -> None:
    done = run_esg("tests.apps.lifespans:failed", "--port", "0", env=manager.variable | WATCHDOG)
    assert done.returncode == 3
    with pytest.raises(TimeoutError):
        manager.next(within=0.01)


@pytest.mark.parametrize("address", ["vsock:2:1234", "/nowhere/at-all"])
def test_a_manager_that_cannot_be_told_is_a_warning(serve: Serve, address: str) -> None:
    server = serve(env={"NOTIFY_SOCKET": address} | WATCHDOG)
    with server.connect() as client:
        assert client.get("/").status == 200
    assert server.stop() == 0
    assert len(server.stderr.matching("WARNING.*Cannot notify the service manager")) == 1


def test_reload_has_the_time_that_systemd_asks_for(manager: NotifySocket) -> None:
    told = ServiceManager(manager.variable["NOTIFY_SOCKET"])
    before = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
    told.reloading()
    told.close()
    message = manager.next()
    assert message.pop("RELOADING") == "1"
    assert before <= int(message.pop("MONOTONIC_USEC")) <= before + 60_000_000
    assert message == {}


@pytest.mark.parametrize(
    ("variables", "interval"),
    [
        ({"WATCHDOG_USEC": "3000000"}, 1.5),
        ({"WATCHDOG_USEC": "3000000", "WATCHDOG_PID": str(os.getpid())}, 1.5),
        ({"WATCHDOG_USEC": "3000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
        ({"WATCHDOG_USEC": "-5"}, None),
        ({}, None),
    ],
)
def test_who_is_watched_and_how_often(variables: dict[str, str], interval: float | None) -> None:
    found = ServiceManager.from_environment({"NOTIFY_SOCKET": "/run/notify", **variables})
    assert found is not None
    found.close()
    assert found.watchdog_interval == interval


@pytest.mark.parametrize("environment", [{}, {"NOTIFY_SOCKET": ""}])
def test_without_a_manager_there_is_none(environment: dict[str, str]) -> None:
    assert ServiceManager.from_environment(environment) is None
