"""Show a run in the documentation: `python bench/publish.py [RESULT]`, by default the newest run.

Writes docs/performance/ (the samples and the pictures), and what lies between the marks in
docs/performance.md and README.md. What people have written around the marks stays.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

import pictures
import report as reports
import tables
from environment import CHECKOUT
from report import Report
from run import RESULTS, resumed
from scenarios import GROWTH_SCENARIOS, SCENARIOS, Scenario

BEGIN = "<!-- measured: written by bench/publish.py -->"
END = "<!-- /measured -->"
SHOWN_SERVERS = (
    *("esg-fast-uvloop", "uvicorn-httptools", "granian-rust", "h2corn", "hypercorn-asyncio"),
    *("esg-pure-asyncio", "uvicorn-h11"),
)
SHOWN_SCENARIOS = (*SCENARIOS, GROWTH_SCENARIOS[2])
FOLDER = Path("docs/performance")
RESULT = FOLDER / "results.json"


class NoMarks(Exception):
    """A document has no place for what was measured."""


def between_marks(document: str, text: str) -> str:
    """Return a document with the text between its marks.

    Raises:
        NoMarks: It does not have both, once and in this order.
    """
    before, begin, rest = document.partition(BEGIN)
    old, end, after = rest.partition(END)
    if not begin or not end or BEGIN in old + after or END in after:
        raise NoMarks(f"there must be one {BEGIN} and one {END} behind it")
    return f"{before}{BEGIN}\n\n{text.strip()}\n\n{END}{after}"


def readme(report: Report) -> str:
    """Return what README.md shows: one picture, one table, and how far to trust them."""
    shown: list[Scenario] = [scenario for scenario in SHOWN_SCENARIOS if report.of(scenario)]
    facts = report.facts
    where = f"{facts['machine']}, {facts['python']}, {facts['date'][:10]}"
    doubts = "".join(f" **{doubt}.**" for doubt in summary(report))
    parts = [
        f"![Server CPU per request]({FOLDER}/hello.svg)",
        tables.overview(report, SHOWN_SERVERS, shown),
        f"{where}; medians of {report.settings.rounds} rounds.{doubts}",
    ]
    return "\n\n".join(parts)


def summary(report: Report) -> list[str]:
    """Say in one sentence what makes the figures doubtful, if anything does."""
    if any(reports.OTHER_WORK not in warning for warning in report.warnings):
        return [f"The machine was busy (load average {report.facts['load average before']})"]
    return ["Other work ran beside some of the samples"] if report.warnings else []


def page(report: Report, files: Sequence[Path]) -> str:
    """Return the generated part of docs/performance.md."""
    text = tables.body(report)
    for path in files:
        scenario = next((s for s in report.scenarios if s.name == path.stem), None)
        picture = f"![{path.stem}](performance/{path.name})"
        if scenario is None:
            text += f"\n## As connections grow\n\n{picture}\n"
        else:
            heading = tables.heading(scenario)
            text = text.replace(f"{heading}\n\n", f"{heading}\n\n{picture}\n\n")
    return text


def publish(report: Report, root: Path) -> None:
    """Write the documentation of a report below a root.

    Raises:
        NoMarks: A document has no place for it.
    """
    shutil.rmtree(root / FOLDER, ignore_errors=True)
    files = pictures.write(report, root / FOLDER)
    report.store(root / RESULT)
    parts = {"README.md": readme(report), "docs/performance.md": page(report, files)}
    for name, text in parts.items():
        path = root / name
        written = between_marks(path.read_text(encoding="utf-8"), text)
        path.write_text(written, encoding="utf-8")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(
        prog="bench/publish.py", description="Show a run in README.md and docs/performance.md."
    )
    parser.add_argument("result", nargs="?", type=Path, default=RESULTS, help="a JSON file")
    report = reports.read(resumed(parser.parse_args(arguments).result))
    publish(report, CHECKOUT)
    return 0


if __name__ == "__main__":
    sys.exit(main())
