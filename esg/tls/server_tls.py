"""The TLS of one server: certificates now, and again when they change."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Final, TypeAlias

import anyio
from anyio import CapacityLimiter, to_thread

from esg.config import Config
from esg.errors import CertificateError
from esg.logs import logger
from esg.tls.context import certificate_files, server_context
from esg.tls.extension import tls_extension
from esg.tls.file_watch import FileWatch
from esg.tls.unreadable_names import report_no_unreadable_names

_LOOK_INTERVAL: Final = 1.0  # seconds
Reloading: TypeAlias = Callable[[], AbstractContextManager[object]]


class ServerTLS:
    """Secure new connections with what the certificates' files hold.

    Args:
        config: the settings.

    Attributes:
        context: of new connections. Read it anew for each: at a reload another one comes in its
            place, and with it new keys for session tickets, so that no session outlives the
            authority of its client's certificate.

    Raises:
        CertificateError: with everything that is wrong.
    """

    def __init__(self, config: Config) -> None:
        self._config = config
        self._files = FileWatch(certificate_files(config))
        self._asked = anyio.Event()
        self.context = server_context(config)
        if config.ssl_sni:
            report_no_unreadable_names()

    def wrap(self) -> tuple[ssl.SSLObject, ssl.MemoryBIO, ssl.MemoryBIO]:
        """Return the TLS of a new connection, what it reads and what it writes."""
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        return self.context.wrap_bio(incoming, outgoing, server_side=True), incoming, outgoing

    def extension(self, connection: ssl.SSLObject) -> dict[str, Any]:
        """Return what a connection's scopes say of TLS, once its handshake is complete."""
        return tls_extension(connection)

    def reload_soon(self) -> None:
        """Load the certificates again, changed or not; in the loop's thread."""
        self._asked.set()

    async def keep_current(self, reloading: Reloading = nullcontext) -> None:
        """Load the certificates again whenever they have changed, or somebody asks.

        Args:
            reloading: gives the context in which that is done.
        """
        limiter = CapacityLimiter(1)  # not the application's threads
        while True:
            with anyio.move_on_after(_LOOK_INTERVAL):
                await self._asked.wait()
            if self._asked.is_set():
                self._asked = anyio.Event()
                self._files.count_as_read()
            elif not self._files.has_changes():
                continue
            try:
                with reloading():
                    await to_thread.run_sync(self._reload, limiter=limiter)
            except Exception:  # noqa: BLE001 - whatever it is, clients are still served
                logger.exception("Certificates are not reloaded, those of before stay")

    def _reload(self) -> None:
        try:
            self.context = server_context(self._config)
        except CertificateError as error:
            logger.error("Certificates are not reloaded, those of before stay: %s", error)
        else:
            logger.info("Certificates reloaded")
