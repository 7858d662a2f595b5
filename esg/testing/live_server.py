"""A real server for one test: in a thread, on a free port, and gone when the test is over."""

from __future__ import annotations

import asyncio
import logging
import sys
import threading
import traceback
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import Any, Final, Protocol

from esg.app_loader import load_app
from esg.asgi import ASGIApp
from esg.config import Config
from esg.errors import ConfigError
from esg.implementation import resolve, run_loop
from esg.schema.logging import LogLevel
from esg.server import Server
from esg.testing.rows import implementation_of
from esg.testing.running_calls import RunningCalls
from esg.testing.server_logs import ServerLogs
from esg.testing.violation import ASGIViolation, collect_violations

# What a server that does not stop gets once it is told not to wait any more, in seconds.
_FORCED: Final = 5.0
_DEFAULTS: Final[dict[str, Any]] = {
    "port": 0,
    # We do the waiting, and say for what.
    "timeout_graceful_shutdown": 0,
    "timeout_lifespan": 0,
}


class NotStopped(AssertionError):
    """Say what kept a server from stopping, or outlived it."""


class LiveServer:
    """Be one server, as its test sees it.

    Attributes:
        row: the implementation and loop that it runs on, such as "fast-uvloop".
        logs: what it logs.
        violations: what any validator of this process raised while it ran; a server that stops
            raises what is left in here.
    """

    def __init__(self, row: str, logs: ServerLogs, violations: list[ASGIViolation]) -> None:
        self.row = row
        self.logs = logs
        self.violations = violations
        self.addresses: tuple[str, ...] = ()

    @property
    def url(self) -> str:
        """Where it listens, as a URL without a slash at the end."""
        return self.addresses[0]

    @property
    def port(self) -> int:
        """The TCP port that it listens on."""
        return int(self.url.rpartition(":")[2])

    def __repr__(self) -> str:
        return f"<LiveServer {self.row} at {', '.join(self.addresses)}>"


class StartServer(Protocol):
    """Be the function that the fixture `esg_server` is."""

    def __call__(
        self,
        app: ASGIApp | str,
        *,
        start_timeout: float = 30.0,
        stop_timeout: float = 10.0,
        log_level: LogLevel = "info",
        **settings: Any,
    ) -> LiveServer:
        """Serve an application until the test ends; see `serve`."""
        ...


@contextmanager
def serve(
    app: ASGIApp | str,
    row: str | None = None,
    *,
    start_timeout: float = 30.0,
    stop_timeout: float = 10.0,
    log_level: LogLevel = "info",
    **settings: Any,
) -> Iterator[LiveServer]:
    """Serve an application in a thread while the block runs.

    Args:
        app: an application, or "module:attribute", which is imported in this process.
        row: what to serve it with, one of `esg.testing.rows.ROWS`; None for ESG's own choice.
        start_timeout: seconds that the application's start-up may take.
        stop_timeout: seconds that requests, tasks and the lifespan may take after the block.
        log_level: the least severe messages that `logs` gets.
        **settings: as for `esg.Config`; the default port is a free one.

    Raises:
        ValueError: there is no such row.
        ConfigError, StartupError: it does not start.
        TimeoutError: it has not started in time.
        NotStopped: it does not stop in time, or the application leaves tasks behind.
        ASGIViolation: a validator raised one while it ran, even if something swallowed it.
    """
    if {"impl", "loop"} & settings.keys():
        raise ConfigError("impl and loop are what the row says")
    chosen = resolve("auto", "auto") if row is None else implementation_of(row)
    settings = {**_DEFAULTS, **settings, "impl": chosen.name, "loop": chosen.loop}
    running = _ServerThread(Config(app, log_level=log_level, **settings))
    with ExitStack() as during:
        logs = ServerLogs(running.thread)
        level = logging.getLevelNamesMapping()[log_level.upper()]
        during.enter_context(logs.attached(level))
        violations = during.enter_context(collect_violations())
        server = LiveServer(f"{chosen.name}-{chosen.loop}", logs, violations)
        started = running.start(start_timeout)
        server.addresses = started.addresses
        try:
            yield server
        except BaseException as error:
            for problem in [*running.stop(started, stop_timeout), *map(str, violations)]:
                error.add_note(problem)
            raise
        _raise(running.stop(started, stop_timeout), violations)


def _raise(problems: list[str], violations: list[ASGIViolation]) -> None:
    errors: list[Exception] = [*violations]
    if problems:
        errors.append(NotStopped("\n".join(problems)))
    if len(errors) == 1:
        raise errors[0]
    if errors:
        raise ExceptionGroup("the server did not end well", errors)


class _ServerThread:
    """Run one server on a loop in a thread of its own.

    Args:
        config: its settings; the application is loaded in the thread, on the running loop.
    """

    def __init__(self, config: Config) -> None:
        self.thread = threading.Thread(target=self._run, name="esg test server", daemon=True)
        self._config = config
        self._calls = RunningCalls()
        self._server: Server | None = None
        self._loaded = threading.Event()  # or it never will be
        self._served = threading.Event()
        self._stop_timeout = 0.0
        self._error: BaseException | None = None
        self._left_behind: list[str] = []

    def start(self, timeout: float) -> Server:
        """Start it and return the server that listens.

        Args:
            timeout: seconds that this may take, once the application is imported.

        Raises:
            ConfigError, StartupError: it does not start.
            TimeoutError: it has not started yet.
        """
        self.thread.start()
        self._loaded.wait()
        if self._server is not None:
            try:
                self._server.wait_started(timeout)
            except BaseException:
                self._server.shutdown(force=True)
                self.thread.join(_FORCED)
                raise
            return self._server
        self.thread.join()
        raise self._error or AssertionError("the server has neither started nor failed")

    def stop(self, server: Server, timeout: float) -> list[str]:
        """Stop it.

        Args:
            server: what `start` returned.
            timeout: seconds that what still runs may take.

        Returns:
            what went wrong with that.
        """
        self._stop_timeout = timeout
        server.shutdown()
        problems: list[str] = []
        if not self._served.wait(timeout):
            problems.append(f"the server has not stopped in {timeout:g} s: {self._what_runs()}")
            server.shutdown(force=True)
        self.thread.join(timeout + _FORCED)
        if self.thread.is_alive():
            problems.append(f"nor does it when it must not wait any more:\n{self._stack()}")
        if self._error is not None:
            problems.append(f"the server raised {self._error!r}")
        return problems + self._left_behind

    def _what_runs(self) -> str:
        calls = ", ".join(self._calls)
        if not calls:
            return "no call of the application is running"
        return f"still running: {calls} (does a client still hold the connection?)"

    def _stack(self) -> str:
        frame = sys._current_frames().get(self.thread.ident or 0)  # noqa: SLF001 - the one way
        return "".join(traceback.format_stack(frame))

    def _run(self) -> None:
        try:
            run_loop(self._config.loop, self._main)
        except BaseException as error:  # noqa: BLE001 - it is raised in the caller's thread
            self._error = error
        finally:
            self._loaded.set()
            self._served.set()

    async def _main(self) -> None:
        app = self._calls.following(_load(self._config))
        self._server = Server(replace(self._config, app=app, factory=False))
        self._loaded.set()
        await self._server.serve()
        self._served.set()
        if self._config.loop != "trio":  # whose tasks cannot be left behind
            self._left_behind = await _unfinished_tasks(self._stop_timeout)


def _load(config: Config) -> ASGIApp:
    """Load the application without leaving its folder on this process's path."""
    before = sys.path[:]
    try:
        return load_app(config.app, factory=config.factory, app_dir=config.app_dir)
    finally:
        sys.path[:] = before


async def _unfinished_tasks(bound: float) -> list[str]:
    """Wait for the tasks that an application has started; describe those that go on."""
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    if not tasks:
        return []
    _, pending = await asyncio.wait(tasks, timeout=bound)
    return [f"the application has left a task behind: {task!r}" for task in pending]
