"""AutobahnTestSuite's cases of the protocol itself on one row of each driver; see `make autobahn`.

Compression (groups 12 and 13) takes many minutes and is judged there, on every row.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.autobahn.engines import Engine, find_engines
from tests.autobahn.outcomes import PROTOCOL
from tests.autobahn.report import faults
from tests.autobahn.subjects import Subject, subjects
from tests.rows import in_ci

# Seconds; half a minute is usual.
BOUND = 270.0


@pytest.fixture(scope="module")
def engine() -> Engine:
    """Return kosoku, which is quick and needs no installation of its own, else the suite itself."""
    engines = find_engines()
    if not engines:
        pytest.fail("nothing here can put the cases: `pip install kosoku`, or get a Python 2.7")
    return engines.get("kosoku") or next(iter(engines.values()))


@pytest.mark.timeout(2 * BOUND)
@pytest.mark.parametrize("name", ["pure-asyncio", "fast-uvloop"])
def test_every_case_of_the_protocol_is_ok(name: str, engine: Engine, tmp_path: Path) -> None:
    subject: Subject = subjects()[name]
    if subject.missing and not in_ci():
        pytest.skip(subject.missing)
    assert subject.missing is None
    outcomes = subject.judge(engine, [f"{group}.*" for group in PROTOCOL], tmp_path / name, BOUND)
    assert faults(subject, outcomes, PROTOCOL) == []
