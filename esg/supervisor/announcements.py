"""Tell the log and the service manager where the server listens, and how it does."""

from __future__ import annotations

import math
import os
import socket

from esg import binding
from esg._version import __version__
from esg.config import Config
from esg.logs import logger
from esg.service_manager import ServiceManager


class Announcements:
    """Tell what the whole server does.

    Args:
        config: the settings that it starts with.
        listeners: where it listens.

    Attributes:
        interval: seconds between two calls of `alive` at most.
    """

    def __init__(self, config: Config, listeners: list[socket.socket]) -> None:
        self._config = config
        self._listeners = listeners
        scheme = config.scheme
        self._addresses = tuple(binding.address_of(each, scheme) for each in listeners)
        self._manager = ServiceManager.from_environment(os.environ)
        self._told = False
        self.interval = (self._manager and self._manager.watchdog_interval) or math.inf
        self._reloading = False

    def serving(self, implementation: str, reason: str) -> None:
        """Tell that a worker serves; the first one means that the server does.

        Args:
            implementation: what it runs on.
            reason: why that was chosen.

        Raises:
            StartupError: clients do not find the server.
        """
        if self._told:
            return
        binding.check_files(self._listeners)
        self._told = True
        config = self._config
        if config.impl == "auto" and implementation.startswith("pure "):
            logger.info("Using the pure implementation: %s", reason)
        workers = "" if config.reload else f"{config.workers} workers, "
        for address in self._addresses:
            logger.info(
                "ESG %s (%s%s) listening on %s", __version__, workers, implementation, address
            )
        self._ready()

    def reloading(self) -> None:
        """Tell that the configuration is read again; `alive` tells when all is done."""
        if self._manager is not None:
            self._reloading = True
            self._manager.reloading()

    def alive(self, renewing: bool) -> None:
        """Tell that the supervisor runs.

        Args:
            renewing: workers are still to be replaced.
        """
        if self._manager is not None and self._manager.watchdog_interval is not None:
            self._manager.watchdog()
        if self._reloading and not renewing:
            self._reloading = False
            self._ready()

    def stopping(self) -> None:
        """Tell that the server begins to stop."""
        if self._manager is not None:
            self._manager.stopping()

    def close(self) -> None:
        """Let go of the service manager."""
        if self._manager is not None:
            self._manager.close()

    def _ready(self) -> None:
        if self._manager is not None:
            self._manager.ready(f"Listening on {', '.join(self._addresses)}")
