"""The command line, generated from the schema of `config`: argv in, exit code out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

import click

from esg import run
from esg._version import __version__
from esg.config import Config
from esg.errors import ConfigError, ESGError
from esg.implementation import resolve
from esg.options import Option, flag_name, option_of
from esg.process import leave, occupy_standard_streams

_EPILOG = "APP is an ASGI application: MODULE:ATTRIBUTE, such as example:app."


class _GroupedCommand(click.Command):
    """List the options under the headings of the schema."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        groups: dict[str, list[tuple[str, str]]] = {}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record is not None:
                heading = getattr(parameter, "heading", "General")
                groups.setdefault(heading, []).append(record)
        for heading, records in groups.items():
            with formatter.section(heading):
                formatter.write_dl(records)
        formatter.write_paragraph()
        formatter.write_text(_EPILOG)


class _SchemaOption(click.Option):
    """A click option that knows its heading."""

    heading = "General"


def _click_option(schema_field: Any, option: Option) -> _SchemaOption:
    name = flag_name(schema_field.name)
    details: dict[str, Any] = {"help": _help(schema_field, option), "default": None}
    kind = str(schema_field.type)
    if kind.startswith("bool"):
        positive = schema_field.default is False
        names = [name] if positive else [f"{name}/--no-{name[2:]}"]
        details |= {"is_flag": True}
    else:
        names = [name]
        details |= {"multiple": option.repeatable, "type": _click_type(kind, option)}
        if not option.choices:
            details["metavar"] = option.metavar or _metavar(kind)
    made = _SchemaOption([*names, schema_field.name], **details)
    made.heading = option.group
    return made


def _click_type(kind: str, option: Option) -> Any:
    if option.choices:
        return click.Choice(option.choices, case_sensitive=False)
    if kind.startswith("int"):
        return int
    return float if kind.startswith("float") else str


def _metavar(kind: str) -> str:
    if kind.startswith("int"):
        return "N"
    return "SECONDS" if kind.startswith("float") else "TEXT"


def _help(schema_field: Any, option: Option) -> str:
    default = schema_field.default
    if default is None or default == () or isinstance(default, bool) or default == "":
        return option.help
    shown = f"{default:g}" if isinstance(default, float) else default
    return f"{option.help} [default: {shown}]"


def _show_version(ctx: click.Context, _parameter: click.Parameter, wanted: bool) -> None:
    if not wanted or ctx.resilient_parsing:
        return
    chosen = resolve("auto", "auto")
    runs = f"{chosen.describe()}, {chosen.parser()}"
    click.echo(f"ESG {__version__} ({runs}; {chosen.name}: {chosen.reason})")
    ctx.exit()


def _serve(app: str, **settings: Any) -> int:
    given = {name: value for name, value in settings.items() if value not in (None, ())}
    try:
        return run(app, **given)
    except ConfigError as error:
        raise click.UsageError(str(error)) from None
    except ESGError as error:
        click.echo(f"esg: {error}", err=True)
        return 3


def _command() -> click.Command:
    schema = [(f, option_of(f)) for f in fields(Config)]
    parameters: list[click.Parameter] = [click.Argument(["app"], metavar="APP")]
    parameters += [_click_option(f, option) for f, option in schema if option is not None]
    parameters.append(
        click.Option(
            ["--version"],
            is_flag=True,
            expose_value=False,
            is_eager=True,
            callback=_show_version,
            help="Show version, implementation and why, loop, Python, parser; then exit.",
        )
    )
    return _GroupedCommand(
        "esg",
        params=parameters,
        callback=_serve,
        help="Serve an ASGI application over HTTP.",
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 80},
    )


def main(args: Sequence[str] | None = None, prog_name: str | None = None) -> None:
    """Run the command `esg`; bad usage is one line and exit code 2."""
    occupy_standard_streams()
    name = prog_name or "esg"
    try:
        code = _command().main(args=args, prog_name=name, standalone_mode=False)
    except click.ClickException as error:
        click.echo(f"{name}: {error.format_message()} (see {name} --help)", err=True)
        code = 2
    leave(code)
