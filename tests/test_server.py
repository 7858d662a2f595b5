"""The API: a Server inside a running loop, and `esg.run` in a program."""

from __future__ import annotations

import logging
import signal
import socket
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import anyio
import httpx
import pytest

import esg
from esg.asgi import Receive, Scope, Send
from tests.apps import lifespans
from tests.apps.stage import answer, app
from tests.server import ServerProcess, run_esg


@pytest.fixture
def settings(anyio_backend_name: str) -> dict[str, Any]:
    """Return settings that fit the running loop."""
    return {"port": 0, "impl": "pure"}


@asynccontextmanager
async def serving(app: Any = app, **settings: Any) -> AsyncIterator[esg.Server]:
    server = esg.Server(esg.Config(app, **settings))
    with anyio.fail_after(20):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(server.serve)
            await server.started()
            yield server
            server.shutdown()


async def get(url: str) -> httpx.Response:
    async with httpx.AsyncClient() as client:
        return await client.get(url)


@pytest.mark.anyio
async def test_serves_inside_a_running_loop(settings: dict[str, Any]) -> None:
    async with serving(**settings) as server:
        (url,) = server.addresses
        assert url.startswith("http://127.0.0.1:")
        assert (await get(url)).text == "hello"


@pytest.mark.anyio
async def test_shutdown_before_the_start_is_not_forgotten(settings: dict[str, Any]) -> None:
    server = esg.Server(esg.Config(app, **settings))
    assert server.addresses == ()
    server.shutdown()
    with anyio.fail_after(20):
        await server.serve()


@pytest.mark.anyio
async def test_shutdown_during_start_up(settings: dict[str, Any]) -> None:
    server = esg.Server(esg.Config(lifespans.hangs, **settings))
    server.shutdown()
    with anyio.fail_after(20):
        await server.serve()
        with pytest.raises(esg.StartupError, match="stopped before it had started"):
            await server.started()
    assert server.addresses == ()


@pytest.mark.anyio
async def test_shutdown_from_another_thread(settings: dict[str, Any]) -> None:
    with anyio.fail_after(20):
        async with serving(**settings) as server:
            thread = threading.Thread(target=server.shutdown)
            thread.start()
            thread.join()


@pytest.mark.anyio
async def test_shutdown_after_the_end_is_nothing(settings: dict[str, Any]) -> None:
    async with serving(**settings) as server:
        pass
    server.shutdown()
    server.shutdown(force=True)


@pytest.mark.anyio
async def test_forced_shutdown_does_not_wait(settings: dict[str, Any]) -> None:
    async with serving(timeout_graceful_shutdown=0, **settings) as server:
        port = int(server.addresses[0].rpartition(":")[2])
        async with await anyio.connect_tcp("127.0.0.1", port) as stream:
            await stream.send(b"GET /listen HTTP/1.1\r\nHost: test\r\n\r\n")
            assert (await stream.receive()).startswith(b"HTTP/1.1 200")
            server.shutdown(force=True)


@pytest.mark.anyio
async def test_cancellation_ends_a_server(settings: dict[str, Any]) -> None:
    """The program's own cancel scope is as good as a shutdown, lifespan included."""
    server = esg.Server(esg.Config(app, **settings))
    with anyio.fail_after(20):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(server.serve)
            await server.started()
            port = int(server.addresses[0].rpartition(":")[2])
            tasks.cancel_scope.cancel()
    with socket.socket() as client:
        assert client.connect_ex(("127.0.0.1", port)) != 0


@pytest.mark.anyio
async def test_cancellation_leaves_the_application_its_shutdown(settings: dict[str, Any]) -> None:
    """And the time for what it has to wait for then."""
    seen: list[str] = []

    async def recording(scope: Scope, receive: Receive, send: Send) -> None:
        assert scope["type"] == "lifespan"
        for _ in range(2):
            event = (await receive())["type"]
            await anyio.sleep(0.01)
            seen.append(event)
            await send({"type": f"{event}.complete"})

    server = esg.Server(esg.Config(recording, **settings))
    with anyio.fail_after(20):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(server.serve)
            await server.started()
            tasks.cancel_scope.cancel()
    assert seen == ["lifespan.startup", "lifespan.shutdown"]


@pytest.mark.anyio
async def test_cancellation_of_a_start_up_is_not_that_of_its_waiters(
    settings: dict[str, Any],
) -> None:
    server = esg.Server(esg.Config(lifespans.hangs, **settings))
    said: list[str] = []

    async def wait() -> None:
        with pytest.raises(esg.StartupError) as raised:
            await server.started()
        said.append(str(raised.value))

    with anyio.fail_after(20):
        async with anyio.create_task_group() as waiting:
            waiting.start_soon(wait)
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(server.serve)
                await anyio.wait_all_tasks_blocked()
                tasks.cancel_scope.cancel()
    assert said == ["the server was stopped before it had started"]


@pytest.mark.anyio
async def test_a_server_serves_once(settings: dict[str, Any]) -> None:
    async with serving(**settings) as server:
        with pytest.raises(RuntimeError, match="a Server serves once"):
            await server.serve()
        assert (await get(server.addresses[0])).text == "hello"


@pytest.mark.anyio
async def test_shutdown_twice_is_one(settings: dict[str, Any]) -> None:
    """A request in flight is answered: only `force` stops at once."""
    released, asked = anyio.Event(), anyio.Event()

    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        assert scope["type"] == "http"
        asked.set()
        await released.wait()
        await answer(send, b"slow")

    texts: list[str] = []

    async def ask(url: str) -> None:
        texts.append((await get(url)).text)

    async with anyio.create_task_group() as clients, serving(slow, **settings) as server:
        clients.start_soon(ask, server.addresses[0])
        await asked.wait()
        server.shutdown()
        server.shutdown()
        await anyio.wait_all_tasks_blocked()  # both have been heard
        released.set()
    assert texts == ["slow"]


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"app": "nowhere:app"}, "module 'nowhere' not found"),
        ({"app": lifespans.failed}, "the database is away"),
        ({"host": "host.invalid"}, "cannot bind host.invalid"),
    ],
    ids=["module", "lifespan", "host"],
)
async def test_start_up_errors_are_raised_as_they_are(
    wrong: dict[str, Any], said: str, settings: dict[str, Any]
) -> None:
    """Not in an exception group, from serve() and from started()."""
    server = esg.Server(esg.Config(**{"app": app, **settings, **wrong}))
    for wait in (server.serve, server.started):
        with anyio.fail_after(20), pytest.raises(esg.StartupError, match=said):
            await wait()


@pytest.mark.anyio
async def test_another_loop_than_asked_for(anyio_backend_name: str) -> None:
    other = "asyncio" if anyio_backend_name == "trio" else "trio"
    server = esg.Server(esg.Config(app, port=0, impl="pure", loop=other))  # type: ignore[arg-type]
    with pytest.raises(esg.ConfigError, match=rf"loop \(--loop\) is {other}, but \w+ runs"):
        await server.serve()


async def test_a_server_is_one_process(settings: dict[str, Any]) -> None:
    server = esg.Server(esg.Config("examples.hello:app", workers=2, **settings))
    with pytest.raises(esg.ConfigError, match="a Server is one process"):
        await server.serve()


def test_wait_started_in_a_thread_has_a_bound() -> None:
    server = esg.Server(esg.Config(app, port=0))
    with pytest.raises(TimeoutError, match="not started within"):
        server.wait_started(0.01)
    server.shutdown()
    anyio.run(server.serve)


@contextmanager
def recorded() -> Iterator[list[str]]:
    """Record what reaches the root logger."""
    seen: list[str] = []

    class Root(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            seen.append(record.getMessage())

    handler = Root()
    logging.getLogger().addHandler(handler)
    level = logging.getLogger("esg").level
    logging.getLogger("esg").setLevel(logging.INFO)
    try:
        yield seen
    finally:
        logging.getLogger().removeHandler(handler)
        logging.getLogger("esg").setLevel(level)


@pytest.mark.anyio
async def test_a_server_in_a_program_just_logs(settings: dict[str, Any]) -> None:
    """It adds no handlers, and each line comes once."""
    with recorded() as seen:
        async with serving(**settings) as server:
            await get(server.addresses[0])
    assert len([line for line in seen if "listening on" in line]) == 1
    assert len([line for line in seen if '"GET / HTTP/1.1" 200' in line]) == 1
    assert logging.getLogger("esg").handlers == []
    assert logging.getLogger("esg.access").handlers == []


def program(name: str) -> ServerProcess:
    command = (sys.executable, "-W", "error", "-m", "tests.apps.embedding")
    return ServerProcess([name], command=command)


def test_run_serves_an_application() -> None:
    process = program("run_app")
    try:
        process.wait_started()
        assert httpx.get(process.url).text == "hello"
        assert process.stop() == 0
        assert process.stdout.matching("# run returned 0")
    finally:
        process.end()


def test_run_keeps_its_lines_from_the_programs_own_handlers() -> None:
    process = program("run_string")
    try:
        process.wait_started()
        assert process.stderr.matching(r"\(pure on trio, ")
        httpx.get(process.url)
        assert process.stop(signal.SIGINT) == 0
        assert len(process.stdout.matching('"GET / HTTP/1.1" 200')) == 1
        assert not process.stdout.matching("root:.*(listening|GET)")
    finally:
        process.end()


def test_run_twice_in_one_program() -> None:
    process = program("run_twice")
    try:
        process.stderr.wait_for("listening on", count=1)
        process.send_signal(signal.SIGTERM)
        process.stderr.wait_for("listening on", count=2)
        assert process.stop() == 0
        assert len(process.stderr.matching("listening on")) == 2
    finally:
        process.end()


def test_run_raises_its_errors() -> None:
    process = program("run_wrong")
    assert process.wait_exit() == 0
    told = process.stdout()
    assert told[0] == "# ConfigError: unknown setting 'prot'; did you mean 'port'?"
    assert told[1] == "# StartupError: module 'nowhere' not found (app 'nowhere')"
    process.end()


def test_an_app_that_is_no_application() -> None:
    assert run_esg("json:__name__").returncode == 3
