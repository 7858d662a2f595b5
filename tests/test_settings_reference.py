"""Every setting is on the command line, in the environment, in TOML, and in the reference."""

from __future__ import annotations

import importlib.util
import re
from dataclasses import fields
from types import ModuleType

import pytest

from esg.config import Config
from esg.options import flag_name, option_of, variable_name
from tests.server import REPOSITORY

SETTINGS = [f.name for f in fields(Config) if option_of(f)]


@pytest.fixture(scope="module")
def reference() -> ModuleType:
    """Return the generator of the page."""
    path = REPOSITORY / "docs" / "settings_reference.py"
    spec = importlib.util.spec_from_file_location("settings_reference", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_is_what_the_schema_says(reference: ModuleType) -> None:
    written = reference.PAGE.read_text("utf-8")
    assert written == reference.page(), "run python docs/settings_reference.py"


@pytest.mark.parametrize("name", SETTINGS)
def test_the_page_has_every_setting(name: str, reference: ModuleType) -> None:
    rows = [line for line in reference.page().splitlines() if f"| `{name}` |" in line]
    assert len(rows) == 1
    assert re.search(rf"`{flag_name(name)}\b", rows[0])
    assert f"`{variable_name(name)}`" in rows[0]
