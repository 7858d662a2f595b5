"""Every option and variable of ESG's that a page names is there."""

from __future__ import annotations

import re
from dataclasses import fields

import pytest

from esg.config import Config
from esg.options import flag_name, option_of, variable_name
from esg.uvicorn_options import OPTIONS as OF_UVICORN
from tests.documentation.pages import PAGES, Page

SETTINGS = [f.name for f in fields(Config) if option_of(f)]
FLAGS = {
    *map(flag_name, SETTINGS),
    *(flag_name(name) for name, _, _ in OF_UVICORN),
    *("--config", "--check-config", "--print-config", "--version", "--help"),
}
# Of the build, and what is no setting.
VARIABLES = {*map(variable_name, SETTINGS), "ESG_APP", "ESG_CONFIG", "ESG_ACCEL", "ESG_LLHTTP"}
# Of a container's program, and what stands for any option.
OF_OTHERS = {"--time", "--no-x"}
# These are about others' options, too, or those of the repository's own programs.
ELSEWHERE = (
    *("docs/from-", "docs/conformance", "docs/running-conformance", "docs/abuse-peers"),
    *("bench/", "C"),
)
PAGES_FOR_USERS = [of for of in PAGES if not of.name.startswith(ELSEWHERE)]


@pytest.mark.parametrize("of", PAGES_FOR_USERS, ids=repr)
def test_options(of: Page) -> None:
    codes = re.findall(r"`([^`\n]+)`", of.prose)
    named = {flag for code in codes for flag in re.findall(r"(?<![\w-])--[a-z][a-z0-9-]+", code)}
    unknown = {flag for flag in named - FLAGS if flag.replace("--no-", "--") not in FLAGS}
    assert unknown <= OF_OTHERS


@pytest.mark.parametrize("of", PAGES, ids=repr)
def test_variables(of: Page) -> None:
    assert set(re.findall(r"\bESG_[A-Z][A-Z_]*[A-Z]\b", of.prose)) <= VARIABLES


def test_pages_are_found() -> None:
    names = {of.name for of in PAGES_FOR_USERS}
    assert {"README.md", "SECURITY.md", "docs/hardening.md", "docs/deployment.md"} <= names
