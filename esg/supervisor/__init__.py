"""Many processes: a supervisor that keeps the listeners, and workers that serve them."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path

from esg.config import Config
from esg.errors import ConfigError, StartupError
from esg.logs import logger
from esg.options import flag_name


def run(config: Config, reread: Callable[[], Config] | None = None) -> int:
    """Serve with as many processes as the settings ask for; return the exit code.

    Args:
        config: the settings.
        reread: returns the settings that count by now, for SIGHUP; without it, they stay.

    Raises:
        ConfigError, StartupError: it cannot be served as asked.
    """
    _check_reload(config)
    if not config.supervised:
        from esg.process import run_server  # noqa: PLC0415 - POSIX signals
        from esg.server import Server  # noqa: PLC0415

        return run_server(Server(config))
    if os.name != "posix":
        raise StartupError("workers and reload need POSIX: here, ESG is one process")
    from esg.supervisor.supervisor import Supervisor  # noqa: PLC0415 - POSIX signals

    return Supervisor(config, reread or (lambda: config)).run()


def _check_reload(config: Config) -> None:
    """Warn of what says how to reload where nothing does; see that there is what to watch."""
    if config.reload:
        for directory in config.reload_dir:
            if not Path(directory).is_dir():
                raise ConfigError(f"reload_dir (--reload-dir) is no directory: {directory}")
        return
    for each in fields(config):
        if each.name.startswith("reload_") and getattr(config, each.name) != each.default:
            name = f"{each.name} ({flag_name(each.name)})"
            logger.warning("%s has no effect without reload (--reload)", name)
