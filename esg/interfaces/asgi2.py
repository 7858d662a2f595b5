"""ASGI 2 seen as ASGI 3: a callable of the scope that returns a callable of receive and send.

Source: ASGI specification, "Legacy Applications".
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from esg.asgi import ASGIApp, Receive, Scope, Send


def as_asgi3(app: Callable[..., Any]) -> ASGIApp:
    """Return the ASGI 3 application that calls both halves of an ASGI 2 application."""

    async def asgi3(scope: Scope, receive: Receive, send: Send) -> object:
        scope["asgi"] = {**scope["asgi"], "version": "2.0"}
        instance = app(scope)
        return await instance(receive, send)

    return asgi3
