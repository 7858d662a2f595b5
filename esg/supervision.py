"""What a server is given that is one of several, and where it reports."""

from __future__ import annotations

import socket
from collections.abc import Callable
from dataclasses import dataclass

from esg.load_sharing import LoadShare


@dataclass(frozen=True, slots=True)
class Supervision:
    """Hold what others keep for a server: its listeners, and its part of the load.

    Args:
        listeners: bound and non-blocking; others serve them, too.
        share: this server's part.
        serving: called once it serves, with what it runs on and why that was chosen.
        enough: called where another process should take this one's place; told why.
        leaving: called where this one goes at once, because somebody has told it to.
    """

    listeners: list[socket.socket]
    share: LoadShare
    serving: Callable[[str, str], None]
    enough: Callable[[str], None]
    leaving: Callable[[], None]
