"""Every rule module is timed, in each of its forms."""

from pathlib import Path

import micro
import pytest

import esg.rules


def test_every_rule_module_is_timed() -> None:
    modules = {path.stem for path in Path(esg.rules.__path__[0]).glob("[!_]*.py")}
    assert {name.partition(":")[0] for name in micro.RULES} == modules


@pytest.mark.parametrize("name", micro.RULES)
def test_a_case_runs(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(micro, "timed", lambda action: (action(), 2.0)[1])
    [row] = micro.rules(name)
    assert row[:2] == [name, "2"]


def test_fast_driver_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("esg.accel.http_protocol")
    monkeypatch.setattr(micro, "timed", lambda action: (action(), 2.0)[1])
    assert len(micro.fast_driver("*")) == 6


def test_time_of_a_call() -> None:
    assert 0 < micro.timed(lambda: None, repetitions=2, seconds=0.001) < 1e6
