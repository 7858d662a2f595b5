"""The command line, generated from the schema of `config`: argv in, exit code out."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import fields
from pathlib import Path
from typing import Any, Final

import click

from esg._version import __version__
from esg.config import Config
from esg.errors import ConfigError, ESGError
from esg.logs import logger
from esg.options import SWITCHES, Option, flag_name, option_of
from esg.program import configure_logging, leave, occupy_standard_streams, tell
from esg.settings import Settings, as_toml, collect
from esg.supervisor import run
from esg.uvicorn_options import HEADING, OPTIONS, translate

_EPILOG = (
    "APP is an ASGI or WSGI application: MODULE:ATTRIBUTE, such as example:app. A setting that is "
    "not given here is looked for in the environment (--root-path is ESG_ROOT_PATH, APP is ESG_APP), "
    "then in the file."
)

_INTERRUPTED: Final = 128 + signal.SIGINT  # as shells say it
_NUMBER = re.compile(r"-?[0-9]*\.?[0-9]+")


@contextmanager
def _shown() -> Iterator[None]:
    """Let standard output that takes nothing, such as a file on a full disk, be one line."""
    try:
        yield
    except OSError as error:
        if isinstance(error, BrokenPipeError):
            raise  # click ends quietly: a reader has seen enough
        raise click.ClickException(f"cannot write: {error.strerror}") from None


class _GroupedCommand(click.Command):
    """List the options under the headings of the schema."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Take the values that some options may have, and need not."""
        with _shown():  # --help and --version
            return super().parse_args(ctx, _with_bare_values(_without_booleans(args)))

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


def _without_booleans(args: Sequence[str]) -> list[str]:
    """Write `--name true` and `--name=true` as `--name`, and with false as `--no-name`."""
    options = [(f, option_of(f)) for f in fields(Config)]
    names = {flag_name(f.name) for f, option in options if option and option.takes_boolean}
    left = list(args)
    plain: list[str] = []
    while left:
        argument = left.pop(0)
        name, _, value = argument.partition("=")
        if name in names:
            if not value and left and left[0].lower() in SWITCHES:
                value = left.pop(0)
            if value.lower() in SWITCHES:
                argument = name if SWITCHES[value.lower()] else f"--no-{name[2:]}"
        plain.append(argument)
    return plain


def _with_bare_values(args: Sequence[str]) -> list[str]:
    """Write out what an option alone stands for: what follows it is its value only if a number."""
    bare = {flag_name(f.name): o.bare for f in fields(Config) if (o := option_of(f)) and o.bare}
    left = list(args)
    written: list[str] = []
    while left:
        argument = left.pop(0)
        if argument in bare and not (left and _NUMBER.fullmatch(left[0])):
            argument = f"{argument}={bare[argument]}"
        written.append(argument)
    return written


class _SchemaOption(click.Option):
    """A click option that knows its heading."""

    heading = "General"


def _click_option(schema_field: Any, option: Option) -> _SchemaOption:
    """Make the option of a setting. It takes any text: the schema says what is allowed."""
    name = flag_name(schema_field.name)
    details: dict[str, Any] = {"help": _help(schema_field, option), "default": None}
    kind = str(schema_field.type)
    if kind.startswith("bool"):
        positive = schema_field.default is False
        names = [name] if positive else [f"{name}/--no-{name[2:]}"]
        details |= {"is_flag": True}
    else:
        names = [name]
        details |= {"multiple": option.repeatable, "shell_complete": _completion(option)}
        details["metavar"] = option.metavar or _metavar(kind, option)
        if option.bare is not None:
            details["metavar"] = f"[={details['metavar']}]"
    made = _SchemaOption([*names, schema_field.name], **details)
    made.heading = option.group
    return made


def _own_option(
    name: str,
    metavar: str | None,
    text: str,
    heading: str = "Configuration",
    hidden: bool = False,
) -> _SchemaOption:
    """Make an option that is no setting: a switch, unless it has a metavar."""
    details: dict[str, Any] = {"is_flag": True} if metavar is None else {"metavar": metavar}
    made = _SchemaOption([flag_name(name), name], help=text, default=None, hidden=hidden, **details)
    made.heading = heading
    return made


def _completion(option: Option) -> Any:
    def complete(_ctx: click.Context, _param: click.Parameter, begun: str) -> list[str]:
        return [choice for choice in option.choices if choice.startswith(begun)]

    return complete


def _metavar(kind: str, option: Option) -> str:
    if option.choices:
        return f"[{'|'.join(option.choices)}]"
    if kind.startswith("int"):
        return "N"
    return "SECONDS" if kind.startswith("float") else "TEXT"


def _help(schema_field: Any, option: Option) -> str:
    default = schema_field.default
    if default is None or default == () or isinstance(default, bool) or default == "":
        return option.help
    shown = f"{default:g}" if isinstance(default, float) else default
    shown = " ".join(default) if isinstance(default, tuple) else shown
    return f"{option.help} [default: {shown}]"


def _show_version(ctx: click.Context, _parameter: click.Parameter, wanted: bool) -> None:
    if not wanted or ctx.resilient_parsing:
        return
    from esg.implementation import resolve  # noqa: PLC0415 - brings a loop along

    chosen = resolve("auto", "auto")
    runs = f"{chosen.describe()}, {chosen.parser()}"
    click.echo(f"ESG {__version__} ({runs}; {chosen.name}: {chosen.reason})")
    ctx.exit()


def _serve(app: str | None, **given: Any) -> int:
    arguments = {name: value for name, value in given.items() if value not in (None, ())}
    if app is not None:
        arguments["app"] = app
    check, show = arguments.pop("check_config", False), arguments.pop("print_config", False)
    file = arguments.pop("config", None) or os.environ.get("ESG_CONFIG")
    try:
        notices = translate(arguments)
        path = Path(file) if file else None
        settings = collect(arguments, os.environ, path)
        if show:
            with _shown():
                click.echo("\n".join(as_toml(settings)))
        if check or show:
            return _check(settings, thoroughly=check)
        config = settings.config()
    except ConfigError as error:
        raise click.UsageError(str(error)) from None
    return _run(config, notices, lambda: collect(arguments, os.environ, path).config())


def _run(config: Config, notices: list[str], reread: Callable[[], Config]) -> int:
    try:
        configure_logging(config)
        for notice in notices:
            logger.info(notice)
        return run(config, reread)
    except ConfigError as error:
        raise click.UsageError(str(error)) from None
    except ESGError as error:
        for line in error.lines():
            tell(f"esg: {line}")
        return 3


def _check(settings: Settings, thoroughly: bool) -> int:
    """Tell everything that is wrong; thoroughly: with what takes loading the application."""
    errors = settings.all_errors()
    if thoroughly:
        from esg.server import startup_errors  # noqa: PLC0415 - brings a loop along

        with suppress(ConfigError):  # among the errors already
            errors = [*errors, *startup_errors(settings.sound())]
    for error in errors:
        tell(f"esg: {error}")
    if thoroughly and not errors:
        tell("esg: the configuration is good")
    return 3 if errors else 0


def _command() -> click.Command:
    schema = [(f, option_of(f)) for f in fields(Config)]
    parameters: list[click.Parameter] = [
        click.Argument(["app"], metavar="APP", required=False),
        _own_option("config", "PATH", "TOML file of settings; else [tool.esg] of pyproject.toml."),
        _own_option("check_config", None, "Check everything, the application's import included."),
        _own_option("print_config", None, "Show every setting, and where it comes from."),
    ]
    parameters += [_click_option(f, option) for f, option in schema if option is not None]
    parameters += [_own_option(n, m, h, heading=HEADING) for n, m, h in OPTIONS]
    parameters.append(_own_option("http2", None, "", hidden=True))
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
        help="Serve an ASGI or WSGI application over HTTP.",
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 80},
    )


def main(args: Sequence[str] | None = None, prog_name: str | None = None) -> None:
    """Run the command `esg`; bad usage is one line and exit code 2."""
    occupy_standard_streams()
    name = prog_name or "esg"
    try:
        code = _command().main(args=args, prog_name=name, standalone_mode=False)
    except click.ClickException as error:
        *others, last = error.format_message().splitlines()
        for line in others:
            tell(f"{name}: {line}")
        hint = f" (see {name} --help)" if isinstance(error, click.UsageError) else ""
        tell(f"{name}: {last}{hint}")
        code = error.exit_code
    except click.Abort:  # Ctrl-C before there is a server, or without one
        code = _INTERRUPTED
    leave(code)
