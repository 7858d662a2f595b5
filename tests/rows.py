"""The implementations and loops that the tests of the program run on: one list for all of them."""

from __future__ import annotations

import importlib.util
import os
import platform
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One implementation on one loop."""

    impl: str
    loop: str

    @property
    def id(self) -> str:
        """The row's name in a test's."""
        return f"{self.impl}-{self.loop}"

    @property
    def options(self) -> tuple[str, ...]:
        """The options that choose it."""
        return ("--impl", self.impl, "--loop", self.loop)

    @property
    def missing(self) -> str | None:
        """Why it cannot run here, None if it can."""
        if importlib.util.find_spec(self.loop) is None:
            return f"{self.loop} is not installed"
        if self.impl == "fast" and importlib.util.find_spec("esg.accel.server") is None:
            return "the fast implementation is not built"
        return None


_ANYWHERE = (Row("pure", "asyncio"), Row("pure", "trio"))
# There is no uvloop for PyPy, and no fast implementation: their rows exist on CPython alone.
_ON_CPYTHON = (Row("pure", "uvloop"), Row("fast", "asyncio"), Row("fast", "uvloop"))
ROWS = _ANYWHERE + (_ON_CPYTHON if platform.python_implementation() == "CPython" else ())
# For what does not depend on the implementation.
FIRST_ROW = ROWS[0]


def in_ci() -> bool:
    """Tell whether a row that cannot run is an error."""
    return os.environ.get("CI", "") not in ("", "0", "false")
