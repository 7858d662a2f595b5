"""Statistics, files and tables of a run."""

from pathlib import Path

import pytest
import report as reports
import tables
from measure import Cell, Spread, takes_part
from scenarios import ALL_SCENARIOS
from servers import SERVERS, Server

from tests.bench.reports import report, sample


def test_median_with_least_and_greatest() -> None:
    assert Spread.of([3.0, 1.0, 10.0]) == Spread(3.0, 1.0, 10.0)


def test_cell_with_a_problem_has_no_figure() -> None:
    assert Cell("a", "hello", [sample(5.0)], ["no answer"]).spread("cpu") is None


def test_stored_report_is_read_back(tmp_path: Path) -> None:
    written = report(esg_fast_uvloop=[8.0, 9.0, 7.0], floor=[6.0])
    written.store(tmp_path / "run.json")
    assert reports.read(tmp_path / "run.json") == written
    assert [path.name for path in tmp_path.iterdir()] == ["run.json"]


def test_other_work_on_the_core_is_reported() -> None:
    quiet = report(floor=[6.0])
    assert quiet.disturbances() == []
    busy = report(floor=[6.0])
    busy.cells[0].samples.append(sample(6.0, disturbance=0.5))
    assert busy.disturbances() == [
        "other work ran on the server's core in 1 cells, such as floor in hello (50%)"
    ]


def test_tables() -> None:
    text = tables.markdown(report(esg_fast_uvloop=[8.0, 9.0, 7.0], floor=[6.0]))
    overview = "| hello, 13 bytes | 8.00 | 6.00 |"
    details = (
        "| esg-fast-uvloop | 6.00 | 2.00 | 8.00 (7.00–9.00) | 1.00 | 1.33 | 125,000"
        " | 10.0 | 20.0 | 30.0 | 20.0 | 0% |"
    )
    target = "| hello: esg-fast-uvloop / floor | 1.40 | 1.33 | yes |"
    assert {overview, details, target} <= set(text.splitlines())


def test_failed_cell_is_named() -> None:
    failed = report(floor=[6.0])
    failed.cells[0].problems.append("the load saw: 3 closed")
    text = tables.markdown(failed)
    assert "| hello, 13 bytes | failed |" in text
    assert "- floor, hello: the load saw: 3 closed" in text


def test_too_few_requests_beside_those_under_way_are_marked() -> None:
    rough = report(floor=[6.0])
    rough.cells[0].samples.append(sample(6.0, uncounted=0.5))
    assert "| hello, 13 bytes | ≈6.00 |" in tables.markdown(rough)


@pytest.mark.parametrize(
    ("value", "shown"), [(1.234, "1.23"), (12.34, "12.3"), (1234.5, "1,234"), (0.0, "0.00")]
)
def test_digits(value: float, shown: str) -> None:
    assert tables.digits(value) == shown


def test_names_are_unique() -> None:
    for names in ([s.name for s in SERVERS], [s.name for s in ALL_SCENARIOS]):
        assert len(names) == len(set(names))


@pytest.mark.parametrize("server", SERVERS, ids=lambda server: server.name)
def test_every_field_of_a_command_is_filled_in(server: Server) -> None:
    fields = ("python", "bin", "build", "app", "port", "socket", "certificate", "key")
    modes = {scenario.mode for scenario in ALL_SCENARIOS if takes_part(server, scenario)}
    assert modes
    for mode in modes:
        words = server.argv(mode, **dict.fromkeys(fields, "X"))
        assert not any(character in word for word in words for character in "{}")
