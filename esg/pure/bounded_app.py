"""An application that is cancelled when its time is over; only made where something bounds it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import anyio

if TYPE_CHECKING:
    from esg.pure.request_task import RequestTask
    from esg.pure.server import PureServer


class BoundedApp:
    """Run the application for one request, under the sweep's eyes.

    Args:
        server: whose sweep looks at it.
        request: whose application it is.
    """

    def __init__(self, server: PureServer, request: RequestTask) -> None:
        self._server = server
        self._request = request
        self._running = server.service.running_time(time.monotonic())
        self._cancel_scope = anyio.CancelScope()
        self._why: Exception | None = None
        self._given_up = False

    async def run(self, *call: Any) -> object:
        """Call the application.

        Raises:
            AppOverdue, ClientDisconnected: it was cancelled, and nobody has answered for it.
        """
        self._server.bounded_apps.add(self)
        try:
            with self._cancel_scope:
                return await self._server.service.app(*call)
        finally:
            self._server.bounded_apps.discard(self)
        if self._given_up:
            return None
        raise self._why or RuntimeError("cancelled by nobody")

    def sweep(self, now: float) -> None:
        """Cancel the application if its time is over; answer for one that goes on."""
        why = self._request.cancellation(self._running, now)
        if why is None:
            return
        if self._why is None:
            self._why = why
            self._cancel_scope.cancel()
        elif not self._given_up:
            self._given_up = True
            self._request.give_up(self._why)
