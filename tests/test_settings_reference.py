"""Every setting is on the command line, in the environment, in TOML, and in the reference."""

from __future__ import annotations

import importlib.util
import json
import re
from dataclasses import fields
from pathlib import Path
from types import ModuleType

import pytest

from esg.config import Config
from esg.options import flag_name, from_text, option_of, variable_name
from esg.settings import collect
from tests.server import REPOSITORY

SETTINGS = [f.name for f in fields(Config) if option_of(f)]


# As the environment writes them; others are told from their type.
WRITTEN = {
    "access_log_exclude": "/health",
    "access_log_format": "json",
    "bind": "127.0.0.1:1",
    "header": "A: b",
    "log_config": "log.ini",
    "reload_dir": "src",
    "reload_exclude": "*.tmp",
    "reload_include": "*.html",
    "root_path": "/api",
    "ssl_cert_reqs": "required",
    "ssl_sni": "example.org=a.crt,a.key",
    "ssl_version": "tls1.3",
    "uds_permissions": "600",
    "worker_init": "example:begin",
}


def written(name: str) -> str:
    """Return a value of a setting that is not its default."""
    if name in WRITTEN:
        return WRITTEN[name]
    schema_field = next(f for f in fields(Config) if f.name == name)
    option = option_of(schema_field)
    assert option is not None
    if option.choices:
        return next(choice for choice in option.choices if choice != schema_field.default)
    kind = str(schema_field.type)
    if kind.startswith("bool"):
        return "false" if schema_field.default else "true"
    if kind.startswith(("int", "float")):
        return str(int(option.maximum or 3000))
    return "somewhere"


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


@pytest.mark.parametrize("name", SETTINGS)
def test_every_setting_is_taken_from_each_source(name: str, tmp_path: Path) -> None:
    schema_field = next(f for f in fields(Config) if f.name == name)
    text = written(name)
    value = from_text(schema_field, text)
    file = tmp_path / "esg.toml"
    file.write_text(f"{name.replace('_', '-')} = {json.dumps(value)}\n", "utf-8")
    nothing = tmp_path / "empty.toml"
    nothing.write_text("", "utf-8")
    found = [
        collect({name: text}, {}, nothing).found[name],
        collect({}, {variable_name(name): text}, nothing).found[name],
        collect({}, {}, file).found[name],
    ]
    assert [one.origin for one in found] == [flag_name(name), "$" + variable_name(name), str(file)]
    assert found[0].value == found[1].value == found[2].value
    assert found[0].value != schema_field.default
