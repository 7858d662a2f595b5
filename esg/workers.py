"""Worker classes for gunicorn: `gunicorn example:app -k esg.workers.ESGWorker`.

gunicorn's arbiter starts, stops and replaces the processes; each of them is one `Server`.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import traceback
from types import FrameType
from typing import Any, ClassVar, Final, NoReturn

import anyio
from gunicorn.arbiter import Arbiter
from gunicorn.workers.base import Worker

from esg.config import Config
from esg.errors import ConfigError, ESGError
from esg.gunicorn_settings import settings_for, without_effect
from esg.implementation import resolve, run_loop
from esg.logs import access_logger, logger, set_level
from esg.process import bounded_end
from esg.program import exit_now, leave
from esg.server import Server

_LONGEST_BEAT: Final = 1.0  # seconds; how late the end of the arbiter may be seen
_REOPEN_LOGS: Final = b"l"  # what else comes through a worker's pipe is the reloader's


class ESGWorker(Worker):  # type: ignore[misc] # gunicorn has no types
    """Serve with the fast implementation where it is built, else with the pure one."""

    SETTINGS: ClassVar[dict[str, Any]] = {}

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._server: Server | None = None
        self._must_end = threading.Event()  # from now on the loop has a bound
        self._quits = False

    @classmethod
    def check_config(cls, cfg: Any, log: Any) -> None:
        """Say, once for all workers, what of gunicorn's configuration has no effect."""
        for line in without_effect(cfg):
            log.warning(line)

    def init_signals(self) -> None:
        """Take the signals that the arbiter sends.

        SIGHUP is the arbiter's alone: one that a terminal or a service manager sends to all
        processes must not cut requests short.
        """
        handlers: dict[int, Any] = {
            signal.SIGTERM: self.handle_exit,
            signal.SIGINT: self.handle_quit,
            signal.SIGQUIT: self.handle_quit,
            signal.SIGABRT: self.handle_abort,
            signal.SIGUSR1: self.handle_usr1,
            signal.SIGWINCH: self.handle_winch,
            signal.SIGHUP: self.handle_winch,
        }
        for number in self.SIGNALS:
            signal.signal(number, handlers.get(number, signal.SIG_DFL))

    def load_wsgi(self) -> None:
        """Load the application, and see to everything that may be wrong before it is served."""
        self._join_gunicorns_log()
        try:
            settings = settings_for(self.cfg, self.max_requests, os.environ)
            for name, value in self.SETTINGS.items():
                if settings.setdefault(name, value) != value:
                    raise ConfigError(
                        f"{name} is {settings[name]}, but {type(self).__name__} is for {value}"
                    )
            super().load_wsgi()
            # Its own descriptors: a server closes what it listens on.
            settings["bind"] = [f"fd://{os.dup(listener.fileno())}" for listener in self.sockets]
            self._config = config = Config(self.wsgi, **settings)
            self._loop = resolve(config.impl, config.loop).loop
        except ESGError as error:
            self._fail_to_boot(error)
        if config.log_level is not None:
            set_level(config.log_level)

    def _join_gunicorns_log(self) -> None:
        """Have ESG's lines written by whatever writes gunicorn's, at the levels set there."""
        logger.parent = self.log.error_log
        access_logger.parent = self.log.access_log
        access_logger.disabled = not self.log.access_log.hasHandlers()

    def _fail_to_boot(self, error: ESGError) -> NoReturn:
        """End with the code that keeps the arbiter from starting another such worker."""
        for line in str(error).splitlines():
            self.log.error(line)
        sys.exit(Arbiter.WORKER_BOOT_ERROR)

    def run(self) -> None:
        """Serve until the arbiter, or the limit of requests, ends it."""
        self._server = server = Server(self._config)
        for listener in self.sockets:  # the server has descriptors of its own
            listener.close()
        server.companions += [self._beat, self._heed_pipe]
        server.on_stuck = self._leave_now

        async def serve() -> None:
            try:
                await server.serve()
            finally:
                self._must_end.set()

        try:
            with bounded_end(self._leave_now) as self._must_end:
                run_loop(self._loop, serve)
        except ESGError as error:
            self._fail_to_boot(error)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT, signal.SIGUSR1):
            # The arbiter repeats itself; once the interpreter ends, that would be a kill.
            signal.signal(number, signal.SIG_IGN)
        leave(0)

    async def _beat(self) -> None:
        """Tell the arbiter that the loop runs, and see whether the arbiter does.

        From the loop itself, and until everything is over: one that is blocked is to be noticed,
        one that starts or finishes long requests is alive.
        """
        while True:
            self.notify()
            if self.alive and os.getppid() != self.ppid:
                self.log.warning("The arbiter has gone; stopping")
                self._stop()
            await anyio.sleep(min(_LONGEST_BEAT, self.timeout / 2 or _LONGEST_BEAT))

    async def _heed_pipe(self) -> None:
        """Do what signal handlers and the reloader's thread leave to the loop."""
        while True:
            await anyio.wait_readable(self.PIPE[0])
            wishes = os.read(self.PIPE[0], 64)
            if _REOPEN_LOGS in wishes:
                self.log.reopen_files()
            if wishes.strip(_REOPEN_LOGS):
                self._stop()

    def _stop(self, force: bool = False) -> None:
        self.alive = False
        if self._server is None:
            sys.exit(0)  # out of the application's import, say
        self._server.shutdown(force=force)

    def _leave_now(self) -> NoReturn:
        exit_now(0)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002
        """Stop gracefully; the arbiter says it again every second until this has ended."""
        self._stop()

    def handle_quit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002
        """Stop at once: requests are cancelled, the application's shutdown gets a moment."""
        if not self._quits:  # Ctrl-C comes from the terminal, and then from the arbiter
            self._quits = True
            self.cfg.worker_int(self)
            self._must_end.set()
            self._stop(force=True)

    def handle_abort(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002
        """End, and show where the loop has been blocked for longer than gunicorn's timeout.

        Not by an exception: it would come up in the application, which may go on.
        """
        where = "".join(traceback.format_stack(frame)).rstrip()
        self.log.error("The event loop is blocked, here (most recent call last):\n%s", where)
        self.cfg.worker_abort(self)
        exit_now(1)

    def handle_usr1(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002
        """Have the log files opened anew by the loop: this may interrupt the writing of a line."""
        os.write(self.PIPE[1], _REOPEN_LOGS)


class ESGPureWorker(ESGWorker):
    """Serve with the pure implementation, on asyncio unless ESG_LOOP says otherwise."""

    SETTINGS: ClassVar[dict[str, Any]] = {"impl": "pure"}


class ESGTrioWorker(ESGWorker):
    """Serve with the pure implementation on trio."""

    SETTINGS: ClassVar[dict[str, Any]] = {"impl": "pure", "loop": "trio"}
