"""What counts as passed, read from an engine's own report."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests.autobahn.__main__ import chosen
from tests.autobahn.engines import EngineError, Kosoku, find_engines
from tests.autobahn.outcomes import CASES, COMPRESSION, PROTOCOL, Outcome, read_outcomes
from tests.autobahn.report import faults, markdown
from tests.autobahn.subjects import Subject, subjects
from tests.rows import FIRST_ROW

GOOD = Outcome("1.1.1", "OK", "OK", 1000, 3, Path("report.html"))
OWN = Subject(FIRST_ROW)
OTHER = Subject(FIRST_ROW, "wsproto")


def test_reads_what_an_engine_wrote(tmp_path: Path) -> None:
    entry = {
        "behavior": "NON-STRICT",
        "behaviorClose": "OK",
        "duration": 2050,
        "remoteCloseCode": None,
        "reportfile": "esg_case_6_4_1.json",
    }
    index = tmp_path / "index.json"
    index.write_text(json.dumps({"ESG": {"6.4.1": entry}}), "utf-8")
    page = tmp_path / "esg_case_6_4_1.html"
    expected = Outcome("6.4.1", "NON-STRICT", "OK", None, 2050, page)
    assert read_outcomes(index) == {"6.4.1": expected}
    assert expected.group == "6"


def test_reads_on_where_a_server_did_not_say_its_name(tmp_path: Path) -> None:
    entry = {
        "behavior": "ERROR",
        "behaviorClose": "FAILED",
        "duration": 1,
        "remoteCloseCode": None,
        "reportfile": "case.json",
    }
    index = tmp_path / "index.json"
    index.write_text(json.dumps({"ESG": {"1.1.1": entry}, "unknown": {"1.1.2": entry}}), "utf-8")
    assert list(read_outcomes(index)) == ["1.1.1", "1.1.2"]


@pytest.mark.parametrize(
    ("case", "behavior", "close", "own", "other"),
    [
        ("1.1.1", "OK", "OK", True, True),
        ("3.2", "NON-STRICT", "OK", False, True),
        ("3.2", "OK", "UNCLEAN", False, False),
        ("3.2", "OK", "WRONG CODE", False, False),
        ("3.2", "FAILED", "OK", False, False),
        ("12.1.1", "UNIMPLEMENTED", "OK", False, False),
        ("7.1.6", "INFORMATIONAL", "INFORMATIONAL", True, True),
        ("7.1.6", "FAILED", "INFORMATIONAL", False, False),
        ("7.1.5", "INFORMATIONAL", "INFORMATIONAL", False, False),
    ],
)
def test_what_will_do(case: str, behavior: str, close: str, own: bool, other: bool) -> None:
    outcome = replace(GOOD, case=case, behavior=behavior, close=close)
    assert OWN.accepts(outcome) is own
    assert OTHER.accepts(outcome) is other


def test_a_case_that_was_not_put_is_a_fault() -> None:
    put = {f"1.{n}": replace(GOOD, case=f"1.{n}") for n in range(CASES["1"])}
    assert faults(OWN, put, ["1"]) == []
    put.popitem()
    assert faults(OWN, put, ["1", "10"]) == ["group 1: 15 of 16 cases", "group 10: 0 of 1 cases"]


def test_the_report_names_every_fault() -> None:
    bad = replace(GOOD, case="3.2", behavior="NON-STRICT", close_code=1002)
    wrong = {"one": [], "other": [str(bad)]}
    report = markdown("kosoku", ["1", "3"], {"one": {"1.1.1": GOOD}, "other": {"3.2": bad}}, wrong)
    assert "| one | OK 1 | – | passed |" in report
    assert "| other | – | NON-STRICT 1 | 1 faults |" in report
    assert "- 3.2: NON-STRICT, close OK (code 1002): report.html" in report


def test_the_groups_are_all_there() -> None:
    assert {*PROTOCOL, *COMPRESSION} == set(CASES)
    assert sum(CASES.values()) == 517


def test_every_row_is_a_subject() -> None:
    names = list(subjects())
    assert names[0] == "pure-asyncio"
    assert {"pure-trio", "pure-asyncio-wsproto", "fast-uvloop-websockets"} <= set(names)


def test_names_are_chosen_by_patterns() -> None:
    assert chosen("1, 1?", CASES) == ["1", "10", "12", "13"]
    with pytest.raises(SystemExit, match="nothing is called '8'"):
        chosen("8", CASES)


def test_an_engine_without_a_server_has_no_outcome_to_show(tmp_path: Path) -> None:
    """Else a run that put nothing could pass."""
    assert "kosoku" in find_engines()
    outcomes = Kosoku().judge(9, ["1.1.1"], tmp_path / "reports", 60)
    assert faults(OWN, outcomes, ["1"])


def test_an_engine_that_hangs_is_ended(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="no end within 0 s"):
        Kosoku().judge(9, ["1.1.1"], tmp_path / "reports", 0.0)
