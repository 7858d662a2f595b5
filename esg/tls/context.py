"""From settings and files to an `ssl.SSLContext`, with one line for each fault."""

from __future__ import annotations

import ssl

from esg.config import Config


class ServerContext(ssl.SSLContext):
    """A context that knows the certificate it shows.

    Attributes:
        server_cert: in PEM; None where no certificate is loaded, or several are.
    """

    server_cert: str | None = None


def server_context(config: Config, faults: list[str]) -> ssl.SSLContext:
    """Build a context.

    Args:
        config: the settings.
        faults: gets a line for everything that is wrong.
    """
    context = ServerContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_alpn_protocols(["http/1.1"])
    try:
        context.load_cert_chain(config.ssl_certfile or "", config.ssl_keyfile)
    except OSError as error:
        faults.append(f"cannot load {config.ssl_certfile}: {error}")
    return context
