"""Settings: what it is served with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from esg.options import setting

_HEADING = "Implementation"


@dataclass(frozen=True, kw_only=True, init=False, repr=False, eq=False)
class ImplementationSettings:
    """What it is served with."""

    impl: Literal["auto", "pure", "fast"] = setting(
        "auto", "Implementation to serve with.", _HEADING, choices=("auto", "pure", "fast")
    )
    loop: Literal["auto", "asyncio", "uvloop", "trio"] = setting(
        "auto",
        "Event loop to run on.",
        _HEADING,
        choices=("auto", "asyncio", "uvloop", "trio"),
    )
