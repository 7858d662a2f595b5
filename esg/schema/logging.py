"""Settings: what is logged, and how."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from esg.access_format import compile_format
from esg.options import setting

LogLevel = Literal["critical", "error", "warning", "info", "debug", "trace"]

_HEADING = "Logging"


def _access_log_format(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("must be a string")
    compile_format(value)
    return value


def _patterns(value: Any) -> tuple[str, ...]:
    if isinstance(value, str) or not hasattr(value, "__iter__"):
        raise ValueError("must be a list of patterns")
    patterns = tuple(value)
    if not all(isinstance(pattern, str) and pattern for pattern in patterns):
        raise ValueError("must be patterns such as /health or /static/*")
    return patterns


def _log_config(value: Any) -> str | Mapping[str, Any]:
    if not isinstance(value, (str, Mapping)) or not value:
        raise ValueError("must be a file's path, or a dictionary")
    return value


@dataclass(frozen=True, kw_only=True, init=False, repr=False, eq=False)
class LoggingSettings:
    """What is logged, and how."""

    log_level: LogLevel | None = setting(
        None,
        "Least severe messages to log; trace shows every ASGI message. [default: info]",
        _HEADING,
        choices=("critical", "error", "warning", "info", "debug", "trace"),
    )
    log_config: str | Mapping[str, Any] | None = setting(
        None,
        "Logging configuration: a .json, .yaml, .toml or .ini file.",
        _HEADING,
        metavar="PATH",
        parse=_log_config,
    )
    access_log: bool = setting(True, "Log a line for every response.", _HEADING)
    access_log_format: str = setting(
        "default",
        "Line of the access log: default, common, combined, json, or atoms such as %(r)s.",
        _HEADING,
        metavar="FORMAT",
        parse=_access_log_format,
    )
    access_log_exclude: tuple[str, ...] = setting(
        (),
        "Paths that are not logged, such as /health or /static/*; repeatable.",
        _HEADING,
        metavar="PATTERN",
        repeatable=True,
        parse=_patterns,
    )
    use_colors: bool | None = setting(
        None, "Colour the log; by default on a terminal, unless NO_COLOR is set.", _HEADING
    )
