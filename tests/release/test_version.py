"""That one release has one name everywhere."""

from __future__ import annotations

import pytest

from release import version
from tests.server import REPOSITORY

CHANGELOG = (
    "# Changelog\n\n## 1.2.3 (2027-01-31)\n\n- New.\n- Newer.\n\n## 1.2.2 (2026-12-01)\n\n- Old.\n"
)
OPEN = CHANGELOG.replace("2027-01-31", "unreleased")


def test_this_tree_agrees_with_itself() -> None:
    text = (REPOSITORY / "CHANGELOG.md").read_text("utf-8")
    assert list(version.faults(version.version_of(REPOSITORY), text, None)) == []
    assert version.notes(text).startswith("- ")


@pytest.mark.parametrize(
    ("number", "changelog", "tag"),
    [("1.2.3", CHANGELOG, "v1.2.3"), ("1.2.3", OPEN, None), ("1.2.3", CHANGELOG, None)],
    ids=["released", "between", "about to be"],
)
def test_what_agrees(number: str, changelog: str, tag: str | None) -> None:
    assert list(version.faults(number, changelog, tag)) == []


@pytest.mark.parametrize(
    ("number", "changelog", "tag", "said"),
    [
        ("1.2.4", CHANGELOG, None, "CHANGELOG.md begins with 1.2.3, esg/_version.py says 1.2.4"),
        ("1.2.3", "", None, "CHANGELOG.md begins with nothing, esg/_version.py says 1.2.3"),
        ("1.2.3", CHANGELOG, "v1.2.4", "the tag v1.2.4 is not v1.2.3"),
        ("1.2.3", CHANGELOG, "1.2.3", "the tag 1.2.3 is not v1.2.3"),
        ("1.2.3", OPEN, "v1.2.3", "CHANGELOG.md: 1.2.3 has no date, but (unreleased)"),
        ("1.2.3", OPEN.replace("2026-12-01", "?"), None, "CHANGELOG.md: 1.2.2 has no date"),
        (
            "1.2",
            CHANGELOG.replace("1.2.3", "1.2"),
            None,
            "esg/_version.py: 1.2 is no version such as 1.2.3 or 1.2.3rc1",
        ),
    ],
)
def test_what_does_not(number: str, changelog: str, tag: str | None, said: str) -> None:
    assert list(version.faults(number, changelog, tag)) == [said]


def test_notes_are_the_latest_section_alone() -> None:
    assert version.notes(CHANGELOG) == "- New.\n- Newer.\n"
