"""Where settings come from: command line, environment, file, defaults, in this order.

Only the command `esg` looks at them all; `esg.run` and `Config` take what they are given.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import Field, dataclass, field, fields
from pathlib import Path
from typing import Any, Final

from esg.config import Config
from esg.errors import ConfigError
from esg.options import check, flag_name, from_text, option_of, variable_name

DEFAULT: Final = "default"
PROJECT_FILE: Final = "pyproject.toml"
_PROJECT_TABLE: Final = ("tool", "esg")
# The application, and whatever can be written as text.
_SCHEMA: Final[dict[str, Field[Any]]] = {
    f.name: f for f in fields(Config) if f.name == "app" or option_of(f)
}


@dataclass(frozen=True, slots=True)
class Found:
    """Hold a value and tell where it was found.

    Args:
        value: in its final form, unless it is wrong.
        origin: a flag, "$VARIABLE", a file's name, or "default".
    """

    value: Any
    origin: str


@dataclass(slots=True)
class Settings:
    """Hold what all sources together say.

    Attributes:
        found: every setting of the schema, `app` included.
        errors: what is wrong with them, a line each.
        wrong: the names of those whose value is wrong by itself.
    """

    found: dict[str, Found]
    errors: list[str] = field(default_factory=list)
    wrong: set[str] = field(default_factory=set)

    def given(self) -> dict[str, Any]:
        """Return what was not left to its default, as the arguments of `Config`."""
        return {n: f.value for n, f in self.found.items() if f.origin != DEFAULT}

    def config(self) -> Config:
        """Make the configuration.

        Raises:
            ConfigError: a value is wrong, or contradicts another.
        """
        if self.errors:
            raise ConfigError("\n".join(self.errors))
        return self.sound()

    def sound(self) -> Config:
        """Make a configuration of the values that are right by themselves.

        Raises:
            ConfigError: they contradict each other, or there is no application.
        """
        if self.found["app"].value is None:
            raise ConfigError("missing APP: name an application, such as example:app")
        return Config(**{n: value for n, value in self.given().items() if n not in self.wrong})

    def all_errors(self) -> list[str]:
        """Return what is wrong, with what only shows once the values stand together."""
        try:
            self.sound()
        except ConfigError as error:
            return [*self.errors, *str(error).splitlines()]
        return self.errors


def collect(
    arguments: Mapping[str, Any], environment: Mapping[str, str], file: Path | None
) -> Settings:
    """Find the value of every setting.

    Args:
        arguments: what the command line says, by the settings' names.
        environment: its ESG_* variables count; an empty one is as good as none.
        file: a TOML file of settings; None for [tool.esg] of pyproject.toml in the current
            directory, if it is there.

    Raises:
        ConfigError: the file cannot be read, or is no TOML.
    """
    settings = Settings({name: Found(_default(f), DEFAULT) for name, f in _SCHEMA.items()})
    _take_fallbacks(settings, environment)
    _take_file(settings, file)
    for name in _SCHEMA:
        text = environment.get(variable_name(name), "")
        if text:
            _take(settings, name, from_text(_SCHEMA[name], text), "$" + variable_name(name))
    for name, value in arguments.items():
        read = from_text(_SCHEMA[name], value) if isinstance(value, str) else value
        _take(settings, name, read, "APP" if name == "app" else flag_name(name))
    return settings


def as_toml(settings: Settings) -> Iterable[str]:
    """Yield the settings as lines of TOML that say where each value came from."""
    width = max(len(name) for name in settings.found)
    for name, found in settings.found.items():
        if found.value is None:
            yield f"# {name:{width - 2}} is not set"
        elif (option := option_of(_SCHEMA[name])) and option.secret:
            yield f"# {name:{width - 2}} is set, and not shown  # {found.origin}"
        else:
            yield _line(name, width, found)


def _line(name: str, width: int, found: Found) -> str:
    try:
        return f"{name:{width}} = {_toml(found.value)}  # {found.origin}"
    except UnicodeEncodeError:  # a file's name, say; TOML has UTF-8 alone
        return f"# {name:{width - 2}} is no UTF-8: {found.value!a}  # {found.origin}"


def _default(schema_field: Field[Any]) -> Any:
    return None if schema_field.name == "app" else schema_field.default


def _take(settings: Settings, name: str, value: Any, origin: str) -> None:
    schema_field = _SCHEMA[name]
    if value is None:
        return
    try:
        value = check(schema_field, value, origin)
    except ConfigError as error:
        settings.errors.append(str(error))
        settings.wrong.add(name)
    else:
        settings.wrong.discard(name)
    settings.found[name] = Found(value, origin)


def _take_fallbacks(settings: Settings, environment: Mapping[str, str]) -> None:
    for name, schema_field in _SCHEMA.items():
        option = option_of(schema_field)
        variable = option.fallback if option else None
        if variable and (text := environment.get(variable, "")):
            _take(settings, name, from_text(schema_field, text), "$" + variable)


def _take_file(settings: Settings, file: Path | None) -> None:
    path = file or Path(PROJECT_FILE)
    if file is None and not path.is_file():
        return
    table = _read_toml(path)
    if path.name == PROJECT_FILE:
        for key in _PROJECT_TABLE:
            table = table.get(key, {})
            if not isinstance(table, dict):
                settings.errors.append(f"{path}: [{'.'.join(_PROJECT_TABLE)}] must be a table")
                return
    for key, value in table.items():
        name = key.replace("-", "_")
        if name in _SCHEMA:
            _take(settings, name, value, str(path))
        else:
            settings.errors.append(f"{path}: {_unknown(key)}")


def _unknown(key: str) -> str:
    import difflib  # noqa: PLC0415 - for those who mistype

    close = difflib.get_close_matches(key.replace("-", "_"), _SCHEMA, 1)
    return f"unknown setting {key!r}" + (f"; did you mean {close[0]!r}?" if close else "")


def _read_toml(path: Path) -> dict[str, Any]:
    import tomllib  # noqa: PLC0415 - costs time at start-up

    try:
        return tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ConfigError(f"{path} is no TOML: {error}") from None


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, (tuple, list)):
        return "[" + ", ".join(_toml(_joined(item)) for item in value) + "]"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_toml(k)} = {_toml(v)}" for k, v in value.items()) + "}"
    return _toml_string(str(value))


def _joined(item: Any) -> Any:
    """Return a header as one string, as the command line takes it."""
    return ": ".join(item) if isinstance(item, tuple) else item


def _toml_string(text: str) -> str:
    text.encode()
    escapes = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r"}
    shown = (escapes.get(c, c if c.isprintable() else f"\\U{ord(c):08x}") for c in text)
    return f'"{"".join(shown)}"'
