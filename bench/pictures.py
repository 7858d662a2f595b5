"""The pictures of a report: bars for every scenario, lines for the cost of more connections."""

from __future__ import annotations

from pathlib import Path

from measure import Cell
from plots import Bar, bar_chart, line_chart
from report import Report
from scenarios import CPU, GROWTH_SCENARIOS, MEMORY, START, Scenario
from tables import FLOOR, digits

NOTES = {
    CPU: "server CPU per {unit}, µs: user time (dark) and system time (light);"
    " line: least to greatest of the rounds",
    MEMORY: "growth of resident memory per connection, KiB, 1,000 connections",
    START: "milliseconds from the start of the process to its first answer",
}
GROWTH = "growth"


def write(report: Report, folder: Path) -> list[Path]:
    """Write the pictures of all that was measured, and return their files."""
    folder.mkdir(parents=True, exist_ok=True)
    drawn = {scenario.name: bars(report, scenario) for scenario in report.scenarios}
    drawn[GROWTH] = growth(report)
    files = []
    for name, picture in drawn.items():
        if picture:
            files.append(folder / f"{name}.svg")
            files[-1].write_text(picture, encoding="utf-8")
    return files


def bars(report: Report, scenario: Scenario) -> str:
    """Draw what the servers cost in a scenario, the cheapest first; nothing if all failed."""
    drawn = [bar for cell in report.of(scenario) if (bar := _bar(cell, scenario))]
    drawn.sort(key=lambda bar: bar.total)
    if not drawn:
        return ""
    note = NOTES[scenario.asks].format(unit=scenario.unit)
    floor = report.median(FLOOR, scenario.name) if scenario.asks == CPU else None
    return bar_chart(scenario.title, note, drawn, floor=floor)


def _bar(cell: Cell, scenario: Scenario) -> Bar | None:
    """Return the bar of one server, if it was measured."""
    figure = "cpu" if scenario.asks == CPU else "each"
    spread, user = cell.spread(figure), cell.spread("user")
    if spread is None or user is None:
        return None
    # Medians of two parts need not add up to the median of their sum.
    dark = min(user.median, spread.median) if scenario.asks == CPU else max(spread.median, 0.0)
    parts = (dark, max(spread.median, 0.0) - dark)
    return Bar(cell.server, parts, spread.least, spread.greatest, digits(spread.median))


def growth(report: Report) -> str:
    """Draw how the cost of a request grows with the connections; nothing if it was not asked."""
    points: dict[str, dict[int, float]] = {}
    for scenario in GROWTH_SCENARIOS:
        for cell in report.of(scenario):
            spread = cell.spread("cpu")
            if spread is not None and spread.median > 0:
                points.setdefault(cell.server, {})[scenario.connections] = spread.median
    points = {name: values for name, values in points.items() if len(values) > 1}
    if not points:
        return ""
    note = "server CPU per request, µs; both axes are logarithmic"
    return line_chart("hello, as connections grow", note, points, "connections")
