"""What the guard's server serves: hello, echoes, and a mark in callgrind's counts.

The marks are set by the server itself, within a request: so they lie at the same place in the
program's course in every run. `$ESG_GUARD_MARKS` is the library that sets them.
"""

from __future__ import annotations

import ctypes
import os

import apps
from apps import Receive, Scope, Send

_marks = ctypes.CDLL(os.environ["ESG_GUARD_MARKS"])


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer by method and path."""
    if scope["type"] == "websocket":
        await apps.websocket_echo(scope, receive, send)
    elif scope["type"] == "http" and scope["path"] == "/begin":
        _marks.begin()
        await apps.hello(scope, receive, send)
    elif scope["type"] == "http" and scope["path"] == "/mark":
        _marks.mark()
        await apps.hello(scope, receive, send)
    elif scope["type"] == "http" and scope["method"] == "POST":
        await apps.echo(scope, receive, send)
    else:
        await apps.hello(scope, receive, send)
