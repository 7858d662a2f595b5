"""One of several processes that serve.

It is a server like any other, but that its listeners are given, that it tells its supervisor how it
fares, and that it ends when that is gone.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from typing import NoReturn

import anyio

from esg.config import Config
from esg.errors import ConfigError, ESGError
from esg.load_sharing import LoadShare, WorkerPage
from esg.logs import logger
from esg.process import run_server
from esg.program import configure_logging, leave
from esg.server import Server
from esg.supervision import Supervision
from esg.supervisor.control import GROUP_SIGNALS, Told, config_of, line, messages
from esg.supervisor.parent_death import end_with_parent

# For what a worker does beyond its graceful stop, once its supervisor is gone.
_ORPHAN_SLACK = 10.0  # seconds
_BEAT = 1.0  # seconds
_LONGEST_REASON = 65536  # characters


def main(arguments: list[str]) -> NoReturn:
    """Serve as a worker.

    Args:
        arguments: the number of the descriptor that leads to the supervisor.
    """
    # The supervisor gets these as well, and says what follows from them.
    for number in GROUP_SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, GROUP_SIGNALS)
    end_with_parent()
    channel = socket.socket(fileno=int(arguments[0]))
    channel.set_inheritable(False)
    told = messages(channel)
    first = next(told, None)
    if first is None:
        sys.exit(0)  # the supervisor has gone already
    leave(Worker(channel, first).run(told))


class Worker:
    """Be the process that serves.

    Args:
        channel: to the supervisor.
        settings: what it has said first.
    """

    def __init__(self, channel: socket.socket, settings: Told) -> None:
        self._channel = channel
        sys.path[:] = settings["path"]
        self._config: Config = config_of(settings["config"])
        self._share = LoadShare(WorkerPage(settings["page"]), settings["slot"])
        listeners = [_shared_listener(number) for number in settings["listeners"]]
        for descriptor in (settings["page"], *settings["listeners"]):
            os.set_inheritable(descriptor, False)
        supervision = Supervision(
            listeners, self._share, self._serving, self._enough, self._leaving
        )
        self._server = Server(self._config, supervision)
        self._server.companions.append(self._beat)

    def run(self, told: Iterator[Told]) -> int:
        """Serve until the supervisor wants no more; return the exit code."""
        threading.Thread(target=self._listen, args=(told,), name="esg worker", daemon=True).start()
        try:
            configure_logging(self._config, names_process=True)
            return run_server(self._server)
        except ConfigError as error:
            return self._failed(error, 2)
        except ESGError as error:
            return self._failed(error, 3)

    def _listen(self, told: Iterator[Told]) -> None:
        """Do what the supervisor says; in a thread, for the loop may be blocked."""
        for message in told:
            if "retire" in message:
                self._server.retire()
            elif "stop" in message:
                self._server.shutdown()
            elif "force" in message:
                self._server.shutdown(force=True)
        self._leave_orphaned()

    def _leave_orphaned(self) -> None:
        if not self._server.is_stopping:
            logger.error("The supervisor is gone; stopping")
            self._server.shutdown()
            os.kill(os.getpid(), signal.SIGTERM)  # it also interrupts an import
        bound = self._config.timeout_graceful_shutdown + self._config.timeout_lifespan
        time.sleep(bound + _ORPHAN_SLACK)
        os._exit(1)

    async def _beat(self) -> None:
        """Let the supervisor see that the loop runs."""
        timeout = self._config.timeout_worker_healthcheck
        while timeout:
            self._share.beat(time.monotonic())
            await anyio.sleep(min(_BEAT, timeout / 4))

    def _serving(self, implementation: str, reason: str) -> None:
        self._share.join()
        self._tell(serving=implementation, reason=reason)

    def _enough(self, reason: str) -> None:
        self._tell(enough=reason)

    def _leaving(self) -> None:
        self._tell(leaving=True)

    def _failed(self, error: ESGError, code: int) -> int:
        self._tell(failed=str(error)[:_LONGEST_REASON], code=code)
        return code

    def _tell(self, **said: object) -> None:
        try:
            self._channel.sendall(line(**said))
        except OSError as error:  # it is gone, which the listening thread sees, too
            logger.debug("Cannot tell the supervisor: %s", error)


def _shared_listener(descriptor: int) -> socket.socket:
    """Return a listener as it is for all processes: non-blocking.

    PyPy gives what it makes of a descriptor the default timeout. Blocking, if only for a moment, it
    would be in every worker, and hold up the loop of one that accepts just then.
    """
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(0.0)
    try:
        return socket.socket(fileno=descriptor)
    finally:
        socket.setdefaulttimeout(before)
