"""Settings: TLS."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class TLSSettings:
    """How TLS is spoken; where no certificate is given it is not."""

    ssl_keyfile: str | None = None
    ssl_certfile: str | None = None
    ssl_keyfile_password: str | None = None
    ssl_version: int = 17
    ssl_cert_reqs: int = 0
    ssl_ca_certs: str | None = None
    ssl_ciphers: str | None = None
    ssl_context_factory: Callable[..., Any] | None = None

    @property
    def speaks_tls(self) -> bool:
        """Tell whether connections are TLS connections."""
        return self.ssl_certfile is not None or self.ssl_context_factory is not None
