"""ESG's worker classes in a real gunicorn: signals, replacement, logs, settings."""

from __future__ import annotations

import os
import signal
import socket
import ssl
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest
import trustme

from tests.client import Connection
from tests.server import REPOSITORY, START_BOUND, ServerProcess
from tests.supervisor.load import under_load

OFFICE = "tests.apps.office:app"
CLASSES = ("ESGWorker", "ESGPureWorker", "ESGTrioWorker")
SERVES = r"\[INFO\] ESG .* listening on"
LOOK_BOUND = 5.0  # seconds for gunicorn's reloader, which looks once a second
# Not with -W error: gunicorn leaves sockets and files to the end of the process.
GUNICORN = (sys.executable, "-m", "gunicorn")


class Gunicorn(ServerProcess):
    """A gunicorn whose workers are ESG's.

    Args:
        arguments: of gunicorn's command line.
        env: variables besides this process's own.
    """

    def __init__(self, *arguments: str, env: dict[str, str] | None = None) -> None:
        super().__init__(arguments, env=env, command=GUNICORN)

    def workers(self) -> set[int]:
        """Return the workers that serve, or end."""
        path = Path(f"/proc/{self.pid}/task/{self.pid}/children")
        return set(map(int, path.read_text("ascii").split()))

    def wait_serving(self, count: int, since: int = 0) -> None:
        """Wait until so many workers have come to serve, the first lines left out."""
        self.stderr.wait_for(SERVES, count, within=START_BOUND, since=since)
        if not self.address:
            self.wait_started()


Start = Callable[..., Gunicorn]


@pytest.fixture
def gunicorn(tmp_path: Path) -> Iterator[Start]:
    """Return a function that starts gunicorns for one test, and waits until they serve."""
    with ExitStack() as ended:

        def start(
            *options: str,
            kind: str = "ESGWorker",
            app: str = OFFICE,
            workers: int = 1,
            env: dict[str, str] | None = None,
            serving: bool = True,
        ) -> Gunicorn:
            place = () if "--bind" in options else ("--bind", "127.0.0.1:0")
            started = Gunicorn(
                *("--no-control-socket", "--worker-class", f"esg.workers.{kind}"),
                *("--workers", str(workers), *place, *options, app),
                env=env,
            )
            ended.callback(started.end)
            if serving:
                started.wait_serving(workers)
            return started

        yield start


@pytest.fixture(params=CLASSES)
def every_kind(request: pytest.FixtureRequest) -> str:
    """Return every worker class, one after the other."""
    return str(request.param)


# ESGPureWorker has the loop of one of the others and the driver of the other one.
@pytest.fixture(
    params=[
        pytest.param(name, marks=[pytest.mark.exhaustive] if name == "ESGPureWorker" else [])
        for name in CLASSES
    ]
)
def kind(request: pytest.FixtureRequest) -> str:
    """Return a worker class of each loop and of each driver."""
    return str(request.param)


def who_answers(server: Gunicorn) -> int:
    with server.connect() as client:
        return int(client.get("/").body)


def hold(server: Gunicorn, client: Connection) -> int:
    """Send all of a request but its last byte; return the worker that has it."""
    since = len(server.stdout())
    client.request("/wait", "POST", [("Content-Length", "2")])
    client.send(b"1")
    return int(server.stdout.wait_for(r"# (\d+): waiting", since=since)[1])


def test_serves_and_stops(gunicorn: Start, every_kind: str) -> None:
    server = gunicorn(kind=every_kind, workers=2)
    assert who_answers(server) in server.workers()
    with server.connect() as client:
        hold(server, client)
        server.send_signal(signal.SIGTERM)
        server.stderr.wait_for("Stopping")
        client.send(b"2")
        assert client.response().status == 200
    assert server.wait_exit() == 0
    assert len(server.stdout.matching("stopped")) == 2
    assert not server.stderr.matching("ERROR|WARNING|was sent SIG")


def test_replaces_all_on_hang_up_without_an_error(gunicorn: Start, kind: str) -> None:
    server = gunicorn("--keep-alive", "5", kind=kind, workers=2)
    before = server.workers()
    with under_load(server.address) as load:
        load.wait_for_answers(50)
        server.send_signal(signal.SIGHUP)
        load.wait_for_others_than(before, count=2)
        wait_until(lambda: not before & server.workers())
        load.wait_for_answers(50)
    assert load.failures == []
    assert not server.stderr.matching("ERROR|was sent SIG")


def test_replaces_one_that_has_had_its_requests_without_an_error(
    gunicorn: Start, kind: str
) -> None:
    limits = ("--max-requests", "150", "--max-requests-jitter", "50", "--keep-alive", "5")
    server = gunicorn(*limits, kind=kind, workers=2)
    with under_load(server.address) as load:
        load.wait_for_others_than(server.workers(), count=2)
    assert load.failures == []
    assert server.stderr.matching(r"Stopping after 1[5-9]\d requests|Stopping after 200 requests")
    assert not server.stderr.matching("ERROR|was sent SIG")


def test_one_more_and_one_less(gunicorn: Start) -> None:
    server = gunicorn()
    (first,) = server.workers()
    with under_load(server.address) as load:
        since = len(server.stderr())
        server.send_signal(signal.SIGTTIN)
        server.wait_serving(1, since)
        assert len(server.workers()) == 2
        load.wait_for_others_than({first})
        server.send_signal(signal.SIGTTOU)
        wait_until(lambda: len(server.workers()) == 1 and first not in server.workers())
        load.wait_for_answers(20)
    assert load.failures == []


def test_the_arbiter_repeats_itself_and_requests_end_well(gunicorn: Start, kind: str) -> None:
    """It sends SIGTERM every second to one that it has too many of."""
    server = gunicorn(kind=kind, workers=2)
    with server.connect() as client:
        worker = hold(server, client)
        for _ in range(3):
            os.kill(worker, signal.SIGTERM)
        server.stderr.wait_for(rf"\[{worker}\] \[INFO\] Stopping$")
        client.send(b"2")
        assert client.response().status == 200
    server.stderr.wait_for(rf"Worker exiting \(pid: {worker}\)")
    assert not server.stderr.matching("Stopping at once")


def test_a_blocked_loop_is_shown_and_killed(gunicorn: Start, kind: str) -> None:
    server = gunicorn("--timeout", "1", kind=kind)
    (before,) = server.workers()
    since = len(server.stderr())
    with server.connect() as client:
        client.request("/block")
        server.stderr.wait_for(rf"WORKER TIMEOUT \(pid:{before}\)")
        server.stderr.wait_for("The event loop is blocked, here")
        server.stderr.wait_for("office.py.* in app")
        assert client.at_end()
    server.wait_serving(1, since)
    assert who_answers(server) != before


@pytest.mark.parametrize("stage", ["start", "end"])
def test_what_takes_long_is_not_taken_for_blocked(gunicorn: Start, stage: str) -> None:
    """Neither a start-up nor a last request that takes longer than gunicorn's timeout."""
    slow = {"OFFICE_START": "slow", "OFFICE_SLOWNESS": "2.5"} if stage == "start" else {}
    server = gunicorn("--timeout", "1", env=slow)
    if stage == "end":
        with server.connect() as client:
            hold(server, client)
            server.send_signal(signal.SIGTERM)
            server.stderr.wait_for("Stopping")
            time.sleep(2.5)  # so long it must not be taken for blocked: there is no event
            client.send(b"2")
            assert client.response().status == 200
    assert not server.stderr.matching("WORKER TIMEOUT")


def test_one_that_is_killed_is_replaced(gunicorn: Start) -> None:
    server = gunicorn()
    (before,) = server.workers()
    since = len(server.stderr())
    os.kill(before, signal.SIGKILL)
    server.wait_serving(1, since)
    assert who_answers(server) != before


def test_workers_do_not_outlive_the_arbiter(gunicorn: Start, kind: str) -> None:
    server = gunicorn(kind=kind, workers=2)
    workers = server.workers()
    server.send_signal(signal.SIGKILL)
    wait_until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in workers))
    assert server.wait_exit() == -signal.SIGKILL
    assert len(server.stdout.matching("stopped")) == 2


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGQUIT])
def test_stops_at_once(gunicorn: Start, kind: str, number: int) -> None:
    server = gunicorn("--graceful-timeout", "60", kind=kind)
    with server.connect() as client:
        hold(server, client)
        server.send_signal(number)
        assert server.wait_exit() == 0
    assert server.stdout.matching("stopped")


def test_what_does_not_end_is_cancelled_within_the_graceful_timeout(gunicorn: Start) -> None:
    server = gunicorn("--graceful-timeout", "2")
    with server.connect() as client:
        hold(server, client)
        assert server.stop() == 0
    assert server.stderr.matching("Requests do not end within 1.5 s")
    assert server.stdout.matching("stopped")  # before the arbiter kills
    assert not server.stderr.matching("SIGKILL")


@pytest.mark.parametrize(
    ("env", "code", "line"),
    [
        ({"ESG_WS_MAX_SIZE": "much"}, 3, r"ws_max_size \(\$ESG_WS_MAX_SIZE\): must be a whole"),
        ({"ESG_PORT": "80"}, 3, r"\$ESG_PORT: port is gunicorn's business here: use --bind"),
        ({"OFFICE_START": "fail"}, 3, "application start-up failed: on purpose"),
        ({"OFFICE_START": "import"}, 3, "RuntimeError: on purpose"),
    ],
)
def test_what_keeps_workers_from_starting_ends_it_all(
    gunicorn: Start, env: dict[str, str], code: int, line: str
) -> None:
    server = gunicorn(env=env, serving=False)
    assert server.wait_exit() == code
    assert len(server.stderr.matching(line)) == 1
    assert server.stderr.matching("Worker failed to boot")
    assert "import" in env.values() or not server.stderr.matching("Traceback")


def test_a_setting_of_the_class_is_not_changed_by_a_variable(gunicorn: Start) -> None:
    server = gunicorn(kind="ESGTrioWorker", env={"ESG_LOOP": "asyncio"}, serving=False)
    assert server.wait_exit() == 3
    assert server.stderr.matching("loop is asyncio, but ESGTrioWorker is for trio")


def test_the_access_log_is_gunicorns(gunicorn: Start, kind: str, tmp_path: Path) -> None:
    path = tmp_path / "access.log"
    form = '%(h)s "%(r)s" %(s)s %(B)s %({user-agent}i)s %(p)s'
    server = gunicorn("--access-logfile", str(path), "--access-logformat", form, kind=kind)
    (worker,) = server.workers()
    with server.connect() as client:
        client.request("/a?b", fields=[("User-Agent", "me")])
        size = len(client.response().body)
        wait_until(path.read_text)
        assert path.read_text() == f'127.0.0.1 "GET /a?b HTTP/1.1" 200 {size} me <{worker}>\n'
        path.rename(tmp_path / "old.log")
        server.send_signal(signal.SIGUSR1)
        wait_until(path.exists)
        wait_until(lambda: client.get("/").status == 200 and path.read_text())


def test_without_an_access_log_there_is_none(gunicorn: Start) -> None:
    server = gunicorn()
    who_answers(server)
    assert not server.stdout.matching("GET") + server.stderr.matching("GET")


def test_listens_at_several_addresses(gunicorn: Start, kind: str, tmp_path: Path) -> None:
    path = tmp_path / "socket"
    server = gunicorn("--bind", f"unix:{path}", "--bind", "127.0.0.1:0", kind=kind)
    assert server.address == str(path)
    worker = who_answers(server)
    port = int(server.stderr.wait_for(r"listening on http://127.0.0.1:(\d+)")[1])
    with Connection(("127.0.0.1", port)) as client:
        assert int(client.get("/").body) == worker
    assert server.stop() == 0
    assert not path.exists()


def test_connections_are_kept_for_as_long_as_it_says(gunicorn: Start) -> None:
    server = gunicorn("--keep-alive", "1")
    with server.connect() as client:
        assert client.get("/").field("connection") is None
        assert client.get("/").status == 200
        began = time.monotonic()
        assert client.at_end()
        assert time.monotonic() - began > 0.5


def test_an_application_that_is_loaded_before_the_fork(gunicorn: Start, kind: str) -> None:
    server = gunicorn("--preload", kind=kind, workers=2)
    assert who_answers(server) in server.workers()


def change(module: Path, source: str, server: Gunicorn) -> int:
    """Write a module until the reload begins; return how many lines were logged before it.

    gunicorn's reloader takes its first look some time after the worker has begun to serve: what was
    written before is nothing new to it.
    """
    since = len(server.stderr())
    written = module.stat().st_mtime
    deadline = time.monotonic() + START_BOUND
    while time.monotonic() < deadline:
        module.write_text(source)
        written += 2  # newer, however coarse the file system's clock
        os.utime(module, (written, written))
        with suppress(AssertionError):  # it has looked only afterwards
            server.stderr.wait_for("Worker reloading", within=LOOK_BOUND, since=since)
            return since
    raise AssertionError(f"the reload does not begin:\n{server.stderr()}")


def test_reloads_when_the_application_changes(gunicorn: Start, tmp_path: Path) -> None:
    module = tmp_path / "changing.py"
    source = (REPOSITORY / "tests" / "apps" / "office.py").read_text()
    module.write_text(source)
    watch = ("--reload", "--reload-engine", "poll", "--pythonpath", str(tmp_path))
    server = gunicorn(*watch, app="changing:app")
    before = who_answers(server)
    since = change(module, source + "\nsyntax error\n", server)
    server.wait_serving(1, since)
    with server.connect() as client:
        assert client.get("/").status == 500
    server.stderr.wait_for("SyntaxError")
    since = change(module, source + "# mended\n", server)
    server.wait_serving(1, since)
    assert who_answers(server) != before


def test_what_has_no_effect_is_said_once(gunicorn: Start) -> None:
    server = gunicorn("--threads", "4", workers=2)
    assert len(server.stderr.matching("WARNING.*threads has no effect")) == 1


def test_speaks_tls(gunicorn: Start, kind: str, tmp_path: Path) -> None:
    authority = trustme.CA()
    issued = authority.issue_cert("localhost")
    certificate, key, ca = (str(tmp_path / name) for name in ("cert.pem", "key.pem", "ca.pem"))
    issued.cert_chain_pems[0].write_to_path(certificate)
    issued.private_key_pem.write_to_path(key)
    authority.cert_pem.write_to_path(ca)
    config = tmp_path / "gunicorn.conf.py"
    config.write_text(
        "import ssl\n"
        "def ssl_context(config, make):\n"
        "    context = make()\n"
        "    context.minimum_version = ssl.TLSVersion.TLSv1_3\n"
        "    return context\n"
    )
    tls = ("--certfile", certificate, "--keyfile", key, "--ca-certs", ca, "--cert-reqs", "2")
    server = gunicorn("--config", str(config), *tls, kind=kind)
    context = ssl.create_default_context(cafile=ca)
    context.load_cert_chain(*client_certificate(authority, tmp_path))
    with (
        socket.create_connection(("127.0.0.1", server.port), 15) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as client,
    ):
        assert client.version() == "TLSv1.3"
        client.sendall(b"GET / HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n")
        assert client.recv(12) == b"HTTP/1.1 200"
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with (
        socket.create_connection(("127.0.0.1", server.port), 15) as plain,
        pytest.raises((ssl.SSLError, ConnectionError)),
    ):
        context.wrap_socket(plain, server_hostname="localhost")


def client_certificate(authority: trustme.CA, folder: Path) -> tuple[str, str]:
    issued = authority.issue_cert("client")
    certificate, key = str(folder / "client.pem"), str(folder / "client.key")
    issued.cert_chain_pems[0].write_to_path(certificate)
    issued.private_key_pem.write_to_path(key)
    return certificate, key


def wait_until(condition: Callable[[], object]) -> None:
    """Wait for what no event tells of."""
    give_up = time.monotonic() + START_BOUND
    while not condition():
        assert time.monotonic() < give_up
        time.sleep(0.02)
