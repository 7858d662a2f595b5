"""Many processes: a supervisor that keeps the listeners, and workers that serve them."""

from __future__ import annotations

import os
from collections.abc import Callable

from esg.config import Config
from esg.errors import StartupError


def run(config: Config, reread: Callable[[], Config] | None = None) -> int:
    """Serve with as many processes as the settings ask for; return the exit code.

    Args:
        config: the settings.
        reread: returns the settings that count by now, for SIGHUP; without it, they stay.

    Raises:
        ConfigError, StartupError: it cannot be served as asked.
    """
    if not config.supervised:
        from esg.process import run_server  # noqa: PLC0415 - POSIX signals
        from esg.server import Server  # noqa: PLC0415

        return run_server(Server(config))
    if os.name != "posix":
        raise StartupError("workers and reload need POSIX: here, ESG is one process")
    from esg.supervisor.supervisor import Supervisor  # noqa: PLC0415 - POSIX signals

    return Supervisor(config, reread or (lambda: config)).run()
