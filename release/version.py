"""That the tag, the version and the changelog name one release, and what it brings."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

_VERSION = re.compile(r'^__version__ = "(?P<version>[^"]+)"$', re.MULTILINE)
# The final releases, and the candidates before them (PEP 440).
_FORM = re.compile(r"\d+\.\d+\.\d+(rc\d+)?")
_HEADING = re.compile(r"^## (?P<version>\S+) \((?P<date>[^)]*)\)$", re.MULTILINE)
_DATE = re.compile(r"20\d\d-[01]\d-[0-3]\d")


def version_of(root: Path) -> str:
    """Return the version of the tree, from the one place where it stands."""
    found = _VERSION.search((root / "esg/_version.py").read_text("utf-8"))
    assert found is not None
    return found["version"]


def faults(version: str, changelog: str, tag: str | None) -> Iterator[str]:
    """Say what does not fit together.

    Args:
        version: the tree's.
        changelog: its text.
        tag: the tag that is to be published; None between releases.
    """
    if not _FORM.fullmatch(version):
        yield f"esg/_version.py: {version} is no version such as 1.2.3 or 1.2.3rc1"
    headings = list(_HEADING.finditer(changelog))
    if not headings or headings[0]["version"] != version:
        latest = headings[0]["version"] if headings else "nothing"
        yield f"CHANGELOG.md begins with {latest}, esg/_version.py says {version}"
    for older in headings[1:]:
        if not _DATE.fullmatch(older["date"]):
            yield f"CHANGELOG.md: {older['version']} has no date"
    if tag is None:
        return
    if tag != f"v{version}":
        yield f"the tag {tag} is not v{version}"
    if headings and not _DATE.fullmatch(headings[0]["date"]):
        yield f"CHANGELOG.md: {version} has no date, but ({headings[0]['date']})"


def notes(changelog: str) -> str:
    """Return what the changelog says of its latest version."""
    sections = _HEADING.split(changelog)
    return sections[3].strip() + "\n"
