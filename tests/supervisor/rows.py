"""The rows that the tests of many processes run on: one of each kind, the others on request."""

from __future__ import annotations

import pytest

from tests.rows import ROWS

_ALWAYS = ("pure-asyncio", "pure-trio", "fast-uvloop")
PROCESS_ROWS = [
    pytest.param(row, id=row.id, marks=() if row.id in _ALWAYS else pytest.mark.exhaustive)
    for row in ROWS
]
