"""Settings: what application is served."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from esg.options import setting

_HEADING = "Application"


def _root_path(value: Any) -> str:
    if not isinstance(value, str) or (value.strip("/") and not value.startswith("/")):
        raise ValueError("must be empty or begin with /")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise ValueError("must be text in UTF-8") from None
    return value.rstrip("/")


@dataclass(frozen=True, kw_only=True, init=False, repr=False, eq=False)
class ApplicationSettings:
    """What application is served."""

    factory: bool = setting(False, "APP is a function that returns the application.", _HEADING)
    app_dir: str = setting(
        ".", "Directory that is searched for APP first.", _HEADING, metavar="PATH"
    )
    interface: Literal["auto", "asgi3", "asgi2", "wsgi"] = setting(
        "auto",
        "Interface of the application.",
        _HEADING,
        choices=("auto", "asgi3", "asgi2", "wsgi"),
    )
    wsgi_threads: int = setting(
        32, "Threads that run a WSGI application, at most.", _HEADING, minimum=1
    )
    root_path: str = setting(
        "", "Path that APP is mounted at.", _HEADING, metavar="PATH", parse=_root_path
    )
    env_file: str | None = setting(
        None,
        "File of environment variables to set before APP is loaded.",
        _HEADING,
        metavar="PATH",
    )
    lifespan: Literal["auto", "on", "off"] = setting(
        "auto", "Run the application's lifespan.", _HEADING, choices=("auto", "on", "off")
    )
