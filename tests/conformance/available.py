"""Find out which of ESG's rows can run on this machine."""

from __future__ import annotations

import functools
import importlib.util
from dataclasses import replace

from tests.conformance.rows import Row, own_rows

NEEDS = {"trio": "trio", "uvloop": "uvloop"}


def _missing(row: Row) -> str | None:
    if importlib.util.find_spec("esg") is None or importlib.util.find_spec("esg.cli") is None:
        return "esg is not importable"
    for part, module in NEEDS.items():
        if row.id.endswith(part) and importlib.util.find_spec(module) is None:
            return f"{module} is not installed"
    return None


@functools.cache
def available_rows() -> tuple[Row, ...]:
    """Return all rows, each saying why it cannot run if it cannot."""
    return tuple(replace(row, unavailable=_missing(row)) for row in own_rows())
