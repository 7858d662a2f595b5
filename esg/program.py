"""What is ESG's where it is the program: standard streams, the log's form, the end of the process.

Must not import a loop: a supervisor has none.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
import time
from typing import NoReturn, TextIO

from esg import logs
from esg.access_format import DEFAULT
from esg.config import Config
from esg.logs import logger

# What the application's threads may take once all else has ended.
_THREADS_BOUND = 1.0  # seconds


def occupy_standard_streams() -> None:
    """Put something harmless where standard streams are closed (`esg app >&-`).

    Else the first sockets that are opened would take their numbers, and whatever writes to
    standard error would write into a client's connection.
    """
    while (opened := os.open(os.devnull, os.O_RDWR)) <= 2:
        os.set_inheritable(opened, True)
    os.close(opened)


def configure_logging(config: Config, names_process: bool = False) -> None:
    """Log as the settings say; only a program that ESG runs configures logging.

    Args:
        config: the settings.
        names_process: the server's lines have the process's number in front.

    Raises:
        StartupError: the user's own configuration is wrong.
    """
    logs.configure(
        config.log_level,
        config.access_log,
        config.use_colors,
        log_config=config.log_config,
        bare_access_log=config.access_log_format != DEFAULT,
        names_process=names_process,
    )


def tell(line: str) -> None:
    """Write a line to standard error; where that takes nothing, the exit code has to do."""
    stream: TextIO | None = sys.stderr  # None if it was closed before we came to be
    if stream is None:
        return
    try:
        print(line, file=stream, flush=True)
    except OSError:
        with open(os.devnull, "wb") as nowhere:  # noqa: PTH123 - os.devnull is no path here
            os.dup2(nowhere.fileno(), stream.fileno())  # or Python would try, and fail, again


def leave(code: int) -> NoReturn:
    """End this process, within a moment even if threads of the application run on."""
    give_up = time.monotonic() + _THREADS_BOUND
    for thread in threading.enumerate():
        if thread is not threading.current_thread() and not thread.daemon:
            thread.join(max(0.0, give_up - time.monotonic()))
            if thread.is_alive():
                logger.error("Leaving without the application's threads, which run on")
                exit_now(code)
    sys.exit(code)


def exit_now(code: int) -> NoReturn:
    """End this process with whatever still runs; the log is written."""
    logging.shutdown()
    os._exit(code)
