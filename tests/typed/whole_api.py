"""A program that uses every public name of ESG, as a type checker and as Python sees it.

`make types` has mypy and pyright read it; assert_type says what they must have understood, not less
than a user's editor shows. The test beside it runs it.
"""

from __future__ import annotations

import signal
from collections.abc import Callable
from typing import Any, Literal, assert_type

import anyio
import httpx

import esg
from esg import testing
from esg.asgi import Message, Receive, Scope, Send
from esg.schema.logging import LogLevel


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with the length of what came."""
    if scope["type"] == "lifespan":
        await live(receive, send)
        return
    assert scope["type"] == "http"
    length = 0
    more = True
    while more:
        message = assert_type(await receive(), Message)
        length += len(message.get("body", b""))
        more = message.get("more_body", False)
    headers = [(b"content-type", b"text/plain")]
    try:
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"%d" % length})
    except esg.ClientDisconnected as error:
        assert_type(error.exchange, object)


async def live(receive: Receive, send: Send) -> None:
    """Start and stop."""
    while True:
        what = (await receive())["type"].removeprefix("lifespan.")
        await send({"type": f"lifespan.{what}.complete"})
        if what == "shutdown":
            return


def configure(impl: Literal["pure", "fast"]) -> esg.Config:
    """Make a configuration with settings of each type."""
    config = assert_type(
        esg.Config(
            app,
            port=0,
            impl=impl,
            loop="asyncio",
            header=(("X-Served-By", "ESG"),),
            timeout_keep_alive=2.5,
            limit_concurrency=10,
            cancel_on_disconnect=None,
            access_log=False,
        ),
        esg.Config,
    )
    assert_type(config.port, int)
    assert_type(config.header, tuple[tuple[str, str], ...])
    assert_type(config.log_level, LogLevel | None)
    return config


async def serve_here(config: esg.Config) -> str:
    """Serve in the running loop; return what the application answered."""
    text = ""
    server = assert_type(esg.Server(config), esg.Server)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(server.serve)
        await server.started()
        assert_type(server.addresses, tuple[str, ...])
        async with httpx.AsyncClient() as client:
            text = (await client.post(server.addresses[0], content=b"here")).text
        assert_type(server.reload_certificates, Callable[[], None])
        server.shutdown(force=False)
        await server.stop_begun()
    return text


def serve_in_thread() -> str:
    """Serve in a thread."""
    with esg.run_in_thread(app, port=0, access_log=False) as server:
        server.wait_started(timeout=None)
        return httpx.post(assert_type(server, esg.Server).addresses[0], content=b"thread").text


async def stopping(scope: Scope, receive: Receive, send: Send) -> None:
    """Stop the program as soon as it has started."""
    assert scope["type"] == "lifespan"
    for what in ("startup", "shutdown"):
        assert (await receive())["type"] == f"lifespan.{what}"
        await send({"type": f"lifespan.{what}.complete"})
        if what == "startup":
            signal.raise_signal(signal.SIGTERM)


def run_program() -> int:
    """Serve as the command does; return the exit code."""
    return assert_type(esg.run(stopping, port=0, access_log=False), int)


def refused() -> list[str]:
    """Return what is said of settings that cannot be."""
    found: list[str] = []
    wrong: dict[str, Any] = {"port": -1}
    attempts: tuple[tuple[type[esg.ESGError], Callable[[], object]], ...] = (
        (esg.ConfigError, lambda: esg.Config(app, **wrong)),
        (esg.StartupError, lambda: esg.run_in_thread("no.such.module:app", port=0).__enter__()),
    )
    for kind, attempt in attempts:
        try:
            attempt()
        except kind as error:
            found.extend(assert_type(error.lines(), tuple[str, ...]))
    return found


async def forbidden(scope: Scope, receive: Receive, send: Send) -> None:
    """Break ASGI, and answer all the same."""
    if scope["type"] == "http":
        try:
            await send({"type": "http.response.body", "body": b"before its start"})
        except esg.MessageError:
            await app(scope, receive, send)
    else:
        await app(scope, receive, send)


def tested() -> tuple[str, ...]:
    """Use what there is for tests; return the rows that they ran on."""
    rows = assert_type(testing.available_rows(), tuple[str, ...])
    traces: dict[str, list[testing.Trace]] = {}
    for row in rows:
        recorded = assert_type(testing.record(app), testing.RecordedApp)
        checked = assert_type(testing.validate(recorded), testing.ValidatedApp)
        with testing.serve(checked, row) as server:
            assert_type(server, testing.LiveServer)
            assert httpx.post(server.url, content=b"123").text == "3"
        traces[row] = recorded.traces
    testing.assert_same_traces(traces)
    return rows


def violated() -> str:
    """Return what the validator says of a fault of the application's."""
    try:
        with testing.serve(testing.validate(forbidden)) as server:
            httpx.get(server.url)
    except testing.ASGIViolation as violation:
        return str(violation)
    except testing.NotStopped as error:
        return str(error)
    return ""


def start_one(start: testing.StartServer) -> str:
    """Take the fixture `esg_server`; return what its server answers."""
    server = assert_type(start(app, log_level="debug", access_log=False), testing.LiveServer)
    return httpx.post(server.url, content=b"fixture").text


def main() -> None:
    """Run all of it but for the fixture."""
    assert isinstance(esg.__version__, str)
    assert anyio.run(serve_here, configure("pure")) == "4"
    assert serve_in_thread() == "6"
    assert run_program() == 0
    wrong_port, no_module = refused()
    assert wrong_port.startswith("port (--port)"), wrong_port
    assert "no.such.module" in no_module
    with testing.serve(forbidden) as server:
        assert httpx.post(server.url, content=b"12345").text == "5"
    assert "http.response.start" in violated()
    assert "pure-asyncio" in tested()


if __name__ == "__main__":
    main()
