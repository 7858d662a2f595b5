"""Settings: how many processes serve, and when one takes another's place."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from esg.options import setting

_HEADING = "Processes (seconds and limits: 0 for none)"


def _strings(value: Any) -> tuple[str, ...]:
    if isinstance(value, str) or not hasattr(value, "__iter__"):
        raise ValueError("must be a list of strings")
    strings = tuple(value)
    if not all(isinstance(item, str) and item for item in strings):
        raise ValueError("must be a list of strings that are not empty")
    return strings


def _function(value: Any) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"[^:]+:[^:]+", value):
        raise ValueError("must look like MODULE:FUNCTION")
    return value


@dataclass(frozen=True, kw_only=True, init=False, repr=False, eq=False)
class ProcessSettings:
    """How many processes serve, and when one takes another's place."""

    workers: int = setting(
        1,
        "Processes that serve; without this, $WEB_CONCURRENCY counts.",
        _HEADING,
        minimum=1,
        maximum=512,
        fallback="WEB_CONCURRENCY",
    )
    reload: bool = setting(False, "Start APP again when files change.", _HEADING)
    reload_dir: tuple[str, ...] = setting(
        (),
        "Directory whose files count, instead of the current one; repeatable.",
        _HEADING,
        metavar="PATH",
        repeatable=True,
        parse=_strings,
    )
    reload_include: tuple[str, ...] = setting(
        (),
        "Files that count besides *.py, by name or path; repeatable.",
        _HEADING,
        metavar="GLOB",
        repeatable=True,
        parse=_strings,
    )
    reload_exclude: tuple[str, ...] = setting(
        (),
        "Files and directories that do not, besides .*, .py[cod], .sw.* and ~*; repeatable.",
        _HEADING,
        metavar="GLOB",
        repeatable=True,
        parse=_strings,
    )
    reload_delay: float = setting(
        0.25, "Between two looks at the files.", _HEADING, minimum=0.01, maximum=3600
    )
    limit_max_requests: int = setting(
        0,
        "Requests after which a worker is replaced, or the only process stops.",
        _HEADING,
        minimum=0,
        metavar="N",
    )
    limit_max_requests_jitter: int = setting(
        0, "At most so many more, drawn for each process.", _HEADING, minimum=0, metavar="N"
    )
    worker_max_age: float = setting(0.0, "Age at which a worker is replaced.", _HEADING, minimum=0)
    worker_max_rss: int = setting(
        0,
        "Resident memory at which a worker is replaced.",
        _HEADING,
        minimum=0,
        metavar="BYTES",
    )
    worker_init: str | None = setting(
        None,
        "Function to call in each process before APP is loaded.",
        _HEADING,
        metavar="MODULE:FUNCTION",
        parse=_function,
    )
    timeout_worker_healthcheck: float = setting(
        30.0, "Blocked event loop after which a worker is replaced.", _HEADING, minimum=0
    )

    @property
    def supervised(self) -> bool:
        """Tell whether these settings need a process that watches over those that serve."""
        return bool(self.workers > 1 or self.reload or self.worker_max_age or self.worker_max_rss)
