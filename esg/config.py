"""The configuration: one frozen schema with every default, unit and cross-check.

The command line, validation and reference are generated from it. Defaults are the documented
decisions; times are seconds, sizes bytes, and 0 switches a timeout or limit off.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, fields
from typing import Any, Literal

from esg.access_format import compile_format
from esg.asgi import ASGIApp
from esg.bind_address import parse_bind
from esg.errors import ConfigError, MessageError
from esg.options import check, flag_name, setting
from esg.rules.response_head import checked_field

LogLevel = Literal["critical", "error", "warning", "info", "debug", "trace"]

_BINDING = "Binding"
_APPLICATION = "Application"
_IMPLEMENTATION = "Implementation"
_HTTP = "HTTP"
_WEBSOCKET = "WebSocket (seconds: 0 or none for no such bound)"
_TIMEOUTS = "Timeouts (seconds, 0 for none)"
_LIMITS = "Limits (0 for none)"
_LOGGING = "Logging"


# The server writes these itself, for each response.
_FRAMING_HEADERS = frozenset(
    ("connection", "content-length", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade")
)


def _root_path(value: Any) -> str:
    if not isinstance(value, str) or (value.strip("/") and not value.startswith("/")):
        raise ValueError("must be empty or begin with /")
    return value.rstrip("/")


def _header(value: Any) -> tuple[str, str]:
    """Take "Name: value", or a pair, as one default header."""
    if isinstance(value, str) and ":" in value:
        name, _, text = value.partition(":")
    elif (
        isinstance(value, (tuple, list))
        and len(value) == 2
        and all(isinstance(v, str) for v in value)
    ):
        name, text = value
    else:
        raise ValueError("must look like NAME:VALUE")
    try:
        checked_field(name.strip().encode("latin-1"), text.strip().encode("latin-1"))
    except (MessageError, UnicodeEncodeError) as error:
        raise ValueError(f"must be a lawful header ({error})") from None
    if name.strip().lower() in _FRAMING_HEADERS:
        raise ValueError("must not be a header that frames a message or steers its connection")
    return name.strip(), text.strip()


def _headers(value: Any) -> tuple[tuple[str, str], ...]:
    if isinstance(value, str) or not hasattr(value, "__iter__"):
        raise ValueError("must be a list of NAME:VALUE")
    items = value.items() if isinstance(value, Mapping) else value
    return tuple(_header(item) for item in items)


def _access_log_format(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("must be a string")
    compile_format(value)
    return value


def _patterns(value: Any) -> tuple[str, ...]:
    if isinstance(value, str) or not hasattr(value, "__iter__"):
        raise ValueError("must be a list of patterns")
    patterns = tuple(value)
    if not all(isinstance(pattern, str) and pattern for pattern in patterns):
        raise ValueError("must be patterns such as /health or /static/*")
    return patterns


def _log_config(value: Any) -> str | Mapping[str, Any]:
    if not isinstance(value, (str, Mapping)) or not value:
        raise ValueError("must be a file's path, or a dictionary")
    return value


_CODECS = ("auto", "none", "wsproto", "websockets")


def _websocket_codec(value: Any) -> str:
    # The name that others have for the part of that library which we use.
    name = "websockets" if value == "websockets-sansio" else value
    if name not in _CODECS:
        raise ValueError(f"must be one of {', '.join(_CODECS)}")
    return str(name)


def _seconds(value: Any) -> float:
    """Take a number of seconds from 0 on, or "none" for 0."""
    if value is None or value == "none":
        return 0.0
    try:
        seconds = float(value)
    except (TypeError, ValueError):
        seconds = -1.0
    if isinstance(value, bool) or not 0 <= seconds < float("inf"):
        raise ValueError("must be a number of at least 0, or none")
    return seconds


def _binds(value: Any) -> tuple[str, ...]:
    if isinstance(value, str) or not hasattr(value, "__iter__"):
        raise ValueError("must be a list of addresses")
    binds = tuple(value)
    for bind in binds:
        if not isinstance(bind, str):
            raise ValueError("must be a list of strings")
        parse_bind(bind)
    return binds


def _permissions(value: Any) -> int:
    """Take permissions as chmod does: octal digits, or the number itself."""
    if isinstance(value, str) and re.fullmatch("[0-7]{3,4}", value):
        return int(value, 8)
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 0o7777:
        return value
    raise ValueError("must be octal digits such as 660")


def _check_app(app: object) -> None:
    if not isinstance(app, str):
        if not callable(app):
            raise ConfigError(f"app must be an application or 'module:attribute', got {app!r}")
    elif not re.fullmatch(r"[^:]+:[^:]+", app):
        raise ConfigError(f"app must look like 'module:attribute', got {app!r}")


class _SchemaType(type):
    """Make a Config with an unknown setting a ConfigError that names it."""

    def __call__(cls, *args: Any, **settings: Any) -> Any:
        known = [f.name for f in fields(cls)]  # type: ignore[arg-type]
        for name in settings:
            if name not in known:
                close = difflib.get_close_matches(name, known, 1)
                hint = f"; did you mean {close[0]!r}?" if close else ""
                raise ConfigError(f"unknown setting {name!r}{hint}")
        return super().__call__(*args, **settings)


@dataclass(frozen=True)
class Config(metaclass=_SchemaType):
    """Hold every setting of one server.

    Args:
        app: an ASGI application, or the string "module:attribute" that leads to one.

    Raises:
        ConfigError: a setting is unknown, has a wrong value, or contradicts another.
    """

    app: ASGIApp | str
    _: KW_ONLY

    host: str = setting("127.0.0.1", "Address or host name to bind.", _BINDING)
    port: int = setting(
        8000, "Port to bind; 0 takes a free one and prints it.", _BINDING, minimum=0, maximum=65535
    )
    uds: str | None = setting(None, "Bind a UNIX socket at this path.", _BINDING, metavar="PATH")
    fd: int | None = setting(
        None, "Serve the listening socket of this file descriptor.", _BINDING, minimum=0
    )
    bind: tuple[str, ...] = setting(
        (),
        "Listen here instead: HOST:PORT, unix:PATH, fd://N or systemd; repeatable.",
        _BINDING,
        metavar="ADDRESS",
        repeatable=True,
        parse=_binds,
    )
    uds_permissions: int | None = setting(
        None,
        "Permissions of UNIX sockets; else those that the umask leaves.",
        _BINDING,
        metavar="OCTAL",
        parse=_permissions,
    )
    reuse_port: bool = setting(
        False, "Let other processes listen on the same port (SO_REUSEPORT).", _BINDING
    )
    backlog: int = setting(2048, "Connections the kernel keeps waiting.", _BINDING, minimum=1)

    factory: bool = setting(False, "APP is a function that returns the application.", _APPLICATION)
    app_dir: str = setting(
        ".", "Directory that is searched for APP first.", _APPLICATION, metavar="PATH"
    )
    root_path: str = setting(
        "", "Path that APP is mounted at.", _APPLICATION, metavar="PATH", parse=_root_path
    )
    env_file: str | None = setting(
        None,
        "File of environment variables to set before APP is loaded.",
        _APPLICATION,
        metavar="PATH",
    )
    lifespan: Literal["auto", "on", "off"] = setting(
        "auto", "Run the application's lifespan.", _APPLICATION, choices=("auto", "on", "off")
    )

    impl: Literal["auto", "pure", "fast"] = setting(
        "auto", "Implementation to serve with.", _IMPLEMENTATION, choices=("auto", "pure", "fast")
    )
    loop: Literal["auto", "asyncio", "uvloop", "trio"] = setting(
        "auto",
        "Event loop to run on.",
        _IMPLEMENTATION,
        choices=("auto", "asyncio", "uvloop", "trio"),
    )

    server_header: bool = setting(True, "Send the Server header.", _HTTP)
    date_header: bool = setting(True, "Send the Date header.", _HTTP)
    header: tuple[tuple[str, str], ...] = setting(
        (),
        "Header for every response that does not set it itself; repeatable.",
        _HTTP,
        metavar="NAME:VALUE",
        repeatable=True,
        parse=_headers,
    )

    ws: str = setting(
        "auto",
        "Codec of WebSocket frames: auto (the implementation's own), wsproto or websockets; "
        "none serves no WebSocket.",
        _WEBSOCKET,
        choices=_CODECS,
        parse=_websocket_codec,
    )
    ws_max_size: int = setting(
        16777216,
        "Size of a message, inflated; above it close code 1009.",
        _WEBSOCKET,
        minimum=1,
        metavar="BYTES",
    )
    ws_max_queue: int = setting(
        32,
        "Messages that wait for APP; beyond them, or 64 KiB, the client waits.",
        _WEBSOCKET,
        minimum=1,
    )
    ws_per_message_deflate: bool = setting(
        True, "Compress messages where the client can.", _WEBSOCKET, takes_boolean=True
    )
    ws_ping_interval: float = setting(
        20.0, "Between the pings that ask whether a client is there.", _WEBSOCKET, parse=_seconds
    )
    ws_ping_timeout: float = setting(
        20.0, "For anything from the client after a ping.", _WEBSOCKET, parse=_seconds
    )
    ws_accept_timeout: float = setting(
        10.0, "For APP to accept a WebSocket or refuse it.", _WEBSOCKET, parse=_seconds
    )
    ws_close_timeout: float = setting(
        10.0, "For the client's answer to a close frame.", _WEBSOCKET, parse=_seconds
    )

    timeout_keep_alive: float = setting(5.0, "Between two requests.", _TIMEOUTS, minimum=0)
    timeout_headers: float = setting(10.0, "For a whole request head.", _TIMEOUTS, minimum=0)
    timeout_body: float = setting(
        60.0, "For the next bytes of content that APP waits for.", _TIMEOUTS, minimum=0
    )
    timeout_write: float = setting(
        60.0, "For a client that does not read its response.", _TIMEOUTS, minimum=0
    )
    timeout_graceful_shutdown: float = setting(
        10.0, "For requests in flight when the server stops.", _TIMEOUTS, minimum=0
    )
    timeout_lifespan: float = setting(
        30.0, "For the application's lifespan shutdown.", _TIMEOUTS, minimum=0
    )

    timeout_request: float = setting(
        0.0,
        "For APP to complete a response; above it 503, and APP is cancelled.",
        _TIMEOUTS,
        minimum=0,
    )
    cancel_on_disconnect: float | None = setting(
        None,
        "Cancel APP this long after its client has left; alone, 3 seconds. [default: never]",
        _TIMEOUTS,
        metavar="SECONDS",
        minimum=0,
        bare=3.0,
    )

    limit_concurrency: int = setting(
        0, "Requests and WebSockets in flight; above it 503.", _LIMITS, minimum=0, metavar="N"
    )
    limit_connections: int = setting(
        0,
        "Connections that are open; more of them wait to be accepted.",
        _LIMITS,
        minimum=0,
        metavar="N",
    )
    limit_max_requests: int = setting(
        0, "Requests after which the server stops.", _LIMITS, minimum=0, metavar="N"
    )
    limit_head_size: int = setting(
        65536, "Size of a request head; above it 431.", _LIMITS, minimum=256, metavar="BYTES"
    )
    limit_fields: int = setting(
        100, "Header fields of a request; above it 431.", _LIMITS, minimum=1, metavar="N"
    )
    limit_target_size: int = setting(
        8192, "Size of a request target; above it 414.", _LIMITS, minimum=1, metavar="BYTES"
    )
    limit_body_size: int = setting(
        0, "Size of a request body; above it 413.", _LIMITS, minimum=0, metavar="BYTES"
    )

    log_level: LogLevel | None = setting(
        None,
        "Least severe messages to log; trace shows every ASGI message. [default: info]",
        _LOGGING,
        choices=("critical", "error", "warning", "info", "debug", "trace"),
    )
    log_config: str | Mapping[str, Any] | None = setting(
        None,
        "Logging configuration: a .json, .yaml, .toml or .ini file.",
        _LOGGING,
        metavar="PATH",
        parse=_log_config,
    )
    access_log: bool = setting(True, "Log a line for every response.", _LOGGING)
    access_log_format: str = setting(
        "default",
        "Line of the access log: default, common, combined, json, or atoms such as %(r)s.",
        _LOGGING,
        metavar="FORMAT",
        parse=_access_log_format,
    )
    access_log_exclude: tuple[str, ...] = setting(
        (),
        "Paths that are not logged, such as /health or /static/*; repeatable.",
        _LOGGING,
        metavar="PATTERN",
        repeatable=True,
        parse=_patterns,
    )
    use_colors: bool | None = setting(
        None, "Colour the log; by default on a terminal, unless NO_COLOR is set.", _LOGGING
    )

    def __post_init__(self) -> None:
        """Check every value, then what they say together."""
        for schema_field in fields(self):
            value = check(schema_field, getattr(self, schema_field.name))
            object.__setattr__(self, schema_field.name, value)
        _check_app(self.app)
        if self.uds is not None and self.fd is not None:
            raise ConfigError("uds (--uds) and fd (--fd) contradict each other: set one")
        if self.bind:
            self._check_alone("bind", ("host", "port", "uds", "fd"))
        if self.impl == "fast" and self.loop == "trio":
            raise ConfigError(
                "impl (--impl) fast and loop (--loop) trio contradict each other: "
                "trio needs --impl pure"
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
