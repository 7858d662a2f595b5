"""Everything that one run has measured, and its file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from measure import Cell, Settings, Spread
from scenarios import ALL_SCENARIOS, Scenario

NOTICED_DISTURBANCE = 0.05
OTHER_WORK = "other work ran"
NAMED_CELLS = 3
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

    @property
    def scenarios(self) -> list[Scenario]:
        """Return the scenarios that were run, in the order of their table."""
        names = {cell.scenario for cell in self.cells}
        return [scenario for scenario in ALL_SCENARIOS if scenario.name in names]

    def cell(self, server: str, scenario: str) -> Cell | None:
        """Return one cell, if that server took part in that scenario."""
        for cell in self.cells:
            if (cell.server, cell.scenario) == (server, scenario):
                return cell
        return None

    def demand(self, server: str, scenario: str) -> Cell:
        """Return one cell, made if it is not there."""
        cell = self.cell(server, scenario)
        if cell is None:
            cell = Cell(server, scenario)
            self.cells.append(cell)
        return cell

    def of(self, scenario: Scenario) -> list[Cell]:
        """Return the cells of a scenario."""
        return [cell for cell in self.cells if cell.scenario == scenario.name]

    def median(self, server: str, scenario: str, figure: str = "cpu") -> float | None:
        """Return the median of a figure of a cell that went well; CPU per unit, if not said."""
        cell = self.cell(server, scenario)
        spread = cell.spread(figure) if cell else None
        return spread.median if spread else None

    def was_disturbed(self, server: str, scenario: str) -> bool:
        """Tell whether other work took a noticeable share of the server's core in any round."""
        return (self._disturbance(server, scenario) or 0) > NOTICED_DISTURBANCE

    def _disturbance(self, server: str, scenario: str) -> float | None:
        cell = self.cell(server, scenario)
        spread: Spread | None = cell.spread("disturbance") if cell else None
        return spread.greatest if spread else None

    def choose_reference(self) -> str:
        """Return the first of the usual references that was measured, or the first server."""
        measured = {cell.server for cell in self.cells if cell.spread("cpu")}
        names = [*REFERENCES, *(cell.server for cell in self.cells)]
        return next((name for name in names if name in measured), "")

    def disturbances(self) -> list[str]:
        """Name the cells during which other work took a share of the server's core."""
        disturbed = [
            f"{cell.server} in {cell.scenario} ({self._disturbance(cell.server, cell.scenario):.0%})"
            for cell in self.cells
            if self.was_disturbed(cell.server, cell.scenario)
        ]
        if not disturbed:
            return []
        worst = "; ".join(disturbed[:NAMED_CELLS])
        return [f"{OTHER_WORK} on the server's core in {len(disturbed)} cells, such as {worst}"]

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

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Report:
        """Return a report that was stored."""
        return cls(
            dict(data["facts"]),
            Settings(**data["settings"]),
            list(data["warnings"]),
            dict(data["skipped"]),
            [Cell.from_data(cell) for cell in data["cells"]],
            data["reference"],
        )

    def store(self, path: Path) -> None:
        """Write the report as JSON: wholly, or not at all."""
        path.parent.mkdir(parents=True, exist_ok=True)
        new = path.with_name(f"{path.name}.new")
        new.write_text(json.dumps(self.as_data(), indent=1) + "\n")
        new.replace(path)


def read(path: Path) -> Report:
    """Read a report that was stored."""
    return Report.from_data(json.loads(path.read_text()))
