"""How Sphinx builds the site: `make docs`.

Its source directory is the repository, so that pages link to CONTRIBUTING.md, examples and samples
as they do where the files are read as they are. The contents are those that index.md lists.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from esg import __version__

if TYPE_CHECKING:
    from sphinx.application import Sphinx

project = "ESG"
author = "the ESG authors"
release = __version__
html_title = f"ESG {release}"

root_doc = "docs/index"
include_patterns = [
    "docs/**.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "bench/README.md",
]
exclude_patterns = [".*", "build", "bench/results", "esg", "tests"]
suppress_warnings = ["myst.header", "toc.not_included"]  # a page may begin where it likes

default_role = "code"  # of docstrings: `name` is code, as in Markdown
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
myst_heading_anchors = 3
autodoc_typehints = "description"
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
pygments_style = "default"

html_theme = "furo"
html_show_sphinx = False
html_copy_source = False

_LINK = re.compile(r"\[([^]]+)\]\(([^)\s]+)\)")
_ENTRY = re.compile(r"^- \[[^]]+\]\(([^)#]+)\.md\)", re.MULTILINE)


def _contents(page: str) -> Iterator[str]:
    """Give the directives by which Sphinx learns what the lists of the first page say."""
    for part in page.split("\n## ")[1:]:
        options = ["```{toctree}", ":hidden:", f":caption: {part.splitlines()[0]}"]
        yield "\n".join(["", *options, "", *_ENTRY.findall(part), "```", ""])


def _adapt(app: Sphinx, document: str, source: list[str]) -> None:
    """Add the contents; and name folders of the repository, which the site has not, without a link."""
    folder = (Path(app.srcdir) / document).parent

    def unlinked(link: re.Match[str]) -> str:
        return link[1] if (folder / link[2]).is_dir() else link[0]

    source[0] = _LINK.sub(unlinked, source[0])
    if document == root_doc:
        source[0] += "".join(_contents(source[0]))


def _add_entrance(app: Sphinx, failure: Exception | None) -> None:
    """Lead from the site's root to the first page."""
    if failure is None and app.builder.name == "html":
        place = f"{root_doc}.html"
        text = (
            f'<!doctype html><meta http-equiv="refresh" content="0; url={place}"><title>ESG</title>'
        )
        (Path(app.outdir) / "index.html").write_text(text, "utf-8")


def setup(app: Sphinx) -> dict[str, Any]:
    """Register what is added."""
    app.connect("source-read", _adapt)
    app.connect("build-finished", _add_entrance)
    return {"parallel_read_safe": True, "version": "1"}
