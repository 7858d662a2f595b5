"""docs/hardening.md: every line has a proof."""

from __future__ import annotations

import re

from tests.conformance.cases import ALL_CASES
from tests.hardening.attacks import SLOW, THROWN
from tests.server import REPOSITORY

DOCUMENT = (REPOSITORY / "docs" / "hardening.md").read_text("utf-8")
QUOTED = re.findall(r"`([^`\s]+)`", DOCUMENT)
TESTS = {word for word in QUOTED if word.startswith("tests/")}
CASES = {word for word in QUOTED if re.fullmatch(r"[a-z_]+/[a-z0-9-]+", word)}


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
    known = {case.id for case in ALL_CASES}
    assert known >= CASES
    assert all("::" in name for name in TESTS)  # test_proofs looks for them


def test_page_of_the_peers_has_every_attack() -> None:
    """It is written by `make abuse-peers`, and must be so again when an attack is added."""
    page = (REPOSITORY / "docs" / "abuse-peers.md").read_text("utf-8")
    written = re.findall(r"^\| (.+?) \|", page, re.MULTILINE)
    assert {*THROWN, *SLOW} <= set(written)
