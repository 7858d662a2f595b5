"""The Starlette application on every row."""

from collections.abc import Iterator

import httpx
import pytest
from clock_site import app
from websockets.sync.client import connect

from esg.testing import StartServer, assert_same_traces, record, serve, validate

LARGE = b"tick tock " * 100_000


@pytest.fixture
def client(esg_server: StartServer) -> Iterator[httpx.Client]:
    """Return a client of the site, which is held to the specification at every step."""
    server = esg_server(validate(app), lifespan="on")
    with httpx.Client(base_url=server.url) as client:
        yield client


def test_greets(client: httpx.Client) -> None:
    assert client.get("/hello/Ada").text == "Hello, Ada!"
    assert client.head("/hello/Ada").status_code == 200
    assert client.get("/nowhere").status_code == 404
    assert client.delete("/hello/Ada").status_code == 405


def test_writes_guests_down(esg_server: StartServer) -> None:
    recorded = record(validate(app))
    server = esg_server(recorded)
    httpx.get(f"{server.url}/hello/Ada")
    recorded.wait_for("GET /hello/Ada")  # until its background task has run
    assert httpx.get(f"{server.url}/guests").json() == ["Ada"]


def test_counts_uploads(client: httpx.Client) -> None:
    assert client.post("/count", content=LARGE).json() == {"bytes": len(LARGE)}
    assert client.post("/count", content=iter([b"a", b"b"])).json() == {"bytes": 2}
    assert client.post("/count").json() == {"bytes": 0}


def test_stops_ticking_for_clients_that_leave(esg_server: StartServer) -> None:
    recorded = record(validate(app))
    server = esg_server(recorded)
    with httpx.stream("GET", f"{server.url}/ticks") as response:
        assert next(response.iter_text()).startswith("data: 1\n\n")
    assert recorded.wait_for("GET /ticks").end is not None


def test_greets_over_a_websocket(esg_server: StartServer) -> None:
    server = esg_server(validate(app))
    with connect(f"ws://127.0.0.1:{server.port}/ask") as websocket:
        for name in ("Ada", "", "é" * 100_000):
            websocket.send(name)
            assert websocket.recv() == f"Hello, {name}!"


def test_does_the_same_on_every_row(esg_rows: tuple[str, ...]) -> None:
    traces = {}
    for row in esg_rows:
        recorded = record(app)
        with serve(recorded, row) as server, httpx.Client(base_url=server.url) as client:
            client.get("/hello/Ada")
            client.post("/count", content=LARGE)
            client.get("/nowhere")
            with connect(f"ws://127.0.0.1:{server.port}/ask") as websocket:
                websocket.send("Ada")
                websocket.recv()
            recorded.wait_for("websocket /ask")
            with client.stream("GET", "/ticks") as response:
                next(response.iter_text())
        traces[row] = recorded.traces
    assert_same_traces(traces)
