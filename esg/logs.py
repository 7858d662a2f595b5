"""The logger tree: `esg` for the server, `esg.access` for responses, and how both look.

Only a program that ESG runs (`esg`, `esg.run`) is given handlers; a Server inside somebody
else's program just logs.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Mapping
from io import TextIOWrapper
from typing import Any, Final, TextIO, cast

from esg.line_handler import LineHandler

TRACE: Final = 5

logger: Final = logging.getLogger("esg")
access_logger: Final = logging.getLogger("esg.access")

logging.addLevelName(TRACE, "TRACE")

# Between two lines of one record.
_NEXT_LINE: Final = "\n    "
_LEVELS: Final = {"trace": TRACE}
_COLOURS: Final = {
    TRACE: "34",
    logging.DEBUG: "36",
    logging.INFO: "32",
    logging.WARNING: "33",
    logging.ERROR: "31",
    logging.CRITICAL: "91",
}


class LineFormatter(logging.Formatter):
    """Format a record as `LEVEL:    message`, coloured where it helps a reader."""

    def __init__(self, colours: bool, names_process: bool = False) -> None:
        super().__init__(f"%(levelprefix)s {'[%(process)d] ' if names_process else ''}%(message)s")
        self._colours = colours
        self.prefix = self._level("INFO", logging.INFO) + " "  # of a line that was never a record

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        """Put the padded level in front of the message."""
        record.levelprefix = self._level(record.levelname, record.levelno)
        return super().formatMessage(record)

    def _level(self, name: str, number: int) -> str:
        level = f"{name}:"
        padding = " " * (9 - len(level))
        if self._colours:
            level = f"\033[{_COLOURS.get(number, '0')}m{level}\033[0m"
        return level + padding

    def format(self, record: logging.LogRecord) -> str:
        """Return the record's lines, with everything escaped that a terminal would obey.

        An application's exception may quote what a client has sent, line ends included: so only
        the first line begins at the margin, and no other can pass for one of a record's own.
        """
        text = super().format(record)
        begin = len(vars(record)["levelprefix"])
        if text.isprintable():
            return text
        return text[:begin] + "".join(map(_visible, text[begin:]))


class BareFormatter(logging.Formatter):
    """Format a record as its message alone."""

    def __init__(self) -> None:
        super().__init__("%(message)s")
        self.prefix = ""


def _visible(character: str) -> str:
    if character.isprintable() or character == "\t":
        return character
    if character == "\n":
        return _NEXT_LINE
    return character.encode("unicode_escape").decode("ascii")


_OWN_FORMATTERS: Final = (LineFormatter, BareFormatter)


def configure(
    level: str | None,
    access_log: bool,
    use_colors: bool | None,
    log_config: str | Mapping[str, Any] | None = None,
    bare_access_log: bool = False,
    *,
    names_process: bool = False,
) -> None:
    """Give both loggers their handlers: the server's lines to stderr, responses to stdout.

    Args:
        level: the least severe level to show, "trace" included; None for "info", or for what
            `log_config` says.
        access_log: whether responses are logged.
        use_colors: None for a terminal without NO_COLOR.
        log_config: the user's own configuration of handlers and levels instead: a dictionary or a
            file.
        bare_access_log: lines for responses have no level in front.
        names_process: the server's lines have the process's number in front.

    Raises:
        StartupError: `log_config` cannot be read, or is wrong.
    """
    if log_config is None:
        _set_handler(logger, sys.stderr, use_colors, names_process)
        _set_handler(access_logger, sys.stdout, use_colors, bare=bare_access_log)
        access_logger.setLevel(logging.NOTSET)  # as its parent: `--log-level warning` silences it
    else:
        from esg.log_config import apply_log_config  # noqa: PLC0415 - brings much, for few

        apply_log_config(log_config, quietly=names_process)
    if level is not None or logger.level == logging.NOTSET:
        set_level(level or "info")
    if not access_log:
        access_logger.setLevel(logging.CRITICAL + 1)


def reopen_files() -> None:
    """Open the files of all handlers again, under their names: they may have been moved away."""
    known = [logging.getLogger(), *map(logging.getLogger, logging.root.manager.loggerDict)]
    for handler in {handler for one in known for handler in one.handlers}:
        if isinstance(handler, logging.FileHandler):
            stream = open(  # noqa: SIM115, PTH123 - it is the handler's
                handler.baseFilename,
                handler.mode,
                encoding=handler.encoding,
                errors=handler.errors,
            )
            before = handler.setStream(cast("TextIOWrapper", stream))
            if before is not None:
                before.close()


def set_level(level: str) -> None:
    """Set the least severe level that is logged, "trace" included."""
    logger.setLevel(_LEVELS.get(level) or level.upper())


def _set_handler(
    target: logging.Logger,
    stream: TextIO | None,
    use_colors: bool | None,
    names_process: bool = False,
    bare: bool = False,
) -> None:
    target.propagate = False  # or the root logger's handlers would repeat every line
    if stream is None:  # closed before we came to be (`esg app >&-`)
        target.handlers = [logging.NullHandler()]
        return
    if use_colors is None:
        # https://no-color.org: set and not empty, whatever its value
        use_colors = stream.isatty() and not os.environ.get("NO_COLOR")
    formatter = BareFormatter() if bare else LineFormatter(use_colors, names_process)
    handler = LineHandler(stream, formatter.prefix)
    handler.setFormatter(formatter)
    target.handlers = [handler]


def direct_handler() -> LineHandler | None:
    """Return the handler that responses' lines may be written to by `LineHandler.write_messages`.

    None where a record has to be made, because somebody may look at it: another handler, a filter,
    a record factory, or a tool that has put itself into the logging module.
    """
    handlers = access_logger.handlers
    handler = handlers[0] if len(handlers) == 1 else None
    if (
        type(handler) is not LineHandler
        or type(handler.formatter) not in _OWN_FORMATTERS
        or not handler.is_direct
        or handler.level > logging.INFO
        or handler.filters
        or access_logger.filters
        or access_logger.propagate
        or type(access_logger) is not logging.Logger
        or logging.getLogRecordFactory() is not logging.LogRecord
    ):
        return None
    own = vars(logging)
    changed = any(getattr(step, "__globals__", None) is not own for step in _steps_of_a_record())
    return None if changed else handler


def _steps_of_a_record() -> tuple[object, ...]:
    """Return what becomes of a record on its way; tools replace them to see all records."""
    return (
        logging.Logger.handle,
        logging.Logger.callHandlers,
        logging.Logger.makeRecord,
        logging.Handler.handle,
    )
