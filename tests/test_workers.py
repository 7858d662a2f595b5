"""ESG's worker classes in a real gunicorn: signals, replacement, logs, settings."""

from __future__ import annotations

import re
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.client import Connection
from tests.server import START_BOUND, ServerProcess

OFFICE = "tests.apps.office:app"
CLASSES = ("ESGWorker", "ESGPureWorker", "ESGTrioWorker")
SERVES = re.compile(r"\[(?P<pid>\d+)\] \[INFO\] ESG .* listening on")
GUNICORN = (sys.executable, "-W", "error", "-m", "gunicorn")


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
        self.stderr.wait_for(SERVES.pattern, count, within=START_BOUND, since=since)
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
def kind(request: pytest.FixtureRequest) -> str:
    """Return every worker class, one after the other."""
    assert isinstance(request.param, str)
    return request.param


def who_answers(server: Gunicorn) -> int:
    with server.connect() as client:
        return int(client.get("/").body)


def hold(server: Gunicorn, client: Connection) -> int:
    """Send all of a request but its last byte; return the worker that has it."""
    since = len(server.stdout())
    client.request("/wait", "POST", [("Content-Length", "2")])
    client.send(b"1")
    return int(server.stdout.wait_for(r"# (\d+): waiting", since=since)[1])


def test_serves_and_stops(gunicorn: Start, kind: str) -> None:
    server = gunicorn(kind=kind, workers=2)
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
