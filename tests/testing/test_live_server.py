"""Live servers: on every row, and honest about how they end."""

from __future__ import annotations

import asyncio
import logging
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import anyio
import httpx
import pytest

import esg
from esg.asgi import Receive, Scope, Send
from esg.logs import logger
from esg.testing import ASGIViolation, LiveServer, NotStopped, available_rows, serve, validate
from esg.testing.running_calls import RunningCalls
from tests.apps import lifespans
from tests.apps.stage import answer, content, start
from tests.testing.calls import call, http_scope, lifespan_scope, sending

ROWS = available_rows()
# For what is taken for a hang: the shortest time that shows it.
SHORT = 0.3


async def hello(scope: Scope, receive: Receive, send: Send) -> None:
    """Greet; know no lifespan."""
    if scope["type"] != "http":
        raise NotImplementedError(scope["type"])
    await answer(send, b"hello")


@pytest.fixture(params=ROWS)
def any_row(request: pytest.FixtureRequest) -> str:
    row: str = request.param
    return row


@pytest.fixture(params=[row for row in ROWS if "trio" not in row])
def any_asyncio_row(request: pytest.FixtureRequest) -> str:
    row: str = request.param
    return row


@pytest.fixture(autouse=True)
def leaves_nothing_behind() -> Iterator[None]:
    yield
    assert "esg test server" not in {thread.name for thread in threading.enumerate()}
    assert logger.level == logging.NOTSET
    assert not logger.handlers


def test_serves_on_every_row(any_row: str) -> None:
    with serve(hello, any_row) as server:
        assert server.row == any_row
        assert server.url == f"http://127.0.0.1:{server.port}"
        assert repr(server) == f"<LiveServer {any_row} at {server.url}>"
        answered = httpx.get(server.url)
        assert (answered.text, answered.headers["server"]) == ("hello", "esg")
        impl, loop = any_row.split("-")
        assert f"({impl} on {loop}, " in server.logs.text
        assert '"GET / HTTP/1.1" 200' in server.logs.wait_for("GET /")
    with pytest.raises(httpx.ConnectError):
        httpx.get(server.url)


def test_without_a_row_esg_chooses() -> None:
    with serve(hello) as server:
        assert server.row in ROWS


def test_the_applications_lifespan_runs() -> None:
    with serve("examples.demo:app", "pure-asyncio", lifespan="on") as server:
        assert httpx.get(f"{server.url}/api/server").json()["requests"] == 1


def test_a_module_beside_the_test(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "beside_the_test.py").write_text(
        "from tests.testing.test_live_server import hello\ndef make(): return hello\n"
    )
    before = sys.path[:]
    with serve("beside_the_test:make", factory=True, app_dir=str(tmp_path)) as server:
        assert httpx.get(server.url).text == "hello"
    assert sys.path == before


def test_settings_are_those_of_the_server() -> None:
    with serve(hello, host="::1", root_path="/api", log_level="trace") as server:
        assert server.url.startswith("http://[::1]:")
        assert httpx.get(server.url).text == "hello"
        assert "'root_path': '/api'" in server.logs.wait_for("http .* started")


def test_two_at_once_keep_their_logs_apart() -> None:
    with serve(hello) as first, serve(hello) as second:
        httpx.get(f"{first.url}/first")
        httpx.get(f"{second.url}/second")
        first.logs.wait_for("/first")
        second.logs.wait_for("/second")
        assert "/second" not in first.logs.text
        assert "/first" not in second.logs.text


@pytest.mark.parametrize(
    ("app", "settings", "error", "what"),
    [
        (hello, {"prot": 1}, esg.ConfigError, "prot"),
        (hello, {"loop": "trio"}, esg.ConfigError, "impl and loop are what the row says"),
        (hello, {"log_level": "loud"}, esg.ConfigError, "log_level"),
        ("nowhere:app", {}, esg.StartupError, "module 'nowhere' not found"),
        (lifespans.failed, {}, esg.StartupError, "the database is away"),
    ],
)
def test_what_does_not_start(
    app: object, settings: dict[str, object], error: type[Exception], what: str
) -> None:
    with pytest.raises(error, match=what), serve(app, **settings):  # type: ignore[arg-type]
        pytest.fail("the block must not run")


def test_a_start_up_that_does_not_end() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await anyio.sleep_forever()

    with pytest.raises(TimeoutError, match=r"not started within 0.3 s"):  # noqa: SIM117
        with serve(app, start_timeout=SHORT):
            pytest.fail("the block must not run")


def test_a_row_that_is_none() -> None:
    with pytest.raises(ValueError, match="no row 'fast-trio'"), serve(hello, "fast-trio"):
        pytest.fail("the block must not run")


async def forgetful(scope: Scope, receive: Receive, send: Send) -> None:
    """Begin a response and never end it."""
    if scope["type"] != "http":
        raise NotImplementedError(scope["type"])
    await send(start())
    await send(content(b"begun", more_body=True))
    await anyio.sleep_forever()


@contextmanager
def reading(server: LiveServer, path: str) -> Iterator[None]:
    with httpx.stream("GET", f"{server.url}{path}") as response:
        assert next(response.iter_raw()) == b"begun"
        yield


def test_a_request_that_goes_on_is_a_failure(any_row: str) -> None:
    with (
        pytest.raises(NotStopped, match=r"not stopped in 0.3 s: still running: GET /endless \("),
        serve(forgetful, any_row, stop_timeout=SHORT) as server,
        reading(server, "/endless"),
    ):
        pass


async def leaving_a_task(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer, and leave a task that nobody ends."""
    if scope["type"] == "http":
        task = asyncio.get_running_loop().create_task(asyncio.sleep(1000), name="forgotten")
        scope["state"]["tasks"].append(task)
        await answer(send, b"answered")
        return
    scope["state"]["tasks"] = []
    await receive()
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await send({"type": "lifespan.shutdown.complete"})


def test_a_task_left_behind_is_a_failure(any_asyncio_row: str) -> None:
    with (
        pytest.raises(NotStopped, match=r"left a task behind: <Task pending name='forgotten'"),
        serve(leaving_a_task, any_asyncio_row, stop_timeout=SHORT) as server,
    ):
        assert httpx.get(server.url).text == "answered"


def test_a_task_that_ends_in_time_is_none(any_asyncio_row: str) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        scope["state"]["task"] = asyncio.create_task(asyncio.sleep(0.05))
        await hello(scope, receive, send)

    with serve(app, any_asyncio_row) as server:
        httpx.get(server.url)


@pytest.mark.parametrize("row", ["pure-asyncio", "pure-trio"])
def test_an_application_that_blocks_the_loop(row: str, monkeypatch: pytest.MonkeyPatch) -> None:
    go_on = threading.Event()
    shutdown = esg.Server.shutdown

    def shutdown_and_go_on(server: esg.Server, *, force: bool = False) -> None:
        shutdown(server, force=force)
        if force:
            go_on.set()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await hello(scope, receive, send)
        go_on.wait(60)

    monkeypatch.setattr(esg.Server, "shutdown", shutdown_and_go_on)
    with (
        pytest.raises(NotStopped, match=r"still running: GET /") as raised,
        serve(app, row, stop_timeout=SHORT) as server,
    ):
        httpx.get(server.url)
    assert "nor does it" not in str(raised.value)


def test_an_application_that_never_gives_the_loop_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("esg.testing.live_server._FORCED", 0.0)
    go_on = threading.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await hello(scope, receive, send)
        go_on.wait(60)

    try:
        with (
            pytest.raises(NotStopped, match=r"(?s)nor does it when.*go_on\.wait\(60\)"),
            serve(app, "pure-asyncio", stop_timeout=SHORT) as server,
        ):
            httpx.get(server.url)
    finally:
        go_on.set()
    for thread in threading.enumerate():
        if thread.name == "esg test server":
            thread.join(10)


def test_a_lifespan_that_does_not_end_is_a_failure() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await anyio.sleep_forever()

    with pytest.raises(NotStopped, match="still running: lifespan"), serve(app, stop_timeout=SHORT):
        pass


def test_an_idle_connection_is_no_hindrance(any_row: str) -> None:
    with httpx.Client() as client, serve(hello, any_row, stop_timeout=20) as server:
        client.get(server.url)


def test_a_server_that_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    serve_well = esg.Server.serve

    async def serve_badly(server: esg.Server) -> None:
        await serve_well(server)
        raise LookupError("in the end")

    monkeypatch.setattr(esg.Server, "serve", serve_badly)
    with pytest.raises(NotStopped, match="the server raised LookupError"), serve(hello) as server:
        httpx.get(server.url)


def test_a_server_that_is_stopped_by_itself() -> None:
    with serve(hello, limit_max_requests=1) as server:
        httpx.get(server.url)
        server.logs.wait_for("Stopped")


def test_the_blocks_own_error_comes_first() -> None:
    def fail(server: LiveServer) -> NoReturn:
        server.violations.append(ASGIViolation("server", "did it", "clause"))
        raise LookupError("mine")

    with (
        pytest.raises(LookupError, match="mine") as raised,
        serve(forgetful, stop_timeout=SHORT) as server,
        reading(server, "/"),
    ):
        fail(server)
    first, second = raised.value.__notes__
    assert "still running: GET /" in first
    assert second == "the server did it [clause]"


def test_a_swallowed_violation_is_a_failure(any_row: str) -> None:
    status: list[int] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            raise NotImplementedError
        await send(start())
        try:
            await send(content(bytearray(b"x")))  # type: ignore[arg-type]
        except Exception:
            return

    with (
        pytest.raises(ASGIViolation, match="'body' must be a byte string"),
        serve(validate(app), any_row) as server,
    ):
        status.append(httpx.get(server.url).status_code)
    assert status == [500]


def test_violations_that_were_expected_can_be_taken() -> None:
    with serve(validate(sending({"type": "http.response.begin"})), lifespan="off") as server:
        assert httpx.get(server.url).status_code == 500
        assert [found.culprit for found in server.violations] == ["application"]
        server.violations.clear()


def test_several_failures_come_together() -> None:
    with (
        pytest.raises(ExceptionGroup, match="did not end well") as raised,
        serve(validate(forgetful), stop_timeout=SHORT) as server,
        reading(server, "/"),
    ):
        server.violations.append(ASGIViolation("server", "did it", "clause"))
    assert [type(error) for error in raised.value.exceptions] == [ASGIViolation, NotStopped]


def test_running_calls() -> None:
    calls = RunningCalls()
    seen: list[list[str]] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> str:
        seen.append(list(calls))
        return "a value"

    followed = calls.following(app)
    for scope in (http_scope(), lifespan_scope(), {"type": "telepathy"}):
        call(followed, scope)
    assert seen == [["GET /é"], ["lifespan"], ["telepathy"]]
    assert not list(calls)
