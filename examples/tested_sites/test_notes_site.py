"""The FastAPI application on every row that has an asyncio loop."""

from collections.abc import Iterator

import httpx
import pytest
from notes_site import app

from esg.testing import LiveServer, assert_same_traces, record, serve, validate

pytestmark = pytest.mark.esg_rows("*-asyncio", "*-uvloop")

NOTE = {"text": "é" * 50_000, "stars": 3}


@pytest.fixture(scope="module")
def server(esg_row: str) -> Iterator[LiveServer]:
    """Return one server for all tests on a row; the application is held to the specification."""
    with serve(validate(app), esg_row, lifespan="on") as server:
        yield server


@pytest.fixture
def client(server: LiveServer) -> Iterator[httpx.Client]:
    """Return a client of the site."""
    with httpx.Client(base_url=server.url) as client:
        yield client


def test_keeps_notes(client: httpx.Client) -> None:
    assert client.put("/notes/a", json=NOTE).json() == NOTE
    assert client.get("/notes/a").json() == NOTE
    assert client.get("/notes/b").status_code == 404


def test_refuses_what_is_no_note(client: httpx.Client) -> None:
    assert client.put("/notes/a", json={"stars": 3}).status_code == 422
    assert client.put("/notes/a", content=b"{").status_code == 422


def test_runs_functions_in_threads(client: httpx.Client) -> None:
    assert client.get("/thread").json() == "threaded"


def test_describes_itself(client: httpx.Client) -> None:
    assert "/notes/{name}" in client.get("/openapi.json").json()["paths"]


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_tells_of_news(server: LiveServer) -> None:
    async with httpx.AsyncClient(base_url=server.url) as client:
        await client.put("/notes/fresh", json=NOTE)
        # Other tests may have kept notes before.
        while (await client.get("/news")).json() != "fresh":
            pass


def test_does_the_same_on_every_row(esg_rows: tuple[str, ...]) -> None:
    traces = {}
    for row in esg_rows:
        recorded = record(app)
        with serve(recorded, row) as server, httpx.Client(base_url=server.url) as client:
            client.put("/notes/a", json=NOTE)
            client.get("/notes/a")
            client.get("/notes/b")
        traces[row] = recorded.traces
    assert_same_traces(traces)
