"""The supervisor: starts that fail, configurations, signals, and its own end."""

from __future__ import annotations

import errno
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from esg.config import Config
from esg.supervisor import supervisor
from tests.certificates import Authority
from tests.client import Connection
from tests.conftest import Serve, require
from tests.rows import FIRST_ROW, Row
from tests.server import ESG, LINE_BOUND, REPOSITORY, ServerProcess, environment, run_esg
from tests.supervisor.load import under_load
from tests.supervisor.test_workers import APP, ENDED, SERVES

WriteModule = Callable[[str, str], Path]
TWO = ("--workers", "2")


@pytest.fixture(params=[FIRST_ROW, Row("fast", "uvloop")], ids=lambda row: row.id)
def one_of_each(request: pytest.FixtureRequest) -> Row:
    """Return a row of each implementation."""
    return require(request.param)


@pytest.mark.parametrize(
    ("app", "said"),
    [
        ("no_such_module:app", "esg: module 'no_such_module' not found"),
        ("tests.apps.lifespans:failed", "esg: application start-up failed: the database is away"),
    ],
)
def test_a_start_that_fails_ends_all(app: str, said: str) -> None:
    done = run_esg(*TWO, "--port", "0", app)
    assert done.returncode == 3
    assert len(re.findall(re.escape(said), done.stderr)) == 1, done.stderr
    assert "listening" not in done.stderr


def test_workers_that_crash_as_they_start_end_all(write_module: WriteModule) -> None:
    folder = write_module("crashing", "import os\nos._exit(9)\n")
    done = run_esg(*TWO, "--port", "0", "crashing:app", cwd=folder)
    assert done.returncode == 3
    assert "has not started: exit code 9" in done.stderr
    assert done.stderr.splitlines()[-1] == "esg: the workers end before they serve"


def test_a_directory_to_watch_that_is_none() -> None:
    done = run_esg("--reload", "--reload-dir", "no/where", "--port", "0", APP)
    assert done.returncode == 2
    assert done.stderr == (
        "esg: reload_dir (--reload-dir) is no directory: no/where (see esg --help)\n"
    )


def test_what_to_watch_without_reload_is_a_warning(serve: Serve) -> None:
    """Also where it would be wrong: a configuration may be for development, too."""
    server = serve("--reload-dir", "no/where", "--reload-include", "*.html", app=APP)
    assert server.stderr.matching("WARNING") == [
        "WARNING:  reload_dir (--reload-dir) has no effect without reload (--reload)",
        "WARNING:  reload_include (--reload-include) has no effect without reload (--reload)",
    ]


def test_an_address_that_is_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = run_esg(*TWO, "--port", port, APP)
    assert done.returncode == 3
    assert len(done.stderr.splitlines()) == 1
    assert f"cannot bind 127.0.0.1:{port}" in done.stderr


def test_places_in_the_shared_page_are_used_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """For every accept() reads the page up to the last one."""

    def refuse(*_arguments: object) -> None:
        raise OSError(errno.EAGAIN, "no process")

    monkeypatch.setattr(supervisor, "WorkerProcess", refuse)
    config = Config(APP, workers=3)
    watching = supervisor.Supervisor(config, lambda: config)
    with closing(watching._page), closing(watching._wake), closing(watching._selector):
        for now in range(100, 1000, 100):
            for act, number in watching._table.decide(now):
                watching._do(act, number)
            watching._table.renew(now)
        assert watching._page.used == 1


def test_no_place_is_left_in_the_shared_page(caplog: pytest.LogCaptureFixture) -> None:
    """For that so many have to be retiring without end."""
    config = Config(APP, workers=2)
    full = supervisor.Supervisor(config, lambda: config)
    with closing(full._page), closing(full._wake), closing(full._selector):
        full._free_slots.clear()
        for act, number in full._table.decide(100):
            full._do(act, number)
        assert full._table.members == {}
        assert not full._table.stopping
    assert "Cannot start a worker: 1024 have not ended" in caplog.text


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
def test_a_start_that_hangs_can_be_stopped(write_module: WriteModule, number: int) -> None:
    """In the import and in the lifespan's start-up; neither counts as a blocked loop."""
    folder = write_module(
        "hanging", "import sys, time\nsys.stdout.write('# importing\\n')\ntime.sleep(600)\n"
    )
    for app, line in (("hanging:app", "importing"), ("tests.apps.lifespans:hangs", "startup")):
        options = [*TWO, "--timeout-worker-healthcheck", "0.1", "--port", "0", app]
        server = ServerProcess(options, cwd=folder)
        try:
            server.stdout.wait_for(line, count=2)
            assert server.stop(number) == 0
            assert not server.stderr.matching("Traceback|listening|stuck")
        finally:
            server.end()


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGQUIT], ids=["SIGHUP", "SIGQUIT"])
def test_a_signal_to_the_whole_group_while_workers_start(number: int) -> None:
    """It is the supervisor that heeds it; no worker is lost."""
    if not Path("/proc/self/task").exists():
        pytest.skip("only /proc tells whether workers have been started")
    server = ServerProcess([*TWO, "--port", "0", APP], command=("setsid", *ESG))
    try:
        children = Path(f"/proc/{server.pid}/task/{server.pid}/children")
        patience = time.monotonic() + LINE_BOUND
        while len(children.read_text("ascii").split()) < 2:
            assert time.monotonic() < patience
            time.sleep(0.001)
        os.killpg(server.pid, number)
        server.stderr.wait_for(SERVES, count=2)
        assert not server.stderr.matching("killed")
        assert server.stop() == 0
    finally:
        server.end()


def test_the_application_is_not_imported_by_the_supervisor(
    write_module: WriteModule, serve: Serve
) -> None:
    source = "import os, sys\nsys.stdout.write(f'# import {os.getpid()}\\n')\n"
    folder = write_module("telling", source + "from tests.apps.stage import app\n")
    server = serve(*TWO, "--app-dir", str(folder), app="telling:app")
    server.stdout.wait_for("# import", count=2)
    assert not server.stdout.matching(f"# import {server.pid}$")


def test_unix_socket_and_another_address(serve: Serve, tmp_path: Path, one_of_each: Row) -> None:
    path = tmp_path / "socket"
    binds = ("--bind", "127.0.0.1:0", "--bind", f"unix:{path}")
    server = serve(*TWO, *binds, app=APP, row=one_of_each)
    server.stderr.wait_for(f"listening on unix:{path}")
    for address in (server.address, str(path)):
        with under_load(address) as load:
            load.wait_for_others_than(set(), 2)
        assert load.failures == []
    assert server.stop() == 0
    assert not path.exists()


def test_many_requests_are_enough(serve: Serve, one_of_each: Row) -> None:
    options = ("--limit-max-requests", "50", "--limit-max-requests-jitter", "20")
    server = serve(*TWO, *options, "--no-access-log", app=APP, row=one_of_each)
    with under_load(server.address) as load:
        server.stderr.wait_for(ENDED, count=2)
    assert load.failures == []
    replaced = re.findall(r"Replacing worker \d+: it has had (\d+) requests", server.stderr.text)
    assert all(50 <= int(number) <= 70 for number in replaced)


def test_requests_in_flight_outlive_a_signal_to_all(serve: Serve, one_of_each: Row) -> None:
    """Terminals and service managers signal the whole group, workers too."""
    server = serve(*TWO, app=APP, row=one_of_each, command=("setsid", *ESG))
    with server.connect() as client:
        client.request("/slow?0.5")
        server.stdout.wait_for("# slow")
        os.killpg(server.pid, signal.SIGTERM)
        assert client.response().status == 200
    assert server.wait_exit() == 0
    assert not server.stderr.matching("Stopping at once")


def test_second_signal_stops_at_once(serve: Serve, one_of_each: Row) -> None:
    server = serve(*TWO, "--timeout-graceful-shutdown", "60", app=APP, row=one_of_each)
    with server.connect() as client:
        client.request("/slow?600")
        server.stdout.wait_for("# slow")
        server.stderr.wait_for(SERVES, count=2)
        server.send_signal(signal.SIGTERM)
        server.stderr.wait_for("Stopping")
        assert server.stop() == 143
    assert len(server.stdout.matching("# lifespan: shutdown")) == 2


def test_workers_end_with_their_supervisor(serve: Serve, one_of_each: Row) -> None:
    """However it dies; what is in flight is answered."""
    server = serve(*TWO, app=APP, row=one_of_each)
    server.stderr.wait_for(SERVES, count=2)
    with server.connect() as client:
        client.request("/slow?0.5")
        server.stdout.wait_for("# slow")
        server.send_signal(signal.SIGKILL)
        assert client.response().status == 200
    assert server.wait_exit() == -signal.SIGKILL  # and the workers' ends of its streams are closed
    assert len(server.stdout.matching("# lifespan: shutdown")) == 2
    assert len(server.stderr.matching("The supervisor is gone")) == 2


def test_a_blocked_worker_ends_with_its_supervisor(write_module: WriteModule) -> None:
    source = (
        "from tests.apps.processes import app\n"
        "import esg.supervisor.worker\n"
        "esg.supervisor.worker._ORPHAN_SLACK = 0.5\n"
    )
    folder = write_module("impatient", source)
    bounds = ("--timeout-graceful-shutdown", "0.1", "--timeout-lifespan", "0.1")
    server = ServerProcess([*TWO, *bounds, "--port", "0", "impatient:app"], cwd=folder)
    server.wait_started()
    with server.connect() as client:
        client.request("/block")
        server.stdout.wait_for("# block")
        server.send_signal(signal.SIGKILL)
        assert client.at_end()
    assert server.wait_exit() == -signal.SIGKILL
    server.end()


@pytest.mark.skipif(sys.platform != "linux", reason="it is Linux that tells")
def test_a_worker_without_an_interpreter_ends_with_its_supervisor(
    write_module: WriteModule, one_of_each: Row
) -> None:
    """Where C code holds it for good; the defaults would have that take a minute."""
    source = (
        "from tests.apps.interpreter_lock import app\n"
        "from esg.supervisor.parent_death import end_with_parent\n"
        "end_with_parent(1)\n"
    )
    folder = write_module("held", source)
    options = [*one_of_each.options, *TWO, "--port", "0", "held:app"]
    server = ServerProcess(options, cwd=folder)
    try:
        server.wait_started()
        with server.connect() as client:
            client.request("/hold")
            server.stdout.wait_for("# hold")
            server.send_signal(signal.SIGKILL)
            assert client.at_end()
        assert server.wait_exit() == -signal.SIGKILL  # its streams are closed at all ends
    finally:
        server.end()


def test_tls(serve: Serve, tmp_path: Path, one_of_each: Row) -> None:
    """Every worker speaks it; SIGHUP brings a new certificate, and no request fails."""
    authority = Authority(tmp_path)
    pair = authority.issue("served")
    server = serve(*TWO, *pair.options, app=APP, row=one_of_each)
    with under_load(server.address, tls=authority.client()) as load:
        load.wait_for_others_than(set(), 2)
        old = set(load.answers)
        authority.issue("served")
        server.send_signal(signal.SIGHUP)
        load.wait_for_others_than(old, 2)
        server.stderr.wait_for(ENDED, count=2)
    assert load.failures == []
    with connected(server, authority) as client:
        der = client.getpeercert(binary_form=True)
    assert der is not None
    assert ssl.DER_cert_to_PEM_cert(der) == pair.leaf


def connected(server: ServerProcess, authority: Authority) -> ssl.SSLSocket:
    plain = socket.create_connection(("127.0.0.1", server.port), timeout=60)
    return authority.client().wrap_socket(plain, server_hostname="localhost")


def site(folder: Path, text: str) -> None:
    (folder / "esg.toml").write_text(text, "utf-8")


@pytest.fixture
def configured(tmp_path: Path) -> Iterator[ServerProcess]:
    """Return a server whose configuration is a file in the test's directory.

    It is its supervisor that reads it, whatever the workers run on.
    """
    site(tmp_path, "workers = 2\nheader = ['X-Number: 1']\n")
    (tmp_path / "mine.py").write_text("from tests.apps.processes import app\n", "utf-8")
    options = [*FIRST_ROW.options, "--port", "0", "--config", "esg.toml", "mine:app"]
    server = ServerProcess(options, cwd=tmp_path)
    server.wait_started()
    server.stderr.wait_for(SERVES, count=2)
    yield server
    server.end()


def number_of(server: ServerProcess) -> str | None:
    with server.connect() as client:
        return client.get("/").field("x-number")


def test_hup_reads_the_configuration_again(configured: ServerProcess, tmp_path: Path) -> None:
    site(tmp_path, "workers = 3\nheader = ['X-Number: 2']\nbacklog = 7\nport = 1\n")
    configured.send_signal(signal.SIGHUP)
    configured.stderr.wait_for(ENDED, count=2)
    configured.stderr.wait_for(SERVES, count=5)
    assert number_of(configured) == "2"


def test_a_configuration_that_is_wrong_changes_nothing(
    configured: ServerProcess, tmp_path: Path
) -> None:
    site(tmp_path, "workers = 0\n")
    configured.send_signal(signal.SIGHUP)
    configured.stderr.wait_for("ERROR.*configuration is not taken: workers .*at least 1")
    site(tmp_path, "workers = 2\nhost = '127.0.0.2'\nheader = ['X-Number: 3']\n")
    configured.send_signal(signal.SIGHUP)
    configured.stderr.wait_for("WARNING.*host has changed, which takes a restart")
    configured.stderr.wait_for(ENDED, count=2)
    assert number_of(configured) == "3"


def test_reload_cannot_be_switched_on(configured: ServerProcess, tmp_path: Path) -> None:
    """Nobody watches files; a worker still goes only when another one serves."""
    site(tmp_path, "workers = 1\nreload = true\nheader = ['X-Number: 4']\n")
    configured.send_signal(signal.SIGHUP)
    configured.stderr.wait_for("WARNING.*reload has changed, which takes a restart")
    configured.stderr.wait_for(ENDED, count=2)
    told = configured.stderr.matching(f"{SERVES}|{ENDED}")
    assert len(told) == 5  # three have come, and two of these went
    assert re.search(ENDED, told[-1])
    assert number_of(configured) == "4"


def test_an_application_that_does_not_load_any_more(
    configured: ServerProcess, tmp_path: Path
) -> None:
    (tmp_path / "mine.py").write_text("no python\n", "utf-8")
    configured.send_signal(signal.SIGHUP)
    configured.stderr.wait_for("ERROR.*has not started: importing 'mine' failed: SyntaxError")
    configured.stderr.wait_for("ERROR.*The workers that serve are kept")
    assert number_of(configured) == "1"
    assert not configured.stderr.matching(ENDED)


def test_a_configuration_that_does_not_serve_is_forgotten(
    configured: ServerProcess, tmp_path: Path
) -> None:
    """What takes the place of a worker that was kept has the configuration of that one."""
    site(tmp_path, "workers = 2\nfactory = true\nheader = ['X-Number: 2']\n")
    configured.send_signal(signal.SIGHUP)
    configured.stderr.wait_for("ERROR.*The workers that serve are kept")
    kept = re.findall(r"Worker (\d+) serves", "\n".join(configured.stderr.matching(SERVES)))
    os.kill(int(kept[0]), signal.SIGKILL)
    configured.stderr.wait_for(SERVES, count=len(kept) + 1)
    assert number_of(configured) == "1"


@pytest.mark.parametrize("workers", ["1", "2"])
def test_log_files_are_opened_again(serve: Serve, tmp_path: Path, workers: str) -> None:
    log = tmp_path / "esg.log"
    (tmp_path / "log.toml").write_text(
        f"""
        [handlers.file]
        class = "logging.FileHandler"
        filename = "{log}"
        [handlers.console]
        class = "logging.StreamHandler"
        [loggers.esg]
        handlers = ["console"]
        [loggers."esg.access"]
        handlers = ["file"]
        propagate = false
        """,
        "utf-8",
    )
    options = ("--workers", workers, "--log-config", str(tmp_path / "log.toml"))
    server = serve(*options, app=APP)
    log.rename(tmp_path / "esg.log.1")
    server.send_signal(signal.SIGUSR1)
    deadline = time.monotonic() + 30
    while not (log.exists() and log.read_text("utf-8")):
        assert time.monotonic() < deadline
        with server.connect() as client:
            assert client.get("/").status == 200


def test_lines_of_the_access_log_are_whole(serve: Serve, one_of_each: Row) -> None:
    server = serve("--workers", "4", app=APP, row=one_of_each)
    with under_load(server.address, "/" + "x" * 1000) as load:
        load.wait_for_answers(1000)
    assert server.stop() == 0
    line = r'INFO:     127\.0\.0\.1:\d+ - "GET /x{1000} HTTP/1\.1" 200|# .*'
    assert [found for found in server.stdout() if not re.fullmatch(line, found)] == []


def test_lines_name_the_worker(serve: Serve) -> None:
    server = serve(*TWO, app="tests.apps.stage:app")
    with server.connect() as client:
        client.request("/", fields=[("Bad Field", "x")])
        assert client.response().status == 400
    server.stderr.wait_for(r"WARNING:  \[[0-9]+\] .* rejected with 400")


def test_reload(write_module: WriteModule, one_of_each: Row) -> None:
    """After an error it waits for the next change; meanwhile, and as it starts, requests wait."""
    good = (
        "from tests.apps.stage import answer\n"
        "async def app(scope, receive, send):\n"
        "    await answer(send, b'%d')\n"
    )
    folder = write_module("saved", good % 1)
    options = [*one_of_each.options, "--port", "0", "--reload", "--lifespan", "off", "saved:app"]
    server = ServerProcess(options, cwd=folder)
    try:
        server.wait_started()
        _answers(server, b"1")
        _save(folder, "no python")
        server.stderr.wait_for("has not started: importing 'saved' failed: SyntaxError")
        server.stderr.wait_for("Waiting for a change")
        with server.connect() as waiting:
            waiting.request("/")
            _save(folder, good % 2)
            assert waiting.response().body == b"2"
        since = len(server.stderr())
        with server.connect() as client:
            _save(folder, good % 3)
            server.stderr.wait_for(ENDED, since=since)
            assert client.at_end()
        _answers(server, b"3")
        assert server.stop() == 0
    finally:
        server.end()


def _answers(server: ServerProcess, body: bytes) -> None:
    with server.connect() as client:
        assert client.get("/").body == body


def _save(folder: Path, source: str) -> None:
    """Save as editors do: write another file, then put it in the old one's place."""
    (folder / "saved.tmp").write_text(source, "utf-8")
    (folder / "saved.tmp").rename(folder / "saved.py")


def test_esg_run_in_a_program(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(
        "import esg, sys\nsys.exit(esg.run('tests.apps.processes:app', port=0, workers=2))\n",
        "utf-8",
    )
    command = (sys.executable, "-W", "error", "program.py")
    server = ServerProcess([], cwd=tmp_path, command=command)
    try:
        server.wait_started()
        with Connection(server.address) as client:
            assert client.get("/").status == 200
        assert server.stop() == 0
    finally:
        server.end()


def test_a_worker_alone_ends() -> None:
    """Its supervisor has gone before it could say anything."""
    ours, theirs = socket.socketpair()
    ours.close()
    with theirs:
        done = subprocess.run(
            [sys.executable, "-m", "esg.supervisor", str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            timeout=60,
            check=False,
            env=environment(),
            cwd=REPOSITORY,
        )
    assert done.returncode == 0
