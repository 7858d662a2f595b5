"""ESG, an ASGI server: HTTP/1.1 by one set of rules, in two implementations."""

from __future__ import annotations

from typing import Any

from esg._version import __version__
from esg.asgi import AnyApp
from esg.background import run_in_thread
from esg.config import Config
from esg.errors import ClientDisconnected, ConfigError, ESGError, MessageError, StartupError
from esg.logs import logger
from esg.server import Server
from esg.uvicorn_options import keywords

__all__ = [
    "ClientDisconnected",
    "Config",
    "ConfigError",
    "ESGError",
    "MessageError",
    "Server",
    "StartupError",
    "__version__",
    "run",
    "run_in_thread",
]


def run(app: AnyApp | str, **settings: Any) -> int:
    """Serve an application until SIGINT or SIGTERM, and log as the command `esg` does.

    Args:
        app: an application, or "module:attribute".
        **settings: as for `Config`; those of `uvicorn.run()` are understood, too.

    Returns:
        The exit code: 0 after a graceful stop.

    Raises:
        ConfigError, StartupError: it cannot be served as asked.
    """
    from esg.process import configure_logging  # noqa: PLC0415 - POSIX signals
    from esg.supervisor import run as run_processes  # noqa: PLC0415

    translated, notices = keywords(settings)
    config = Config(app, **translated)
    configure_logging(config)
    for notice in notices:
        logger.info(notice)
    return run_processes(config)
