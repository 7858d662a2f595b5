"""What was measured, as Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from measure import Cell, Spread
from report import Report
from scenarios import CPU, MEMORY, START, Scenario
from targets import TARGETS, Target

NOT_MEASURED = "–"
NOTICED_UNCOUNTED = 0.03
FLOOR = "floor"
EACH = {MEMORY: "KiB each", START: "ms"}


def markdown(report: Report) -> str:
    """Return the whole report."""
    return "# ESG benchmarks\n\n" + body(report)


def body(report: Report) -> str:
    """Return the report without its heading."""
    parts = [header(report), overview(report)]
    parts += [details(report, scenario) for scenario in report.scenarios]
    parts += [targets(report), problems(report)]
    return "\n\n".join(part for part in parts if part) + "\n"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table whose first column is text and whose others are numbers."""
    lines = [head, ["---", *("---:" for _ in head[1:])], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def header(report: Report) -> str:
    """Say on what and how it was measured, and what is doubtful."""
    settings = report.settings
    lines = [f"- {name}: {value}" for name, value in report.facts.items()]
    lines.append(
        f"- {settings.rounds} round(s) of {settings.duration} s after {settings.warmup} s of"
        f" warming up; server on core {settings.server_core}, load on core {settings.load_core}"
    )
    return "\n".join([*lines, *(f"- **warning: {warning}**" for warning in report.warnings)])


def overview(
    report: Report, servers: Sequence[str] = (), scenarios: Sequence[Scenario] = ()
) -> str:
    """Return one table of the CPU per unit of some servers in some loads, or of all in all."""
    loads = [s for s in scenarios or report.scenarios if s.asks == CPU]
    if not loads:
        return ""
    measured = dict.fromkeys(cell.server for cell in report.cells)
    names = [name for name in servers or measured if name in measured]
    rows = [
        [scenario.title, *(_cpu_text(report.cell(name, scenario.name)) for name in names)]
        for scenario in loads
    ]
    grid = table(["server CPU, µs per request, event or message", *names], rows)
    note = "≈: the load stopped with more than 3 % of the requests under way; run it longer."
    return grid + (f"\n\n{note}" if "≈" in grid else "")


def _cpu_text(cell: Cell | None) -> str:
    """Return what the overview says of a cell."""
    if cell is None:
        return NOT_MEASURED
    cpu = cell.spread("cpu")
    return f"{_roughness(cell)}{digits(cpu.median)}" if cpu else "failed"


def _roughness(cell: Cell) -> str:
    """Mark a cell with too few requests served beside those under way at the end."""
    uncounted = cell.spread("uncounted")
    return "≈" if uncounted and uncounted.greatest > NOTICED_UNCOUNTED else ""


def _range(spread: Spread) -> str:
    """Return a spread as text with three significant digits."""
    return f"{digits(spread.median)} ({digits(spread.least)}–{digits(spread.greatest)})"


def digits(value: float) -> str:
    """Return a number with as many decimals as its size deserves."""
    return f"{value:.2f}" if value < 10 else f"{value:.1f}" if value < 100 else f"{value:,.0f}"


def details(report: Report, scenario: Scenario) -> str:
    """Return everything about one scenario."""
    head = ["server", "user µs", "sys µs", "CPU µs"]
    head += [f"× {name}" for name in _divisors(report, scenario)]
    if scenario.asks == CPU:
        head += [f"{scenario.unit}s/s", "p50 µs", "p99 µs", "p99.9 µs"]
    else:
        head += [EACH[scenario.asks]]
    head += ["peak RSS MiB", "disturbed"]
    rows = [_detail_row(report, scenario, cell, len(head)) for cell in report.of(scenario)]
    return f"{heading(scenario)}\n\n{table(head, rows)}"


def heading(scenario: Scenario) -> str:
    """Return the heading of a scenario."""
    of = "" if scenario.asks == START else f" ({scenario.connections:,} connections)"
    return f"## {scenario.title}{of}"


def _divisors(report: Report, scenario: Scenario) -> list[str]:
    """Return the servers whose CPU per unit the others are divided by."""
    names = dict.fromkeys((report.reference, FLOOR))
    return [name for name in names if report.cell(name, scenario.name)]


def _detail_row(report: Report, scenario: Scenario, cell: Cell, width: int) -> list[str]:
    """Return the row of one server."""
    cpu = cell.spread("cpu")
    if cpu is None:
        return [cell.server, *(NOT_MEASURED for _ in range(width - 2)), "failed"]

    def shown(figure: str) -> str:
        spread = cell.spread(figure)
        return digits(spread.median) if spread else NOT_MEASURED

    row = [cell.server, shown("user"), shown("system"), _roughness(cell) + _range(cpu)]
    row += [
        _ratio(cpu.median, report.median(name, scenario.name))
        for name in _divisors(report, scenario)
    ]
    if scenario.asks == CPU:
        row += [f"{report.median(cell.server, scenario.name, 'rate'):,.0f}"]
        latencies = ("p50", "p99", "p999")
        row += [shown(name) if scenario.times_latency else NOT_MEASURED for name in latencies]
    else:
        each = cell.spread("each")
        row += [_range(each) if each else NOT_MEASURED]
    rss = report.median(cell.server, scenario.name, "peak_rss") or 0
    disturbed = report.median(cell.server, scenario.name, "disturbance") or 0
    return [*row, f"{rss / 1024:.1f}", f"{disturbed:.0%}"]


def _ratio(value: float | None, other: float | None) -> str:
    """Return how many times `other` a value is."""
    return f"{value / other:.2f}" if value and other else NOT_MEASURED


def targets(report: Report) -> str:
    """Return the targets that this run can judge."""
    rows = [row for target in TARGETS if (row := _target_row(report, target))]
    if not rows:
        return ""
    head = ["target: CPU per request", "at most", "measured", "reached"]
    return f"## Targets\n\n{table(head, rows)}"


def _target_row(report: Report, target: Target) -> list[str] | None:
    """Return the row of one target, if both of its servers were measured."""
    ours = report.median(target.row, target.scenario)
    other = report.median(target.other, target.scenario)
    if not ours or not other:
        return None
    reached = "yes" if ours / other <= target.factor else "**no**"
    if any(report.was_disturbed(name, target.scenario) for name in (target.row, target.other)):
        reached += " (disturbed)"
    text = f"{target.scenario}: {target.row} / {target.other}"
    return [text, f"{target.factor:.2f}", f"{ours / other:.2f}", reached]


def problems(report: Report) -> str:
    """Say which servers were left out and which cells failed, and why."""
    lines = [f"- {name} left out: {reason}" for name, reason in report.skipped.items()]
    lines += [
        f"- {cell.server}, {cell.scenario}: {problem}"
        for cell in report.cells
        for problem in cell.problems
    ]
    return "## Left out and failed\n\n" + "\n".join(lines) if lines else ""
