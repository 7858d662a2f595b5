"""Settings: whatever a file, the environment or a command line says, the answer is a ConfigError."""

from __future__ import annotations

import tempfile
import tomllib
from pathlib import Path

from esg.errors import ConfigError
from esg.settings import as_toml, collect
from tests.fuzzing.given import Given


def check(given: Given) -> None:
    """Read a TOML file, and lines `NAME=value` as variables of the environment."""
    environment = {}
    if given.number(2):
        text = given.stream.decode("utf-8", "surrogateescape").replace("\0", "")
        pairs = (line.partition("=") for line in text.splitlines())
        environment = {f"ESG_{name.upper()}": value for name, _, value in pairs}
    with tempfile.NamedTemporaryFile(dir=_folder(), suffix=".toml") as file:
        file.write(b"" if environment else given.stream)
        file.flush()
        _collect(environment, Path(file.name))


def _collect(environment: dict[str, str], file: Path) -> None:
    try:
        settings = collect({"app": "example:app"}, environment, file)
    except ConfigError:
        return
    assert all(error.strip() for error in settings.all_errors())
    tomllib.loads("\n".join(as_toml(settings)))


def _folder() -> str | None:
    """Return a folder in memory where there is one."""
    return "/dev/shm" if Path("/dev/shm").is_dir() else None
