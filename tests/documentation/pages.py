"""The pages of the documentation: their headings, links and samples."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from tests.server import REPOSITORY

_FENCED = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^#{1,6} (.+)$", re.MULTILINE)
_LINK = re.compile(r"\[(?:[^][]|\[[^]]*\])*\]\(([^)\s]+)\)")


class Sample(NamedTuple):
    """A fenced block."""

    language: str
    text: str

    @property
    def file(self) -> str:
        """The name that the first line of a sample gives it, without its suffix."""
        found = re.match(r"# (\w+)\.\w+\n", self.text)
        assert found, f"no file is named in {self.text!r}"
        return found[1]


class Page:
    """One page.

    Args:
        path: of its file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.name = path.relative_to(REPOSITORY).as_posix()
        self.text = path.read_text("utf-8")
        self.prose = _FENCED.sub("", self.text)

    def __repr__(self) -> str:
        return self.name

    @cached_property
    def samples(self) -> list[Sample]:
        return [Sample(*found) for found in _FENCED.findall(self.text)]

    def in_language(self, language: str) -> list[Sample]:
        return [sample for sample in self.samples if sample.language == language]

    @property
    def links(self) -> list[str]:
        return _LINK.findall(re.sub(r"`[^`\n]*`", "``", self.prose))

    @cached_property
    def anchors(self) -> set[str]:
        """What links to headings of this page end with, behind their #."""
        return set(_slugs(_HEADING.findall(self.prose)))


def _slugs(headings: list[str]) -> Iterator[str]:
    seen: dict[str, int] = {}
    for heading in headings:
        text = re.sub(r"\[([^]]+)\]\([^)]+\)", r"\1", heading).strip().lower()
        slug = re.sub(r"[^\w\- ]", "", text).replace(" ", "-")
        number = seen[slug] = seen.get(slug, -1) + 1
        yield f"{slug}-{number}" if number else slug


def page(name: str) -> Page:
    """Return the page of a path in the repository."""
    return Page(REPOSITORY / name)


PAGES = [
    Page(path)
    for pattern in ("*.md", "docs/**/*.md", "bench/*.md")
    for path in sorted(REPOSITORY.glob(pattern))
]
