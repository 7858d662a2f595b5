"""No client reports an error, whatever it does with connections that the server ends."""

from __future__ import annotations

import urllib.request

import pytest

from tests.clients.kinds import KINDS, Kind
from tests.clients.load import Load
from tests.conftest import Serve
from tests.rows import FIRST_ROW, Row
from tests.server import ServerProcess

APP = "tests.apps.for_clients:app"
# Seconds, around the end: some connections end before their next request, some after, some meanwhile.
ABOUT = (1.9, 2.1, 2.3, 2.5, 2.7, 2.9, 3.1)
# Those that make a request again that was lost with a kept connection. Others must not be asked
# just then: whoever sends a request while the server ends the connection cannot know its fate.
REPEATING = [kind for kind in KINDS if kind.name in ("http.client", "go-pool")]


def serve_to(kind: Kind, serve: Serve, row: Row) -> ServerProcess:
    seconds = str(kind.keep_alive)
    return serve("--no-access-log", "--timeout-keep-alive", seconds, app=APP, row=row)


def check(kind: Kind, load: Load) -> None:
    """Run a client, and see that it has got its answers, on connections that it kept."""
    assert kind.run(load) == load.total
    with urllib.request.urlopen(f"{load.url}/connections", timeout=60) as answer:
        opened = int(answer.read()) - 1
    if kind.connections is not None and kind.name != "wrk":
        assert opened <= kind.connections * (len(load.pauses) + 1)


@pytest.fixture(scope="module")
def first_server(serve_module: Serve) -> ServerProcess:
    """Return a server for the sample."""
    return serve_module("--no-access-log", app=APP, row=FIRST_ROW)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_a_sample(kind: Kind, first_server: ServerProcess) -> None:
    check(kind, Load(first_server.url, 200))


@pytest.mark.exhaustive
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_ten_thousand_requests(kind: Kind, serve: Serve, row: Row) -> None:
    server = serve_to(kind, serve, row)
    check(kind, Load(server.url, 5000, (kind.outlasting,)))


@pytest.mark.exhaustive
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("kind", REPEATING, ids=lambda kind: kind.name)
def test_requests_while_connections_end(kind: Kind, serve: Serve, row: Row) -> None:
    server = serve_to(kind, serve, row)
    load = Load(server.url, 200, ABOUT)
    assert kind.run(load) == load.total
