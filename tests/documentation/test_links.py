"""No link is dead: files, headings, and the form of those that lead elsewhere."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest

from tests.documentation.pages import PAGES, Page, page
from tests.server import REPOSITORY

BY_PATH = {page.path: page for page in PAGES}


def fault(of: Page, link: str) -> str:
    """Return what is wrong with a link, "" if nothing is."""
    address = urlsplit(link)
    if address.scheme or address.netloc:
        return "" if address.scheme in ("http", "https") and address.hostname else "no address"
    target = (of.path.parent / address.path).resolve() if address.path else of.path
    if not target.exists() or not target.is_relative_to(REPOSITORY):
        return "no such file"
    if address.fragment and target in BY_PATH:
        return "" if address.fragment in BY_PATH[target].anchors else "no such heading"
    return ""


@pytest.mark.parametrize("of", PAGES, ids=repr)
def test_links(of: Page) -> None:
    faults = {link: said for link in of.links if (said := fault(of, link))}
    assert faults == {}


def test_faults_are_found() -> None:
    index = page("docs/index.md")
    assert fault(index, "nowhere.md") == "no such file"
    assert fault(index, "tls.md#nothing") == "no such heading"
    assert fault(index, "https:///path") == fault(index, "ftp://example.org") == "no address"
    assert fault(index, "tls.md#for-development") == ""
    assert len(index.links) > 20


def test_the_first_page_leads_to_every_other_one() -> None:
    index = page("docs/index.md")
    linked = {(index.path.parent / link).resolve() for link in index.links}
    pages = set((REPOSITORY / "docs").glob("*.md")) - {index.path}
    assert {path.name for path in pages - linked} == set()
