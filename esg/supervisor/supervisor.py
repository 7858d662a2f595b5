"""Watch over the processes that serve: bind, start workers, see to their ends, heed signals.

What is to be done is decided by `table`; here are the processes, the clock and the log. Must not
import the application.
"""

from __future__ import annotations

import selectors
import signal
import socket
import sys
import time
from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from dataclasses import replace
from heapq import heappop, heappush
from typing import Final

from esg import binding, logs
from esg.config import Config
from esg.errors import ConfigError, ESGError, StartupError
from esg.load_sharing import SLOTS, WorkerPage
from esg.logs import logger
from esg.program import configure_logging
from esg.supervisor.announcements import Announcements
from esg.supervisor.control import Told, config_text
from esg.supervisor.table import Act, Policy, State, WorkerTable
from esg.supervisor.wake import FILES_CHANGED, Wake
from esg.supervisor.watched_files import WatchedFiles
from esg.supervisor.watcher import watching
from esg.supervisor.worker_process import WorkerProcess, resident_size

STOP_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)
SIGNALS: Final = (
    *STOP_SIGNALS,
    *(signal.SIGHUP, signal.SIGTTIN, signal.SIGTTOU),
    *(signal.SIGUSR1, signal.SIGQUIT, signal.SIGCHLD),
)
# How often it is looked after ages, memory, and (where no signals come) ended processes.
_TICK: Final = 1.0  # seconds
# Between the stacks of two workers, so that their lines do not mix.
_DUMP_APART: Final = 0.1  # seconds
_MOST_WORKERS: Final = SLOTS // 2
# Settings that a running supervisor cannot change.
_FIXED: Final = ("host", "port", "uds", "fd", "bind", "uds_permissions", "reuse_port", "reload")
Reread = Callable[[], Config]


class Supervisor:
    """Serve with many processes; use each supervisor once.

    Args:
        config: the settings.
        reread: returns the settings that count by now, for SIGHUP.
    """

    def __init__(self, config: Config, reread: Reread) -> None:
        self._config = config
        self._reread = reread
        self._config_text = _config_text(config)
        self._proven = config  # the last one with which a worker has served
        self._table = WorkerTable(_policy(config))
        self._wake = Wake()
        self._page = WorkerPage()
        self._free_slots = list(range(SLOTS))  # a heap: the page is read up to the highest
        self._slots: dict[int, int] = {}
        self._processes: dict[int, WorkerProcess] = {}
        self._listeners: list[socket.socket] = []
        self._selector = selectors.DefaultSelector()
        self._received: list[int] = []  # of the signals that stop
        self._to_dump: deque[int] = deque()
        self._late_reopening: set[int] = set()  # workers that open their log files again
        self._looked_at = 0.0
        self._last_turn = 0.0
        self._failure_code = 3

    def run(self) -> int:
        """Serve until SIGINT or SIGTERM; return the exit code.

        Raises:
            ConfigError, StartupError: no worker can serve.
        """
        with ExitStack() as ending:
            ending.callback(self._page.close)
            ending.callback(self._wake.close)
            ending.callback(self._selector.close)
            self._check_memory_is_known()
            self._listeners = binding.bind(self._config)
            ending.callback(self._release)
            self._announcements = Announcements(self._config, self._listeners)
            ending.callback(self._announcements.close)
            self._selector.register(self._wake.receiver, selectors.EVENT_READ)
            ending.enter_context(self._wake.on_signals(SIGNALS))
            ending.callback(self._kill_all)
            if self._config.reload:
                ending.enter_context(self._watching_files())
            while not self._table.finished:
                self._turn()
        if self._table.failure:
            error = ConfigError if self._failure_code == 2 else StartupError
            raise error(self._table.failure)
        logger.info("Stopped")
        return 128 + self._received[-1] if len(self._received) > 1 else 0

    def _turn(self) -> None:
        """Do what is due, then wait for what happens next."""
        now = time.monotonic()
        self._look_at_loops(now)
        if now >= self._looked_at + self._tick():
            self._look_at_memory()
            self._looked_at = now
            self._announcements.alive(self._table.renewing)
        for act, number in self._table.decide(now):
            self._do(act, number)
        if self._table.finished:
            return
        for key, _ in self._selector.select(self._patience(now)):
            if key.data is not None:
                self._hear(key.data)
        for happened in self._wake.happened():
            self._heed(happened)
        for number in tuple(self._processes):
            self._see_whether_ended(number)
        if self._to_dump:
            self._dump_one()

    def _tick(self) -> float:
        return min(_TICK, self._announcements.interval)

    def _patience(self, now: float) -> float:
        if self._to_dump:
            return _DUMP_APART
        return max(0.0, min(self._looked_at + self._tick(), self._table.deadline(now)) - now)

    def _watching_files(self) -> AbstractContextManager[None]:
        config = self._config
        directories = config.reload_dir or (".",)
        files = WatchedFiles(directories, config.reload_include, config.reload_exclude)
        return watching(files, config.reload_delay, self._wake.files_changed)

    # What is done with workers.

    def _do(self, act: Act, number: int) -> None:
        if act is Act.START:
            self._start_if_room(number)
            return
        process = self._processes[number]
        if act is Act.ANNOUNCE:
            self._tell_marked(number)
        elif act is Act.RETIRE:
            process.retire()
        elif act is Act.DUMP:
            logger.error("Worker %d is stuck: %s", process.pid, self._table.members[number].marked)
            process.send_signal(signal.SIGQUIT)
        elif act is Act.TERMINATE:
            process.stop()
        elif act is Act.FORCE:
            process.force()
        else:
            logger.error("Worker %d does not end; killing it", process.pid)
            process.send_signal(signal.SIGKILL)

    def _start_if_room(self, number: int) -> None:
        if self._free_slots:
            self._start(number)
        else:
            logger.error("Cannot start a worker: %d have not ended", SLOTS)
            self._table.ended(number, time.monotonic())

    def _start(self, number: int) -> None:
        self._slots[number] = slot = heappop(self._free_slots)
        self._page.clear(slot)
        listeners = [listener.fileno() for listener in self._listeners]
        settings: Told = {
            "config": self._config_text,
            "path": sys.path,
            "page": self._page.descriptor,
            "slot": slot,
            "listeners": listeners,
        }
        try:
            process = WorkerProcess(settings, [self._page.descriptor, *listeners])
        except OSError as error:
            logger.error("Cannot start a worker: %s", error.strerror)
            self._forget(number)
            return
        self._processes[number] = process
        self._selector.register(process.channel, selectors.EVENT_READ, number)

    def _kill_all(self) -> None:
        """Leave no worker behind; where all has gone well there is none."""
        for process in self._processes.values():
            process.kill()

    # What workers tell.

    def _hear(self, number: int) -> None:
        process = self._processes[number]
        try:
            for message in process.messages():
                if "serving" in message:
                    self._table.ready(number, time.monotonic())
                    if self._table.is_newest(number):
                        self._proven = self._config
                    logger.info("Worker %d serves", process.pid)
                    if number in self._late_reopening:
                        process.send_signal(signal.SIGUSR1)
                    self._announcements.serving(message["serving"], message["reason"])
                elif "enough" in message:
                    self._mark(number, str(message["enough"]))
                elif "leaving" in message and self._table.leave(number, time.monotonic()):
                    logger.info("Worker %d was told to stop; starting another", process.pid)
        except StartupError as error:
            self._table.stop(time.monotonic(), str(error))
        except (ValueError, LookupError, TypeError) as error:
            logger.error("Worker %d makes no sense (%s); killing it", process.pid, error)
            process.send_signal(signal.SIGKILL)

    def _mark(self, number: int, reason: str) -> None:
        if self._table.mark(number, reason):
            self._tell_marked(number)

    def _tell_marked(self, number: int) -> None:
        reason = self._table.members[number].marked
        logger.info("Replacing worker %d: %s", self._processes[number].pid, reason)

    def _see_whether_ended(self, number: int) -> None:
        process = self._processes[number]
        if process.returncode() is None:
            return
        self._hear(number)  # its last words
        self._selector.unregister(process.channel)
        process.close()
        del self._processes[number]
        state = self._table.members[number].state
        unasked = self._forget(number, process.failure)
        if self._table.failure:
            self._failure_code = process.exit_code or self._failure_code
            self._release()
        elif not unasked:
            logger.info("Worker %d has ended", process.pid)
        elif state is State.SERVING:
            logger.error("Worker %d has ended unasked: %s", process.pid, process.ending())
        else:
            self._tell_start_failed(process)

    def _forget(self, number: int, failure: str = "") -> bool:
        """Take a worker out of the table; tell whether nobody had asked for its end."""
        self._late_reopening.discard(number)
        slot = self._slots.pop(number)
        self._page.clear(slot)
        heappush(self._free_slots, slot)
        return self._table.ended(number, time.monotonic(), failure)

    def _tell_start_failed(self, process: WorkerProcess) -> None:
        why = process.failure or process.ending()
        logger.error("Worker %d has not started: %s", process.pid, why)
        if self._config.reload:
            logger.info("Waiting for a change of the files")
        elif self._table.has_old:
            self._table.keep_old()
            self._take(self._proven)  # for those that will replace them
            logger.error("The workers that serve are kept")

    # How workers fare.

    def _look_at_loops(self, now: float) -> None:
        for number, slot in self._slots.items():
            self._table.beat(number, self._page.beats[slot])
        if now > self._last_turn + 3 * _TICK:  # we were halted ourselves, and maybe all of us
            for member in self._table.serving:
                self._table.beat(member.number, now)
        self._last_turn = now

    def _look_at_memory(self) -> None:
        limit = self._config.worker_max_rss
        for member in self._table.serving:
            size = resident_size(self._processes[member.number].pid) if limit else 0
            if size > limit:
                self._mark(member.number, f"it holds {size} bytes (--worker-max-rss)")

    def _check_memory_is_known(self) -> None:
        if self._config.worker_max_rss:
            try:
                resident_size(0)
            except FileNotFoundError:
                raise StartupError("--worker-max-rss needs /proc, which is not here") from None

    def _dump_one(self) -> None:
        process = self._processes.get(self._to_dump.popleft())
        if process is not None:
            logger.info("The stacks of worker %d:", process.pid)
            process.send_signal(signal.SIGQUIT)

    # What the user wants.

    def _heed(self, happened: int) -> None:
        if happened in STOP_SIGNALS:
            self._stop(happened)
        elif happened == FILES_CHANGED:
            self._table.renew(time.monotonic())
        elif happened == signal.SIGHUP:
            self._renew()
        elif happened == signal.SIGTTIN:
            self._resize(self._table.wanted + 1)
        elif happened == signal.SIGTTOU:
            self._resize(self._table.wanted - 1)
        elif happened == signal.SIGUSR1:
            self._reopen_logs()
        elif happened == signal.SIGQUIT:
            members = self._table.members.values()
            self._to_dump.extend(m.number for m in members if m.state is not State.STARTING)

    def _stop(self, number: int) -> None:
        self._received.append(number)
        if len(self._received) > 1:
            logger.warning("Stopping at once")
        else:
            logger.info("Stopping; a second signal stops at once")
        self._announcements.stopping()
        self._release()
        self._table.stop(time.monotonic())

    def _release(self) -> None:
        """Close our side of the listeners: the workers take what has come, and close theirs."""
        binding.release(self._listeners)
        self._listeners = []

    def _renew(self) -> None:
        """Replace all workers, with the settings that count by now."""
        self._announcements.reloading()
        try:
            self._take(self._with_fixed(self._reread()))
        except ESGError as error:
            logger.error("The configuration is not taken: %s", error)
            return
        logger.info("Replacing all workers")
        self._table.renew(time.monotonic())

    def _take(self, config: Config) -> None:
        """Let a configuration count for the workers to come.

        Raises:
            ESGError: it cannot; the one before still counts.
        """
        text = _config_text(config)
        configure_logging(config)
        self._config, self._config_text = config, text
        self._table.policy = _policy(config)
        self._table.resize(config.workers)

    def _with_fixed(self, config: Config) -> Config:
        """Return a configuration with those of our settings that cannot change."""
        changed = [name for name in _FIXED if getattr(config, name) != getattr(self._config, name)]
        for name in changed:
            logger.warning("%s has changed, which takes a restart", name)
        kept = {name: getattr(self._config, name) for name in changed}
        return replace(config, **kept) if kept else config

    def _resize(self, wanted: int) -> None:
        if self._config.reload or not 1 <= wanted <= _MOST_WORKERS:
            logger.warning("The number of workers stays %d", self._table.wanted)
            return
        self._table.resize(wanted)
        logger.info("%d workers are to serve", wanted)

    def _reopen_logs(self) -> None:
        for number, process in self._processes.items():
            if self._table.members[number].state is State.STARTING:
                self._late_reopening.add(number)  # as yet the signal might end it
            else:
                process.send_signal(signal.SIGUSR1)
        try:
            logs.reopen_files()
        except OSError as error:
            logger.error("Cannot open a log file again: %s", error)


def _config_text(config: Config) -> str:
    try:
        return config_text(config)
    except Exception as error:
        # pickle says it by many classes of exceptions
        raise ConfigError(f"a setting cannot be given to other processes: {error}") from error


def _policy(config: Config) -> Policy:
    graceful, lifespan = config.timeout_graceful_shutdown, config.timeout_lifespan
    bounded = graceful and lifespan
    return Policy(
        workers=config.workers,
        reload=config.reload,
        max_age=config.worker_max_age,
        # A reloading server is one that people hold in a debugger.
        silence=0.0 if config.reload else config.timeout_worker_healthcheck,
        stop_bound=graceful + lifespan + config.timeout_keep_alive if bounded else 0.0,
    )
