"""Tell the service manager how this process does: systemd's notification protocol.

Must not know how the process serves. Sources: sd_notify(3), sd_watchdog_enabled(3).
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from functools import partial
from typing import TYPE_CHECKING, Self

from esg.logs import logger

if TYPE_CHECKING:
    from esg.server import Server

_MICROSECOND = 1e-6


class ServiceManager:
    """Notify the service manager that has started this process.

    What cannot be delivered is a warning, once: a service that serves is worth more than one
    whose manager knows.

    Args:
        address: of the manager's socket: a path, or an abstract name behind "@".
        watchdog_timeout: seconds without `watchdog` after which it takes this process for hung;
            None where it does not watch.

    Attributes:
        watchdog_interval: seconds between two calls of `watchdog`, or None.
    """

    def __init__(self, address: str, watchdog_timeout: float | None = None) -> None:
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._warned = False
        self.watchdog_interval = None if watchdog_timeout is None else watchdog_timeout / 2

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self | None:
        """Return the manager that $NOTIFY_SOCKET names, None where there is none."""
        address = environment.get("NOTIFY_SOCKET", "")
        if not address:
            return None
        if address[0] not in "/@" or not hasattr(socket, "AF_UNIX"):
            logger.warning("Cannot notify the service manager: no UNIX socket: %s", address)
            return None
        return cls(address, _watchdog_timeout(environment))

    def ready(self, status: str) -> None:
        """Say that the service is up, or has reloaded.

        Args:
            status: one line for whoever asks how it does.
        """
        self._send(f"READY=1\nSTATUS={status}")

    def reloading(self) -> None:
        """Say that the service reloads its configuration; `ready` says that it has."""
        self._send(f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def stopping(self) -> None:
        """Say that the service begins to stop."""
        self._send("STOPPING=1\nSTATUS=Stopping")

    def watchdog(self) -> None:
        """Say that the process is alive; to be called from what must not hang."""
        self._send("WATCHDOG=1")

    def _send(self, state: str) -> None:
        try:
            self._socket.sendto(os.fsencode(state), self._address)
        except OSError as error:
            if not self._warned:
                self._warned = True
                logger.warning("Cannot notify the service manager: %s", error.strerror or error)

    def close(self) -> None:
        """Let go of the socket."""
        self._socket.close()


def _watchdog_timeout(environment: Mapping[str, str]) -> float | None:
    """Return after how many seconds of silence this process is taken for hung, or None."""
    microseconds = environment.get("WATCHDOG_USEC", "")
    if environment.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return None  # another process is watched
    if not (microseconds.isascii() and microseconds.isdigit() and int(microseconds)):
        return None
    return int(microseconds) * _MICROSECOND


@contextmanager
def reporting(server: Server) -> Iterator[None]:
    """Tell the manager, where there is one, of a server's start and stop and that it is alive."""
    manager = ServiceManager.from_environment(os.environ)
    if manager is None:
        yield
        return
    server.companions.append(partial(_report, manager, server))
    server.reloading = partial(_reloading, manager, server)
    with closing(manager):
        yield


@contextmanager
def _reloading(manager: ServiceManager, server: Server) -> Iterator[None]:
    manager.reloading()
    try:
        yield
    finally:
        if not server.is_stopping:
            manager.ready(_status(server))


def _status(server: Server) -> str:
    return f"Listening on {', '.join(server.addresses)}"


async def _report(manager: ServiceManager, server: Server) -> None:
    import anyio  # noqa: PLC0415 - a supervisor, which reports too, has no loop

    async with anyio.create_task_group() as tasks:
        await server.started()
        manager.ready(_status(server))
        if manager.watchdog_interval is not None:
            tasks.start_soon(_ping, manager, manager.watchdog_interval)
        await server.stop_begun()
        manager.stopping()


async def _ping(manager: ServiceManager, interval: float) -> None:
    from anyio import sleep  # noqa: PLC0415 - as above

    while True:
        manager.watchdog()
        await sleep(interval)
