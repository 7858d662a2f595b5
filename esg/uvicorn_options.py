"""Options and keywords of uvicorn's that ESG has under another name, or does not need."""

from __future__ import annotations

import logging
import os
from typing import Any, Final

from esg.errors import ConfigError

# option, metavar, help
OPTIONS: Final = (
    ("http", "TEXT", "h11 is --impl pure, httptools is --impl fast."),
    ("h11_max_incomplete_event_size", "BYTES", "Is --limit-head-size."),
    ("reset_contextvars", None, "Has no effect: every request has a context of its own."),
)
# Keywords of uvicorn.run() that are not spelled as its options are.
_RENAMED: Final = {
    "headers": "header",
    "reload_dirs": "reload_dir",
    "reload_excludes": "reload_exclude",
    "reload_includes": "reload_include",
}
# Keywords whose None says something: no pings, and logging as the program has set it up.
_NOTHING: Final[dict[str, Any]] = {
    "ws_ping_interval": 0.0,
    "ws_ping_timeout": 0.0,
    "log_config": {"version": 1, "incremental": True},
}
_TRACE: Final = 5  # uvicorn's level of that name, and ours
HEADING: Final = "Accepted for uvicorn's sake"
_IMPLEMENTATIONS: Final = {"h11": "pure", "httptools": "fast"}


def translate(arguments: dict[str, Any]) -> list[str]:
    """Replace uvicorn's options by ESG's, in place; return a notice for each.

    Raises:
        ConfigError: one of them contradicts an option of ours, or asks for what ESG has not.
    """
    notices = []
    if arguments.pop("http2", False):
        raise ConfigError("--http2: ESG speaks HTTP/1.1; HTTP/2 is for a proxy in front of it")
    http = arguments.pop("http", None)
    size = arguments.pop("h11_max_incomplete_event_size", None)
    arguments.pop("reset_contextvars", None)
    if arguments.get("loop") == "none":  # uvicorn's word for the loop that Python makes
        arguments["loop"] = "asyncio"
    if http in _IMPLEMENTATIONS:
        notices.append(_replace(arguments, "--http", http, "impl", _IMPLEMENTATIONS[http]))
    elif http not in (None, "auto"):
        raise ConfigError(f"--http: must be one of auto, h11, httptools, got {http!r}")
    if size is not None:
        option = "--h11-max-incomplete-event-size"
        notices.append(_replace(arguments, option, size, "limit_head_size", size))
    return notices


def keywords(given: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Turn keywords of `uvicorn.run()`, or of ours, into settings; and a notice where it matters.

    None is as good as not given, but for `_NOTHING`; paths may be objects, and a level of logging
    may be a number.

    Raises:
        ConfigError: see `translate`.
    """
    settings: dict[str, Any] = {}
    for name, value in given.items():
        if value is None and name not in _NOTHING:
            continue
        plain = _NOTHING[name] if value is None else value
        plain = os.fspath(plain) if isinstance(plain, os.PathLike) else plain
        if name.startswith("reload_") and name in _RENAMED and isinstance(plain, str):
            plain = [plain]
        if name == "log_level" and isinstance(plain, int):
            plain = "trace" if plain == _TRACE else logging.getLevelName(plain).lower()
        settings[_RENAMED.get(name, name)] = plain
    return settings, translate(settings)


def _replace(arguments: dict[str, Any], option: str, given: str, name: str, value: str) -> str:
    flag = "--" + name.replace("_", "-")
    if arguments.setdefault(name, value) != value:
        raise ConfigError(f"{option} {given} and {flag} {arguments[name]} contradict each other")
    return f"{option} {given} is taken as {flag} {value}"
