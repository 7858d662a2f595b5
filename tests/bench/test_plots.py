"""The pictures are well-formed, true to scale, and name everything."""

import xml.etree.ElementTree as ET
from pathlib import Path

import pictures
import pytest
from measure import Cell
from plots import Bar, apart, bar_chart, line_chart, ticks

from tests.bench.reports import report, sample

SVG = "{http://www.w3.org/2000/svg}"


@pytest.mark.parametrize(
    ("greatest", "expected"),
    [(100, [0, 20, 40, 60, 80, 100]), (7, [0, 2, 4, 6, 8]), (0.3, [0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3]), (0, [0, 1])],
)  # fmt: skip
def test_ticks_are_round_and_reach_the_greatest(greatest: float, expected: list[float]) -> None:
    assert ticks(greatest) == pytest.approx(expected)


def test_bars_are_as_long_as_their_values() -> None:
    bars = [Bar("esg-a", (30.0, 10.0), 39, 42, "40"), Bar("b<&>", (60.0, 20.0), 79, 81, "80")]
    root = ET.fromstring(bar_chart("A title", "a note", bars, floor=20.0))
    widths = [float(rect.attrib["width"]) for rect in root.iter(f"{SVG}rect")]
    assert widths[2] == pytest.approx(2 * widths[0], abs=0.2)
    assert widths[0] == pytest.approx(3 * widths[1], abs=0.3)
    texts = [text.text for text in root.iter(f"{SVG}text")]
    assert {"A title", "a note", "esg-a", "b<&>", "40", "80"} <= set(texts)


def test_labels_of_lines_do_not_overlap() -> None:
    assert apart({"a": 10.0, "b": 12.0, "c": 100.0}, 16.0) == {"a": 10.0, "b": 26.0, "c": 100.0}


def test_lines() -> None:
    points = {"esg-a": {10: 8.0, 1000: 16.0}, "b": {10: 20.0, 1000: 90.0}}
    root = ET.fromstring(line_chart("Growth", "a note", points, "connections"))
    lines = [line.attrib["points"].split() for line in root.iter(f"{SVG}polyline")]
    assert [len(line) for line in lines] == [2, 2]
    first, last = ([float(part) for part in point.split(",")] for point in lines[1])
    assert first[0] < last[0]
    assert first[1] > last[1], "what costs more is further up"


def test_a_picture_for_each_scenario_and_one_of_growth(tmp_path: Path) -> None:
    result = report(floor=[6.0], uvicorn_h11=[60.0], esg_fast_uvloop=[8.0])
    for number in (10, 100):
        result.cells.append(Cell("floor", f"connections-{number}", [sample(6.0)]))
    failed = Cell("floor", "unix", [], ["did not start"])
    result.cells.append(failed)
    files = pictures.write(result, tmp_path)
    names = {path.name for path in files}
    assert names == {"hello.svg", "connections-10.svg", "connections-100.svg", "growth.svg"}
    texts = [text.text for text in ET.parse(tmp_path / "hello.svg").iter(f"{SVG}text")]
    order = [text for text in texts if text in {"floor", "esg-fast-uvloop", "uvicorn-h11"}]
    assert order == ["floor", "esg-fast-uvloop", "uvicorn-h11"], "the cheapest comes first"
