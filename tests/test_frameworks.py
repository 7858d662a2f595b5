"""Applications as people write them: FastAPI and Django on asyncio, Starlette on every loop."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import httpx
import pytest

from tests.conftest import Serve
from tests.rows import Row
from tests.server import ServerProcess

LINES = "".join(f"{number}\n" for number in range(100))
# More than any buffer on the way takes at once.
LARGE = b"l" * 3_000_000


# Without `-W error`: what a framework warns of is not ours.
COMMAND = (sys.executable, "-m", "esg")


class Site:
    """A served application and a client of it."""

    def __init__(self, server: ServerProcess) -> None:
        self.server = server
        self.client = httpx.Client(base_url=server.url, timeout=60)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.client.close()

    def leave_endless_stream(self) -> None:
        """Read a little of an endless stream, then close the connection."""
        with self.client.stream("GET", "/endless") as answer:
            assert next(answer.iter_raw()).startswith(b"tick")

    def leave_while_waiting(self, target: str, line: str) -> None:
        """Send a request, and leave once the application is known to wait."""
        with self.server.connect() as client:
            client.request(target)
            self.server.stdout.wait_for(line)


@pytest.fixture(scope="module")
def fastapi(serve_module: Serve, asyncio_row: Row) -> Iterator[Site]:
    pytest.importorskip("fastapi")
    with Site(
        serve_module(app="tests.apps.fastapi_site:app", row=asyncio_row, command=COMMAND)
    ) as site:
        yield site


@pytest.fixture(scope="module")
def django(serve_module: Serve, asyncio_row: Row) -> Iterator[Site]:
    pytest.importorskip("django")
    with Site(
        serve_module(app="tests.apps.django_site:app", row=asyncio_row, command=COMMAND)
    ) as site:
        yield site


@pytest.fixture(scope="module")
def sent_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a large file."""
    path = tmp_path_factory.mktemp("site") / "file.bin"
    path.write_bytes(bytes(range(256)) * 8192)
    return path


@pytest.fixture(scope="module")
def starlette(serve_module: Serve, row: Row, sent_file: Path) -> Iterator[Site]:
    pytest.importorskip("starlette")
    env = {"SITE_FILE": str(sent_file)}
    with Site(
        serve_module(app="tests.apps.starlette_site:app", row=row, env=env, command=COMMAND)
    ) as site:
        yield site


def test_fastapi_routes(fastapi: Site) -> None:
    assert fastapi.client.get("/items/7?q=x").json() == {"number": 7, "q": "x"}
    assert fastapi.client.get("/items/seven").status_code == 422
    assert fastapi.client.get("/nothing").status_code == 404
    assert fastapi.client.get("/thread").json() == "threaded"
    assert fastapi.client.get("/openapi.json").json()["openapi"]


def test_fastapi_takes_json(fastapi: Site) -> None:
    posted = fastapi.client.post("/items", json={"name": "é" * 50_000})
    assert posted.json() == {"name": "é" * 50_000, "price": 1.5}
    assert fastapi.client.post("/items", json={}).status_code == 422


def test_fastapi_takes_a_stream(fastapi: Site) -> None:
    assert fastapi.client.post("/raw", content=LARGE).json() == {"size": len(LARGE)}


def test_fastapi_streams(fastapi: Site) -> None:
    answer = fastapi.client.get("/stream")
    assert answer.headers["transfer-encoding"] == "chunked"
    assert answer.text == LINES


def test_fastapi_shares_lifespan_state(fastapi: Site) -> None:
    assert fastapi.server.stdout.matching("# fastapi: startup")
    assert fastapi.client.get("/state").json() == "open"


def test_fastapi_sees_a_client_leave(fastapi: Site) -> None:
    fastapi.leave_endless_stream()
    fastapi.server.stdout.wait_for("# fastapi: stream ended")
    fastapi.leave_while_waiting("/patient", "# fastapi: waiting")
    fastapi.server.stdout.wait_for("# fastapi: disconnected")
    assert not fastapi.server.stderr.matching("ClientDisconnected")


def test_fastapi_runs_background_tasks(fastapi: Site) -> None:
    assert fastapi.client.get("/background").json() == "answered"
    fastapi.server.stdout.wait_for("# fastapi: background")


def test_fastapi_error(fastapi: Site) -> None:
    answer = fastapi.client.get("/error")
    assert (answer.status_code, answer.text) == (500, "Internal Server Error")
    fastapi.server.stderr.wait_for("^ +ValueError: fastapi on purpose")
    assert fastapi.client.get("/thread").status_code == 200


def test_django_routes(django: Site) -> None:
    expected = {"number": 7, "q": "x", "scheme": "http"}
    assert django.client.get("/items/7?q=x").json() == expected
    assert django.client.get("/async").text == "asynchronous"
    assert django.client.get("/nothing").status_code == 404


def test_django_takes_a_form_with_a_file(django: Site) -> None:
    answer = django.client.post("/form", data={"name": "é"}, files={"upload": ("f.bin", LARGE)})
    assert answer.json() == {"name": "é", "file": "f.bin", "size": len(LARGE)}


def test_django_streams(django: Site) -> None:
    assert django.client.get("/stream").text == LINES


def test_django_sees_a_client_leave(django: Site) -> None:
    django.leave_endless_stream()
    django.server.stdout.wait_for("# django: stream ended")
    django.leave_while_waiting("/patient", "# django: waiting")
    django.server.stdout.wait_for("# django: cancelled")
    assert not django.server.stderr.matching("ERROR")


def test_django_error(django: Site) -> None:
    assert django.client.get("/error").status_code == 500
    assert django.client.get("/async").status_code == 200


def test_starlette_routes(starlette: Site) -> None:
    expected = {"pool": "open", "query": {"a": "1"}}
    assert starlette.client.get("/?a=1").json() == expected
    assert starlette.client.head("/").status_code == 200
    assert starlette.client.post("/").status_code == 405


def test_starlette_echoes(starlette: Site) -> None:
    assert starlette.client.post("/echo", content=LARGE).content == LARGE


def test_starlette_streams(starlette: Site) -> None:
    assert starlette.client.get("/stream").text == LINES


def test_starlette_sends_a_file(starlette: Site, sent_file: Path) -> None:
    answer = starlette.client.get("/file")
    assert answer.content == sent_file.read_bytes()
    assert answer.headers["content-length"] == str(sent_file.stat().st_size)
    part = starlette.client.get("/file", headers={"Range": "bytes=1000-1999"})
    assert (part.status_code, part.content) == (206, sent_file.read_bytes()[1000:2000])
    assert starlette.client.head("/file").headers["content-length"] == str(sent_file.stat().st_size)


def test_starlette_has_the_server_send_its_file(serve: Serve, row: Row, sent_file: Path) -> None:
    """FileResponse finds http.response.pathsend in the scope, and reads nothing itself."""
    pytest.importorskip("starlette")
    with Site(
        serve(
            *("--log-level", "trace"),
            app="tests.apps.starlette_site:app",
            row=row,
            env={"SITE_FILE": str(sent_file)},
            command=COMMAND,
        )
    ) as site:
        assert site.client.get("/file").content == sent_file.read_bytes()
        site.server.stderr.wait_for(f"'http.response.pathsend', 'path': '{sent_file}'")
        assert not site.server.stderr.matching("'http.response.body'")


def test_starlette_runs_background_tasks(starlette: Site) -> None:
    assert starlette.client.get("/background").text == "answered"
    starlette.server.stdout.wait_for("# starlette: background")


def test_starlette_errors(starlette: Site) -> None:
    answer = starlette.client.get("/missing")
    assert (answer.status_code, answer.text) == (404, "no such thing")
    assert starlette.client.get("/error").status_code == 500
    starlette.server.stderr.wait_for("^ +ValueError: starlette on purpose")
    assert starlette.client.get("/").status_code == 200


def test_starlette_sees_a_client_leave(starlette: Site) -> None:
    starlette.leave_endless_stream()
    starlette.server.stdout.wait_for("# starlette: stream ended")
    assert not starlette.server.stderr.matching("ClientDisconnected")


def test_starlette_lifespan(serve: Serve, row: Row) -> None:
    pytest.importorskip("starlette")
    server = serve(app="tests.apps.starlette_site:app", row=row, command=COMMAND)
    assert server.stop() == 0
    told = [line for line in server.stdout() if line.startswith("# starlette")]
    assert told == ["# starlette: startup", "# starlette: shutdown"]
