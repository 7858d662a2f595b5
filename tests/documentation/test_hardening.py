"""docs/hardening.md: every line has a proof; its options, and those of SECURITY.md, are there."""

from __future__ import annotations

import dataclasses
import re

from esg.config import Config
from tests.server import REPOSITORY

DOCUMENT = (REPOSITORY / "docs" / "hardening.md").read_text("utf-8")
QUOTED = re.findall(r"`([^`\s]+)`", DOCUMENT)
TESTS = sorted({word for word in QUOTED if word.startswith("tests/")})
CASES = sorted({word for word in QUOTED if re.fullmatch(r"[a-z_]+/[a-z0-9-]+", word)})
POLICY = (REPOSITORY / "SECURITY.md").read_text("utf-8")
OPTIONS = sorted(set(re.findall(r"`(--[a-z-]+)`", DOCUMENT + POLICY)))


def rows() -> list[list[str]]:
    """Return the cells of every line of a table that is no heading."""
    lines = [line for line in DOCUMENT.splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [line for line in cells if line[0] not in ("attack", "fault", "---")]


def test_every_line_has_a_proof() -> None:
    assert len(rows()) > 40
    for cells in rows():
        proofs = re.findall(r"`([^`]+)`", cells[-1])
        assert proofs, cells
        assert set(proofs) <= {*TESTS, *CASES}, cells


def test_named_options_are_there() -> None:
    known = {f"--{field.name.replace('_', '-')}" for field in dataclasses.fields(Config)}
    assert set(OPTIONS) <= known
