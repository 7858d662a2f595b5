"""ESG, an ASGI server: HTTP/1.1 by one set of rules, in two implementations."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from esg._version import __version__
from esg.asgi import AnyApp
from esg.config import Config
from esg.errors import ClientDisconnected, ConfigError, ESGError, MessageError, StartupError
from esg.logs import logger
from esg.uvicorn_options import keywords

if TYPE_CHECKING:
    from esg.background import run_in_thread
    from esg.server import Server

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

# Imported when asked for: they bring a loop along, which a supervisor has no use for.
_HOMES: Final = {"Server": "esg.server", "run_in_thread": "esg.background"}


if not TYPE_CHECKING:  # else a type checker would take any name for one of ours

    def __getattr__(name: str) -> Any:
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module(_HOMES[name]), name)


def run(app: AnyApp | str, **settings: Any) -> int:
    """Serve an application until SIGINT or SIGTERM, and log as the command `esg` does.

    Args:
        app: an application, or "module:attribute".
        **settings: as for `Config`; every keyword of `uvicorn.run()` is understood, too.

    Returns:
        The exit code, which is 0 after a graceful stop.

    Raises:
        ConfigError, StartupError: it cannot be served as asked.
    """
    from esg.program import configure_logging  # noqa: PLC0415 - for those who serve
    from esg.supervisor import run as run_processes  # noqa: PLC0415

    translated, notices = keywords(settings)
    config = Config(app, **translated)
    configure_logging(config)
    for notice in notices:
        logger.info(notice)
    return run_processes(config)
