"""One server as the whole of a process: signals in, exit code out, and an end in bounded time.

A stop must not depend on the application's good will: its threads cannot be cancelled, and it may
block the loop. So the process leaves without them once their time is over.
"""

from __future__ import annotations

import faulthandler
import logging
import os
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from queue import SimpleQueue
from types import FrameType
from typing import Final

from esg import logs
from esg.implementation import resolve, run_loop
from esg.logs import logger
from esg.program import exit_now
from esg.server import Server
from esg.service_manager import reporting

STOP_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)
# What the loop may still take once serving is over, or once the user asks a second time.
_LOOP_BOUND = 4.0  # seconds


def run_server(server: Server) -> int:
    """Run a server on a loop of its own until SIGINT or SIGTERM; return the exit code.

    One of several leaves on SIGTERM alone, and a second one means no more than the first: it may
    have gone to the supervisor as well, which has then repeated it.

    Args:
        server: it has not served yet.

    Raises:
        ConfigError, StartupError: see `Server.serve`.
    """
    loop = resolve(server.config.impl, server.config.loop).loop
    stop = _Stop(server)
    server.on_stuck = stop.leave
    server.stop_notice = "Stopping; a second signal stops at once"
    manager = nullcontext() if server.is_one_of_several else reporting(server)
    with log_signals(), stop.on_signals(), manager:
        try:
            run_loop(loop, stop.serve)
        except KeyboardInterrupt:
            level = logging.DEBUG if server.is_one_of_several else logging.INFO
            logger.log(level, "Stopped during start-up")
    return stop.exit_code


@contextmanager
def log_signals() -> Iterator[None]:
    """Open log files again on SIGUSR1; write every thread's stack on SIGQUIT.

    The stacks are written even where Python code cannot run. Only in the main thread, and only
    where the system has these signals.
    """
    if threading.current_thread() is not threading.main_thread() or os.name != "posix":
        yield
        return
    # Not by the handler itself, which may interrupt a handler of logging; putting is reentrant.
    asked: SimpleQueue[bool] = SimpleQueue()
    threading.Thread(target=_reopen_logs, args=(asked,), name="esg logs", daemon=True).start()
    before = signal.signal(signal.SIGUSR1, lambda _number, _frame: asked.put(True))
    if sys.stderr is not None:
        faulthandler.register(signal.SIGQUIT, all_threads=True, chain=False)
    try:
        yield
    finally:
        signal.signal(signal.SIGUSR1, before)
        faulthandler.unregister(signal.SIGQUIT)
        asked.put(False)


def _reopen_logs(asked: SimpleQueue[bool]) -> None:
    while asked.get():
        try:
            logs.reopen_files()
        except OSError as error:
            logger.error("Cannot open a log file again: %s", error)


@contextmanager
def bounded_end(leave_now: Callable[[], object]) -> Iterator[threading.Event]:
    """See that what runs within ends soon after the event is set that this gives.

    Args:
        leave_now: called, in a thread, where it does not; has to end the process.
    """
    must_end, ended = threading.Event(), threading.Event()

    def watch() -> None:
        must_end.wait()
        if not ended.wait(_LOOP_BOUND):
            leave_now()

    # Started now: a signal handler must not start threads.
    threading.Thread(target=watch, name="esg stop", daemon=True).start()
    try:
        yield must_end
    finally:
        ended.set()
        must_end.set()


class _Stop:
    """Follow the signals that a server gets, and see that it ends.

    Args:
        server: whom to stop.
    """

    def __init__(self, server: Server) -> None:
        self._server = server
        self._received: list[int] = []
        self._must_end = threading.Event()  # from now on the loop has _LOOP_BOUND

    @property
    def exit_code(self) -> int:
        """Return 0 after a graceful stop, 128 + signal after one that was cut short."""
        return 128 + self._received[-1] if len(self._received) > 1 else 0

    def leave(self) -> None:
        """End the process with what still runs."""
        exit_now(self.exit_code)

    async def serve(self) -> None:
        """Serve; what the loop still does afterwards is bounded."""
        try:
            await self._server.serve()
        finally:
            self._must_end.set()

    @contextmanager
    def on_signals(self) -> Iterator[None]:
        """Let signals stop the server, where this thread may say so.

        SIGHUP has it load its certificates again, if it has any.
        """
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        numbers = (signal.SIGTERM,) if self._server.is_one_of_several else STOP_SIGNALS
        with bounded_end(self.leave) as self._must_end:
            before = {n: signal.signal(n, self._on_signal) for n in numbers}
            if self._server.config.speaks_tls and hasattr(signal, "SIGHUP"):  # not on Windows
                before[signal.SIGHUP] = signal.signal(signal.SIGHUP, self._on_hang_up)
            try:
                yield
            finally:
                for number, handler in before.items():
                    signal.signal(number, handler)

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        if self._server.is_one_of_several:
            self._server.leave()
        else:
            self._received.append(number)
            self._server.shutdown(force=len(self._received) > 1)
        if not self._server.watches_signals:
            # What is cut off leaves files open, or a loop half made: that is nobody's fault.
            warnings.simplefilter("ignore", ResourceWarning)
            sys.unraisablehook = lambda _: None
            raise KeyboardInterrupt  # out of the application's import
        if len(self._received) > 1:
            self._must_end.set()

    def _on_hang_up(self, _number: int, _frame: FrameType | None) -> None:
        self._server.reload_certificates()
