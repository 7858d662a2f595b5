"""sse-starlette's streams end when ESG is told to stop, as they do on uvicorn.

sse-starlette finds out from uvicorn's signal handler. Any other server it has to be told of.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from sse_starlette.sse import AppStatus
from starlette.types import ASGIApp, Receive, Scope, Send

from tests.ecosystem.sites import events_site


class EndStreamsAtStop:
    """Middleware that passes the server's stop on to sse-starlette."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._watching: asyncio.Task[None] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the application; with its first request, begin to wait for the stop."""
        stop = scope.get("extensions", {}).get("esg.shutdown")
        if stop and scope["type"] == "http" and self._watching is None:
            self._watching = asyncio.create_task(self._end_streams(stop["wait"]))
        await self._app(scope, receive, send)

    async def _end_streams(self, stops: Callable[[], Awaitable[None]]) -> None:
        await stops()
        AppStatus.should_exit = True


app = EndStreamsAtStop(events_site.app)
