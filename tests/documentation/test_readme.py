"""README.md compares servers by what docs/conformance.md has counted."""

from __future__ import annotations

import re

from tests.documentation.pages import page

# Columns of the table, and rows of the page.
COLUMNS = {
    "uvicorn": ("uvicorn-httptools", "uvicorn-h11"),
    "granian": ("granian",),
    "Hypercorn": ("hypercorn-asyncio", "hypercorn-trio"),
}
ROUNDED = 1.0  # percent


def demanded() -> dict[str, float]:
    """Return how much of what the specifications demand each server does, in percent."""
    row = re.compile(r"^\| \[?([\w-]+)\]?\S* \| [^|]+ \| (\d+)/(\d+) \|", re.MULTILINE)
    found = row.findall(page("docs/conformance.md").text)
    return {name: 100 * int(passed) / int(cases) for name, passed, cases in found}


def test_percentages() -> None:
    counted = demanded()
    table = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in page("README.md").text.splitlines()
        if line.startswith("|")
    ]
    heading = next(cells for cells in table if cells[1:2] == ["ESG"])
    cells = next(cells for cells in table if cells[0].startswith("[conformance]"))
    assert cells[1] == "all"
    assert {counted[row] for row in counted if row.startswith(("pure-", "fast-"))} == {100.0}
    for column, said in zip(heading[2:], cells[2:], strict=True):
        shares = [counted[row] for row in COLUMNS[column.split()[0]]]
        numbers = [int(number) for number in re.findall(r"\d+", said)]
        assert abs(min(numbers) - min(shares)) <= ROUNDED, column
        assert abs(max(numbers) - max(shares)) <= ROUNDED, column
