"""Ports for programs that cannot choose one themselves."""

from __future__ import annotations

import random
import socket
from contextlib import suppress
from pathlib import Path

_LOWEST = 10_000
_EPHEMERAL = Path("/proc/sys/net/ipv4/ip_local_port_range")


def free_port() -> int:
    """Return a port of 127.0.0.1 that nobody has.

    It is below those that the kernel gives away by itself: until the program listens there, no
    client of another test can get it.
    """
    first = int(_EPHEMERAL.read_text("ascii").split()[0]) if _EPHEMERAL.exists() else 32_768
    while True:
        port = random.randrange(_LOWEST, max(first, 2 * _LOWEST))
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
