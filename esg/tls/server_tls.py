"""The TLS of one server: the context of new connections, and what scopes say of each."""

from __future__ import annotations

import ssl
from typing import Any

from esg.config import Config
from esg.errors import StartupError
from esg.tls.context import server_context

_VERSIONS = {"TLSv1.2": 0x0303, "TLSv1.3": 0x0304}


class ServerTLS:
    """Hold the context of new connections.

    Args:
        config: the settings.

    Attributes:
        context: read it for each connection anew: another takes its place when certificates are
            reloaded.

    Raises:
        StartupError: a certificate, a key or a setting is not what it must be.
    """

    def __init__(self, config: Config) -> None:
        self._config = config
        self.context = self._built()

    def _built(self) -> ssl.SSLContext:
        faults: list[str] = []
        context = server_context(self._config, faults)
        if faults:
            raise StartupError(faults[0])
        return context

    def extension(self, connection: ssl.SSLObject | ssl.SSLSocket) -> dict[str, Any]:
        """Return the `tls` extension of a connection's scopes (ASGI TLS 0.2).

        Args:
            connection: its handshake is complete.
        """
        name = connection.version() or ""
        return {"tls_version": _VERSIONS.get(name)}
