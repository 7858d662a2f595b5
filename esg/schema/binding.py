"""Settings: where the server listens."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

from esg.bind_address import parse_bind
from esg.options import setting

_HEADING = "Binding"
_LARGEST_INT: Final = 2**31 - 1  # of C, which the kernel takes


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


@dataclass(frozen=True, kw_only=True, init=False, repr=False, eq=False)
class BindingSettings:
    """Where the server listens."""

    host: str = setting("127.0.0.1", "Address or host name to bind.", _HEADING)
    port: int = setting(
        8000, "Port to bind; 0 takes a free one and prints it.", _HEADING, minimum=0, maximum=65535
    )
    uds: str | None = setting(None, "Bind a UNIX socket at this path.", _HEADING, metavar="PATH")
    fd: int | None = setting(
        None,
        "Serve the listening socket of this file descriptor.",
        _HEADING,
        minimum=0,
        maximum=_LARGEST_INT,
    )
    bind: tuple[str, ...] = setting(
        (),
        "Listen here instead: HOST:PORT, unix:PATH, fd://N or systemd; repeatable.",
        _HEADING,
        metavar="ADDRESS",
        repeatable=True,
        parse=_binds,
    )
    uds_permissions: int | None = setting(
        None,
        "Permissions of UNIX sockets; else those that the umask leaves.",
        _HEADING,
        metavar="OCTAL",
        parse=_permissions,
    )
    reuse_port: bool = setting(
        False, "Let other processes listen on the same port (SO_REUSEPORT).", _HEADING
    )
    backlog: int = setting(
        2048,
        "Connections the kernel keeps waiting.",
        _HEADING,
        minimum=1,
        maximum=_LARGEST_INT,
    )
