"""Write settings.md from the schema: `python docs/settings_reference.py`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import MISSING, Field, fields
from pathlib import Path
from typing import Any, Final

from esg.config import Config
from esg.options import Option, flag_name, option_of, variable_name

PAGE: Final = Path(__file__).with_name("settings.md")
_HEADER: Final = """# Settings

Every setting, under the headings of `esg --help`. [configuration.md](configuration.md) says where
they may be written, and which place wins. This page is generated: `python docs/settings_reference.py`.
"""


def page() -> str:
    """Return the text of the page."""
    groups: dict[str, list[str]] = {}
    for schema_field in fields(Config):
        option = option_of(schema_field)
        if option is not None:
            groups.setdefault(option.group, []).append(_row(schema_field, option))
    return _HEADER + "".join("\n".join(_table(*group)) for group in groups.items())


def _table(heading: str, rows: list[str]) -> Iterator[str]:
    yield f"\n## {heading}\n"
    yield "| command line | environment | TOML, `Config` | default | |"
    yield "|---|---|---|---|---|"
    yield from rows
    yield ""


def _row(schema_field: Field[Any], option: Option) -> str:
    name = schema_field.name
    cells = (
        f"`{_flag(schema_field, option)}`",
        f"`{variable_name(name)}`",
        f"`{name}`",
        _default(schema_field),
        option.help,
    )
    escaped = (cell.replace("|", "\\|") for cell in cells)
    return f"| {' | '.join(escaped)} |"


def _flag(schema_field: Field[Any], option: Option) -> str:
    flag = flag_name(schema_field.name)
    kind = str(schema_field.type)
    if option.choices:
        return f"{flag} {', '.join(option.choices)}"
    if kind.startswith("bool"):
        return flag if schema_field.default is False else f"{flag}`, `--no-{flag[2:]}"
    unit = "N" if kind.startswith("int") else "SECONDS" if kind.startswith("float") else "TEXT"
    value = option.metavar or unit
    return f"{flag}[={value}]" if option.bare is not None else f"{flag} {value}"


def _default(schema_field: Field[Any]) -> str:
    default = schema_field.default
    if default in (None, "", ()) or default is MISSING:
        return ""
    if isinstance(default, bool):
        return "on" if default else "off"
    if isinstance(default, tuple):
        return " ".join(f"`{item}`" for item in default)
    return f"`{default:g}`" if isinstance(default, float) else f"`{default}`"


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
