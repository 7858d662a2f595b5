"""Every test, and every case of the conformance suite, that a page names is there."""

from __future__ import annotations

import re

import pytest

from tests.conformance.cases import ALL_CASES
from tests.documentation.pages import PAGES, Page, page
from tests.server import REPOSITORY

CASES = {case.id for case in ALL_CASES}
GROUPS = {name.partition("/")[0] for name in CASES}
# The pages of other servers are written by the suite itself.
WRITTEN = [of for of in PAGES if not of.name.startswith("docs/conformance/")]


def proofs(of: Page) -> tuple[set[str], set[str]]:
    """Return the tests and the cases that a page names."""
    quoted = set(re.findall(r"`([^`\s]+)`", of.prose))
    tests = {word for word in quoted if word.startswith("tests/") and "::" in word}
    return tests, {word for word in quoted if word.partition("/")[0] in GROUPS and "/" in word}


@pytest.mark.parametrize("of", [of for of in WRITTEN if any(proofs(of))], ids=repr)
def test_named_proofs_are_there(of: Page) -> None:
    tests, cases = proofs(of)
    for name in tests:
        path, _, function = name.partition("::")
        source = (REPOSITORY / path).read_text("utf-8")
        assert re.search(rf"^(async )?def {function}\(", source, re.MULTILINE), name
    assert cases <= CASES


def test_questions_are_answered_with_proof() -> None:
    of = page("docs/faq.md")
    tests, cases = proofs(of)
    assert of.text.count("\n### ") >= 25
    assert len(tests) + len(cases) >= 25


def test_every_rule_is_in_the_tree() -> None:
    shown = set(re.findall(r"^      (\w+)  ", page("docs/architecture.md").text, re.MULTILINE))
    modules = {path.stem for path in (REPOSITORY / "esg" / "rules").glob("*.py")}
    assert shown == modules - {"__init__"}
