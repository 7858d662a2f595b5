"""Say what was measured, as Markdown for people and as JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from measure import Cell, Settings, Spread
from scenarios import ALL_SCENARIOS, AnyScenario
from targets import TARGETS, Target

NOT_MEASURED = "–"
NOTICED_DISTURBANCE = 0.05
NOTICED_UNCOUNTED = 0.03
NAMED_CELLS = 3
FLOOR = "floor"
REFERENCES = ("esg-fast-uvloop", "esg-fast-asyncio", "esg-pure-asyncio", "uvicorn-httptools")


@dataclass
class Report:
    """Everything of one run.

    Args:
        facts: What the machine and the programs were, by name.
        warnings: What makes the figures doubtful.
        skipped: Why servers were left out, by name.
        reference: Name of the server that the others are divided by.
    """

    facts: dict[str, str]
    settings: Settings
    warnings: list[str] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)
    cells: list[Cell] = field(default_factory=list)
    reference: str = ""

    def cell(self, server: str, scenario: str) -> Cell | None:
        """Return one cell, if that server took part in that scenario."""
        for cell in self.cells:
            if (cell.server, cell.scenario) == (server, scenario):
                return cell
        return None

    def cpu(self, server: str, scenario: str) -> float | None:
        """Return the median CPU per request of a cell that went well."""
        cell = self.cell(server, scenario)
        spread = cell.spread("cpu") if cell else None
        return spread.median if spread else None

    def as_data(self) -> dict[str, Any]:
        """Return the report as it is stored."""
        return {
            "facts": self.facts,
            "settings": asdict(self.settings),
            "warnings": self.warnings,
            "skipped": self.skipped,
            "reference": self.reference,
            "cells": [cell.as_data() for cell in self.cells],
        }


def choose_reference(report: Report) -> str:
    """Return the first of the usual references that was measured, or the first server."""
    measured = {cell.server for cell in report.cells if cell.spread("cpu")}
    names = [*REFERENCES, *(cell.server for cell in report.cells)]
    return next((name for name in names if name in measured), "")


def store(report: Report, path: Path) -> None:
    """Write the report as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(report.as_data(), indent=1) + "\n")


def markdown(report: Report) -> str:
    """Return the whole report as Markdown."""
    parts = [_header(report), _overview(report)]
    parts += [_details(report, scenario) for scenario in _scenarios(report)]
    parts += [_targets(report), _problems(report)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table whose first column is text and whose others are numbers."""
    lines = [head, ["---", *("---:" for _ in head[1:])], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _scenarios(report: Report) -> list[AnyScenario]:
    """Return the scenarios that were run."""
    names = {cell.scenario for cell in report.cells}
    return [s for s in ALL_SCENARIOS if s.name in names]


def _header(report: Report) -> str:
    """Say on what and how it was measured, and what is doubtful."""
    settings = report.settings
    lines = [f"- {name}: {value}" for name, value in report.facts.items()]
    lines.append(
        f"- {settings.rounds} round(s) of {settings.duration} s after {settings.warmup} s of"
        f" warming up; server on core {settings.server_core}, load on core {settings.load_core}"
    )
    lines += [f"- **warning: {warning}**" for warning in report.warnings]
    return "# ESG benchmarks\n\n" + "\n".join(lines)


def _overview(report: Report) -> str:
    """Return one table of the CPU per request of every server in every scenario."""
    scenarios = _scenarios(report)
    rows = []
    for server in dict.fromkeys(cell.server for cell in report.cells):
        cells = [report.cell(server, scenario.name) for scenario in scenarios]
        rows.append([server, *(_cpu_text(cell) for cell in cells)])
    title = "## Server CPU per request, µs: median (least–greatest)"
    note = "≈: the load stopped with more than 3 % of the requests under way; run it longer."
    table = _table(["server", *(s.title for s in scenarios)], rows)
    return f"{title}\n\n{table}" + (f"\n\n{note}" if "≈" in table else "")


def _cpu_text(cell: Cell | None) -> str:
    """Return what the overview says of a cell."""
    if cell is None:
        return NOT_MEASURED
    return _cpu_range(cell) or "failed"


def _cpu_range(cell: Cell) -> str:
    """Return the CPU per request of a cell as text, nothing if it failed.

    It is marked as rough if too few requests were served beside those under way at the end.
    """
    cpu, uncounted = cell.spread("cpu"), cell.spread("uncounted")
    if cpu is None or uncounted is None:
        return ""
    return f"{'≈' if uncounted.greatest > NOTICED_UNCOUNTED else ''}{_range(cpu)}"


def _range(spread: Spread) -> str:
    """Return a spread as text with three significant digits."""
    return f"{_digits(spread.median)} ({_digits(spread.least)}–{_digits(spread.greatest)})"


def _digits(value: float) -> str:
    """Return a number with as many decimals as its size deserves."""
    return f"{value:.2f}" if value < 10 else f"{value:.1f}" if value < 100 else f"{value:,.0f}"


def _details(report: Report, scenario: AnyScenario) -> str:
    """Return everything about one scenario."""
    head = ["server", "user µs", "sys µs", "CPU µs"]
    head += [f"× {name}" for name in _divisors(report, scenario)]
    head += ["requests/s", "p50 µs", "p99 µs", "peak RSS MiB", "disturbed"]
    head += ["KiB each"] if scenario.idle else []
    rows = [_detail_row(report, scenario, c) for c in report.cells if c.scenario == scenario.name]
    return f"## {scenario.title} ({scenario.connections} connections)\n\n{_table(head, rows)}"


def _divisors(report: Report, scenario: AnyScenario) -> list[str]:
    """Return the servers whose CPU per request the others are divided by."""
    names = dict.fromkeys((report.reference, FLOOR))
    return [name for name in names if report.cell(name, scenario.name)]


def _detail_row(report: Report, scenario: AnyScenario, cell: Cell) -> list[str]:
    """Return the row of one server."""
    cpu = cell.spread("cpu")
    if cpu is None:
        empty = 7 + len(_divisors(report, scenario)) + scenario.idle
        return [cell.server, *(NOT_MEASURED for _ in range(empty)), "failed"]
    median = {
        name: spread.median
        for name in ("user", "system", "rate", "p50", "p99", "peak_rss", "disturbance", "each")
        if (spread := cell.spread(name)) is not None
    }
    timed = scenario.times_latency and not scenario.idle
    return [
        cell.server,
        _digits(median["user"]),
        _digits(median["system"]),
        _cpu_range(cell),
        *(
            _ratio(cpu.median, report.cpu(name, scenario.name))
            for name in _divisors(report, scenario)
        ),
        f"{median['rate']:,.0f}",
        f"{median['p50']:,.0f}" if timed else NOT_MEASURED,
        f"{median['p99']:,.0f}" if timed else NOT_MEASURED,
        f"{median['peak_rss'] / 1024:.1f}",
        f"{median['disturbance']:.0%}",
        *([_digits(median["each"])] if scenario.idle else []),
    ]


def _ratio(value: float | None, other: float | None) -> str:
    """Return how many times `other` a value is."""
    return f"{value / other:.2f}" if value and other else NOT_MEASURED


def _targets(report: Report) -> str:
    """Return the targets that this run can judge."""
    rows = [row for target in TARGETS if (row := _target_row(report, target))]
    if not rows:
        return ""
    head = ["target: CPU per request", "at most", "measured", "reached"]
    return f"## Targets\n\n{_table(head, rows)}"


def _target_row(report: Report, target: Target) -> list[str] | None:
    """Return the row of one target, if both of its servers were measured."""
    ours = report.cpu(target.row, target.scenario)
    other = report.cpu(target.other, target.scenario)
    if not ours or not other:
        return None
    reached = "yes" if ours / other <= target.factor else "**no**"
    if any(_was_disturbed(report, name, target.scenario) for name in (target.row, target.other)):
        reached += " (disturbed)"
    text = f"{target.scenario}: {target.row} / {target.other}"
    return [text, f"{target.factor:.2f}", f"{ours / other:.2f}", reached]


def _was_disturbed(report: Report, server: str, scenario: str) -> bool:
    """Tell whether other work took a noticeable share of the server's core in any round."""
    cell = report.cell(server, scenario)
    spread = cell.spread("disturbance") if cell else None
    return spread is not None and spread.greatest > NOTICED_DISTURBANCE


def _problems(report: Report) -> str:
    """Say which servers were left out and which cells failed, and why."""
    lines = [f"- {name} left out: {reason}" for name, reason in report.skipped.items()]
    lines += [
        f"- {cell.server}, {cell.scenario}: {problem}"
        for cell in report.cells
        for problem in cell.problems
    ]
    return "## Left out and failed\n\n" + "\n".join(lines) if lines else ""


def disturbance_warnings(report: Report) -> list[str]:
    """Name the cells during which other work took a noticeable share of the server's core."""
    disturbed = [
        f"{cell.server} in {cell.scenario} ({spread.greatest:.0%})"
        for cell in report.cells
        if _was_disturbed(report, cell.server, cell.scenario)
        and (spread := cell.spread("disturbance"))
    ]
    if not disturbed:
        return []
    worst = "; ".join(disturbed[:NAMED_CELLS])
    return [f"other work ran on the server's core in {len(disturbed)} cells, such as {worst}"]
