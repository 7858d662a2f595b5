"""What one setting is: its text, its unit, its bounds. `config.Config` is made of these.

Everything that is generated from the schema (command line, validation, reference) reads an
`Option`; nothing else describes a setting.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import Field, dataclass, field
from typing import Any

from esg.errors import ConfigError

_KEY = "esg.option"
# No number is larger: what counts bytes or connections in C could not hold it.
_LARGEST = 2**63 - 1
# What the words of the command line and the environment mean for a switch.
SWITCHES = {
    **dict.fromkeys(("true", "yes", "on", "1"), True),
    **dict.fromkeys(("false", "no", "off", "0"), False),
}


@dataclass(frozen=True, slots=True)
class Option:
    """Describe one setting.

    Args:
        help: one sentence for `--help`.
        group: the heading under which `--help` lists it.
        metavar: what stands for the value in `--help`: its unit or form.
        choices: the allowed words, if it is one of a few.
        minimum: the smallest allowed number.
        maximum: the largest.
        repeatable: whether the command line takes it several times.
        bare: the value that the flag alone stands for, if it can stand alone.
        takes_boolean: whether the command line also takes true or false behind it.
        fallback: a variable of the environment, of others' making, that stands in for the default.
        secret: whether its value is never shown.
        parse: checks one value and returns it in its final form; raises ValueError with what is
            allowed.
    """

    help: str
    group: str
    metavar: str | None = None
    choices: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    repeatable: bool = False
    bare: Any = None
    takes_boolean: bool = False
    fallback: str | None = None
    secret: bool = False
    parse: Callable[[Any], Any] | None = None


def setting(default: Any, help: str, group: str, **details: Any) -> Any:
    """Declare a field of the schema: a dataclass field that carries its `Option`."""
    option = Option(help=help, group=group, **details)
    return field(default=default, repr=not option.secret, metadata={_KEY: option})


def option_of(schema_field: Field[Any]) -> Option | None:
    """Return the `Option` of a dataclass field, None for a field that is no setting."""
    option = schema_field.metadata.get(_KEY)
    return option if isinstance(option, Option) else None


def flag_name(name: str) -> str:
    """Return how the command line spells a setting: `root_path` is `--root-path`."""
    return "--" + name.replace("_", "-")


def variable_name(name: str) -> str:
    """Return how the environment spells a setting: `root_path` is `ESG_ROOT_PATH`."""
    return "ESG_" + name.upper()


def check(schema_field: Field[Any], value: Any, origin: str = "") -> Any:
    """Check one value and return it in its final form.

    Args:
        schema_field: the setting.
        value: what it is to be.
        origin: where the value was found, if that was not the setting's flag.

    Raises:
        ConfigError: naming the setting, the value and what is allowed.
    """
    option = option_of(schema_field)
    if option is None or (value is None and schema_field.default is None):
        return value
    try:
        return _checked(option, schema_field, value)
    except ValueError as error:
        name = schema_field.name
        where = origin or flag_name(name)
        got = "" if option.secret else f", got {value!r}"
        raise ConfigError(f"{name} ({where}): {error}{got}") from None


def from_text(schema_field: Field[Any], text: str) -> Any:
    """Read a value as the command line and the environment write it.

    A switch is true or false (also yes, no, on, off, 1, 0); a repeatable setting has a value on
    each line. What cannot be read is returned as it is: `check` says what is wrong with it.
    """
    option = option_of(schema_field)
    kind = str(schema_field.type)
    if option is not None and option.bare is not None and text.lower() in ("true", "false"):
        return option.bare if text.lower() == "true" else None
    if option is not None and option.repeatable:
        return tuple(line.strip() for line in text.splitlines() if line.strip())
    if option is not None and option.parse is not None:
        return text
    if option is not None and option.choices:
        return text.lower()
    if kind.startswith("bool"):
        return SWITCHES.get(text.strip().lower(), text)
    with suppress(ValueError):
        if kind.startswith("int"):
            return int(text)
        if kind.startswith("float"):
            return float(text)
    return text


def _checked(option: Option, schema_field: Field[Any], value: Any) -> Any:
    if any(isinstance(text, str) and "\0" in text for text in _texts(value)):
        raise ValueError("must not have a NUL character")  # no path, and nothing else, can have it
    if option.parse is not None:
        return option.parse(value)
    if option.choices:
        if value not in option.choices:
            raise ValueError(f"must be one of {', '.join(option.choices)}")
        return value
    kind = str(schema_field.type)
    if kind.startswith("bool"):
        if not isinstance(value, bool):
            raise ValueError("must be true or false")
    elif kind.startswith(("int", "float")):
        _check_number(option, value, whole=kind.startswith("int"))
    elif kind.startswith("str") and not isinstance(value, str):
        raise ValueError("must be a string")
    return value


def _texts(value: Any) -> Iterable[Any]:
    return value if isinstance(value, (tuple, list)) else (value,)


def _check_number(option: Option, value: Any, whole: bool) -> None:
    kinds = (int,) if whole else (int, float)
    finite = isinstance(value, int) or (isinstance(value, float) and math.isfinite(value))
    if not isinstance(value, kinds) or isinstance(value, bool) or not finite:
        raise ValueError("must be a whole number" if whole else "must be a number")
    if option.minimum is not None and value < option.minimum:
        raise ValueError(f"must be at least {option.minimum}")
    maximum = _LARGEST if option.maximum is None else option.maximum
    if value > maximum:
        raise ValueError(f"must be at most {maximum}")
