"""An application that is cancelled when its time is over; only made where something bounds it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import anyio

from esg.rules.running_time import GOES_ON, NONE

if TYPE_CHECKING:
    from esg.pure.http_connection import HttpConnection
    from esg.pure.request_task import RequestTask
    from esg.rules.http_exchange import HttpExchange


class BoundedApp:
    """Run the application for one request, under the sweep's eyes.

    Args:
        connection: where the request came from.
        request: whose application it is.
        exchange: the request's.
    """

    def __init__(
        self, connection: HttpConnection, request: RequestTask, exchange: HttpExchange
    ) -> None:
        self._connection = connection
        self._request = request
        self._exchange = exchange
        self._running = connection.service.running_time(time.monotonic())
        self._cancel_scope = anyio.CancelScope()
        self._why: Exception | None = None
        self._given_up = False

    async def run(self, *call: Any) -> object:
        """Call the application.

        Raises:
            AppOverdue, ClientDisconnected: it was cancelled, and nobody has answered for it.
        """
        self._connection.server.bounded_apps.add(self)
        try:
            with self._cancel_scope:
                return await self._connection.service.app(*call)
        finally:
            self._connection.server.bounded_apps.discard(self)
        if self._given_up:
            return None
        raise self._why or RuntimeError("cancelled by nobody")

    def sweep(self, now: float) -> None:
        """Cancel the application if its time is over; answer for one that goes on."""
        connection = self._connection
        transport = connection.transport
        gone = connection.lost or transport.at_eof() or transport.is_reset()
        verdict = NONE if self._request.over else self._running.expired(now, gone)
        if verdict == GOES_ON and not self._given_up:
            self._given_up = True
            connection.start_task(self._give_up)
        elif verdict not in (NONE, GOES_ON):
            self._why = connection.service.cancelled(verdict, self._exchange)
            self._cancel_scope.cancel()

    async def _give_up(self) -> None:
        await self._request.fail(self._why or RuntimeError("cancelled by nobody"))
