"""One place to listen, as `--bind` names it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

_TCP: Final = re.compile(r"(\[[0-9A-Fa-f:.%a-z]+\]|[^:\[\]/@\s]*):([0-9]{1,5})")
_SCHEMES: Final = ("fd", "unix", "http", "https")  # hosts only by mistake
_FORMS: Final = "HOST:PORT, [IPV6]:PORT, :PORT, unix:PATH, fd://N, systemd or systemd:NAME"


@dataclass(frozen=True, slots=True)
class BindAddress:
    """Say where to listen; exactly one of these is set.

    Args:
        host: a name or address, "" for every address; with `port`.
        port: 0 for a free one.
        path: of a UNIX socket.
        fd: an inherited descriptor.
        systemd: the name of sockets that systemd has opened, "" for all of them.
    """

    host: str | None = None
    port: int = 0
    path: str | None = None
    fd: int | None = None
    systemd: str | None = None


def parse_bind(text: str) -> BindAddress:
    """Read one value of `--bind`.

    Raises:
        ValueError: with what is allowed.
    """
    scheme, _, rest = text.partition(":")
    if scheme == "unix" and rest:
        return BindAddress(path=rest)
    if scheme == "systemd":
        return BindAddress(systemd=rest)
    if text.startswith("fd://") and text[5:].isascii() and text[5:].isdigit():
        return BindAddress(fd=int(text[5:]))
    match = _TCP.fullmatch(text)
    if match is None or match[1] in _SCHEMES or int(match[2]) > 65535:
        raise ValueError(f"must be {_FORMS}")
    return BindAddress(host=match[1], port=int(match[2]))
