"""The configuration: one frozen schema with every default, unit and cross-check.

The command line, validation and reference are generated from it; the settings themselves are in
`esg.schema`, by heading. Defaults are the documented decisions; times are seconds, sizes bytes,
and 0 switches a timeout or limit off.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from esg.asgi import AnyApp
from esg.errors import ConfigError
from esg.options import check, flag_name
from esg.schema.application import ApplicationSettings
from esg.schema.binding import BindingSettings
from esg.schema.http import HTTPSettings
from esg.schema.implementation import ImplementationSettings
from esg.schema.limits import LimitSettings
from esg.schema.logging import LoggingSettings
from esg.schema.processes import ProcessSettings
from esg.schema.proxies import ProxySettings
from esg.schema.timeouts import TimeoutSettings
from esg.schema.tls import TLSSettings
from esg.schema.websocket import WebSocketSettings


def _check_app(app: object) -> None:
    if not isinstance(app, str):
        if not callable(app):
            raise ConfigError(f"app must be an application or 'module:attribute', got {app!r}")
    elif not re.fullmatch(r"[^:]+:[^:]+", app):
        raise ConfigError(f"app must look like 'module:attribute', got {app!r}")


class _SchemaType(type):
    """Make a Config with an unknown setting a ConfigError that names it."""

    if not TYPE_CHECKING:  # a type checker would believe it instead of the fields

        def __call__(cls, *args: Any, **settings: Any) -> Any:
            known = [f.name for f in fields(cls)]
            for name in settings:
                if name not in known:
                    import difflib  # noqa: PLC0415 - for those who mistype

                    close = difflib.get_close_matches(name, known, 1)
                    hint = f"; did you mean {close[0]!r}?" if close else ""
                    raise ConfigError(f"unknown setting {name!r}{hint}")
            return super().__call__(*args, **settings)


# A dataclass lists the fields of its last base first: read from below, this is the order of --help.
@dataclass(frozen=True)
class Config(
    LoggingSettings,
    LimitSettings,
    TimeoutSettings,
    WebSocketSettings,
    HTTPSettings,
    ProcessSettings,
    ImplementationSettings,
    ApplicationSettings,
    ProxySettings,
    TLSSettings,
    BindingSettings,
    metaclass=_SchemaType,
):
    """Hold every setting of one server.

    Args:
        app: an ASGI or WSGI application, or the string "module:attribute" that leads to one.

    Raises:
        ConfigError: a setting is unknown, has a wrong value, or contradicts another.
    """

    app: AnyApp | str

    def __post_init__(self) -> None:
        """Check every value, then what they say together."""
        for schema_field in fields(self):
            value = check(schema_field, getattr(self, schema_field.name))
            object.__setattr__(self, schema_field.name, value)
        _check_app(self.app)
        if self.uds is not None and self.fd is not None:
            raise ConfigError("uds (--uds) and fd (--fd) contradict each other: set one")
        if contradictions := "\n".join(self.tls_contradictions()):
            raise ConfigError(contradictions)
        if self.bind:
            self._check_alone("bind", ("host", "port", "uds", "fd"))
        if self.impl == "fast" and self.loop == "trio":
            raise ConfigError(
                "impl (--impl) fast and loop (--loop) trio contradict each other: "
                "trio needs --impl pure"
            )
        self._check_processes()

    def _check_processes(self) -> None:
        if self.reload and self.workers > 1:
            raise ConfigError(
                "reload (--reload) and workers (--workers) contradict each other: "
                "what reloads is one process"
            )
        if self.supervised and not isinstance(self.app, str):
            raise ConfigError(
                "app must look like 'module:attribute' for workers, reload, worker_max_age and "
                "worker_max_rss: other processes load it"
            )

    def _check_alone(self, name: str, others: tuple[str, ...]) -> None:
        """See that settings which another one replaces have their defaults."""
        for schema_field in fields(self):
            other = schema_field.name
            if other in others and getattr(self, other) != schema_field.default:
                raise ConfigError(
                    f"{name} ({flag_name(name)}) and {other} ({flag_name(other)}) contradict each "
                    "other: set one"
                )
