"""The user's own logging configuration: a dictionary, or a file of one of four forms."""

from __future__ import annotations

import json
import logging.config
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from esg.errors import StartupError

_log = logging.getLogger("esg")


def apply_log_config(log_config: str | Mapping[str, Any], *, quietly: bool = False) -> None:
    """Configure Python's logging.

    Args:
        log_config: a dictionary for `logging.config.dictConfig`, or the path of a file: .json,
            .yaml, .yml and .toml hold such a dictionary, anything else is read by
            `logging.config.fileConfig`.
        quietly: say nothing of loggers that ESG has not: one of several processes has said it.

    Raises:
        StartupError: the file cannot be read, or logging does not take what it says.
    """
    try:
        named = _apply_file(log_config) if isinstance(log_config, str) else _apply(log_config)
    except StartupError:
        raise
    except Exception as error:  # what it names is imported and called, and may raise anything
        name = log_config if isinstance(log_config, str) else "dictionary"
        cause = error.__cause__ or error
        said = f"{error} ({cause})" if cause is not error else str(error)
        raise StartupError(f"log_config {name} is wrong: {' '.join(said.split())}") from error
    if not quietly and "uvicorn" in named and "esg" not in named:
        _log.warning("log_config names uvicorn's loggers; those of ESG are esg and esg.access")


def _apply_file(name: str) -> set[str]:
    path = Path(name)
    try:
        text = path.read_text("utf-8")
    except OSError as error:
        raise StartupError(f"cannot read log_config {name}: {error.strerror}") from None
    if read := _READERS.get(path.suffix.lower()):
        return _apply(read(text))
    logging.config.fileConfig(name, disable_existing_loggers=False)
    return set()


def _apply(configuration: Any) -> set[str]:
    """Configure by a dictionary; return the packages whose loggers it names."""
    if not isinstance(configuration, Mapping):
        raise ValueError("it must hold a dictionary")
    # By default logging would silence the loggers that are not named.
    logging.config.dictConfig({"version": 1, "disable_existing_loggers": False, **configuration})
    return {name.partition(".")[0] for name in configuration.get("loggers", {})}


def _read_yaml(text: str) -> Any:
    try:
        import yaml  # noqa: PLC0415 - an extra
    except ModuleNotFoundError:
        raise StartupError("log_config in YAML needs PyYAML: pip install 'esg[standard]'") from None
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from None


_READERS: Final[dict[str, Callable[[str], Any]]] = {
    ".json": json.loads,
    ".toml": tomllib.loads,
    ".yaml": _read_yaml,
    ".yml": _read_yaml,
}
