"""Options of uvicorn's that ESG has under another name, or does not need."""

from __future__ import annotations

from typing import Any, Final

from esg.errors import ConfigError

# option, metavar, help
OPTIONS: Final = (
    ("http", "TEXT", "h11 is --impl pure, httptools is --impl fast."),
    ("h11_max_incomplete_event_size", "BYTES", "Is --limit-head-size."),
    ("reset_contextvars", None, "Has no effect: every request has a context of its own."),
)
HEADING: Final = "Accepted for uvicorn's sake"
_IMPLEMENTATIONS: Final = {"h11": "pure", "httptools": "fast"}


def translate(arguments: dict[str, Any]) -> list[str]:
    """Replace uvicorn's options by ESG's, in place; return a notice for each.

    Raises:
        ConfigError: one of them contradicts an option of ours, or asks for what ESG has not.
    """
    notices = []
    http = arguments.pop("http", None)
    size = arguments.pop("h11_max_incomplete_event_size", None)
    arguments.pop("reset_contextvars", None)
    if http in _IMPLEMENTATIONS:
        notices.append(_replace(arguments, "--http", http, "impl", _IMPLEMENTATIONS[http]))
    elif http not in (None, "auto"):
        raise ConfigError(f"--http: must be one of auto, h11, httptools, got {http!r}")
    if size is not None:
        option = "--h11-max-incomplete-event-size"
        notices.append(_replace(arguments, option, size, "limit_head_size", size))
    return notices


def _replace(arguments: dict[str, Any], option: str, given: str, name: str, value: str) -> str:
    flag = "--" + name.replace("_", "-")
    if arguments.setdefault(name, value) != value:
        raise ConfigError(f"{option} {given} and {flag} {arguments[name]} contradict each other")
    return f"{option} {given} is taken as {flag} {value}"
