"""Flask and Django as WSGI applications, on every row."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from urllib.parse import unquote

import httpx
import pytest

from tests.conftest import Serve
from tests.rows import Row
from tests.server import ServerProcess

# Without `-W error`: what a framework warns of is not ours.
COMMAND = (sys.executable, "-m", "esg")
APPS = {"flask": "tests.apps.flask_site:app", "django": "tests.apps.django_wsgi_site:app"}
SIZE = 50 * 2**20
# How much the peak of a server's memory may lie above what it had before.
BOUND = 32 * 2**20


@pytest.fixture(scope="module", params=APPS)
def framework(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    pytest.importorskip(name)
    return name


@pytest.fixture(scope="module")
def server(serve_module: Serve, row: Row, framework: str) -> ServerProcess:
    return serve_module(app=APPS[framework], row=row, command=COMMAND)


@pytest.fixture
def client(server: ServerProcess) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, timeout=60) as made:
        yield made


def test_routes(client: httpx.Client) -> None:
    found = client.get("/items/7?q=%C3%A9").json()
    assert (found["number"], found["q"]) == (7, "é")
    assert unquote(found["url"]) == f"{str(client.base_url).rstrip('/')}/items/7?q=é"
    assert client.get("/nothing").status_code == 404


def test_a_large_upload(server: ServerProcess, client: httpx.Client) -> None:
    client.get("/items/1")
    before = server.memory()
    block = b"x" * 2**20

    def blocks() -> Iterator[bytes]:
        for _ in range(SIZE // len(block)):
            yield block

    declared = {"Content-Length": str(SIZE)}
    assert client.post("/raw", content=blocks(), headers=declared).json() == {"size": SIZE}
    assert server.memory("VmHWM") - before < BOUND


def test_a_form_with_a_file(client: httpx.Client) -> None:
    upload = b"l" * 3_000_000
    answer = client.post("/form", data={"name": "é"}, files={"upload": ("f.bin", upload)})
    assert answer.json() == {"name": "é", "size": len(upload)}


def test_a_stream(client: httpx.Client) -> None:
    assert client.get("/stream").text == "".join(f"{number}\n" for number in range(100))


def test_a_client_that_leaves(server: ServerProcess, framework: str) -> None:
    with (
        httpx.Client(base_url=server.url, timeout=60) as client,
        client.stream("GET", "/endless") as answer,
    ):
        assert next(answer.iter_raw()).startswith(b"tick")
    server.stdout.wait_for(f"# {framework}: stream ended")
    assert not server.stderr.matching("ERROR|Disconnected")


def test_cookies(client: httpx.Client) -> None:
    answer = client.get("/cookies", headers=[("Cookie", "a=1"), ("Cookie", "b=2")])
    assert answer.json() == {"a": "1", "b": "2"}
    assert len(answer.headers.get_list("set-cookie")) == 2


def test_an_error(server: ServerProcess, client: httpx.Client, framework: str) -> None:
    assert client.get("/error").status_code == 500
    server.stderr.wait_for(f"^ +ValueError: {framework} on purpose")
    assert client.get("/items/1").status_code == 200
