"""Run an application's lifespan beside the server; the table is in `rules.lifespan`.

Source: ASGI lifespan protocol 2.0.
"""

from __future__ import annotations

import contextvars
import logging
import traceback
from typing import Any

import anyio
from anyio.abc import TaskGroup

from esg.asgi import ASGI_VERSION, LIFESPAN_SPEC_VERSION, ASGIApp, Message
from esg.cancellation import forget_own_cancellation, is_cancelled
from esg.errors import LifespanError
from esg.logs import logger
from esg.rules import lifespan as table


class Lifespan:
    """Follow one application from start-up to shutdown.

    Args:
        app: the application.
        mode: "auto", "on" or "off".
        shutdown_timeout: seconds that shutdown may take, 0 for no bound.

    Attributes:
        state: what the application put into its lifespan state.
        context: the context in which start-up ended: what it set there, requests see.
    """

    def __init__(self, app: ASGIApp, mode: str, shutdown_timeout: float) -> None:
        self._app = app
        self._mode = mode
        self._bound = shutdown_timeout or float("inf")
        self._waiting: anyio.CancelScope | None = None
        self._running: anyio.CancelScope | None = None
        self._table = table.LifespanTable(required=mode == "on")
        self._settled = anyio.Event()  # start-up has an outcome
        self._shutdown = anyio.Event()  # the application may receive the shutdown event
        self._ended = anyio.Event()
        self.state: dict[str, Any] = {}
        self.context = contextvars.copy_context()

    async def startup(self, task_group: TaskGroup) -> None:
        """Start the application and wait until it is ready.

        Raises:
            LifespanError: it must not be served.
        """
        if self._mode == "off":
            return
        task_group.start_soon(self._run, name="esg lifespan")
        await self._settled.wait()
        if self._table.state == table.FAILED:
            reason = f": {self._table.message}" if self._table.message else ""
            raise LifespanError(f"application start-up failed{reason}")

    async def shutdown(self) -> None:
        """Tell the application to shut down and wait, within the bound, until it has.

        It gets its shutdown even where the caller is being cancelled.
        """
        if self._table.state == table.STARTED:
            self._shutdown.set()
            with anyio.CancelScope(shield=True) as self._waiting:
                self._waiting.deadline = anyio.current_time() + self._bound
                await self._ended.wait()
            if self._waiting.cancelled_caught:
                logger.error("Application shutdown did not complete within %g s", self._bound)
        if self._running is not None:
            self._running.cancel()

    def hurry(self, bound: float) -> None:
        """Let shutdown take no longer than `bound` seconds from now."""
        self._bound = min(self._bound, bound)
        if self._waiting is not None:
            self._waiting.deadline = min(self._waiting.deadline, anyio.current_time() + bound)

    async def _run(self) -> None:
        scope = {
            "type": "lifespan",
            "asgi": {"version": ASGI_VERSION, "spec_version": LIFESPAN_SPEC_VERSION},
            "state": self.state,
        }
        try:
            # Only `shutdown` ends it: it outlives the requests, however they end.
            with anyio.CancelScope(shield=True) as self._running:
                await self._app(scope, self._receive, self._send)
        except BaseException as error:
            if is_cancelled():
                raise
            self._ended_with(error)
        else:
            if not self._running.cancelled_caught:
                self._ended_with(None)
        finally:
            self._settled.set()
            self._ended.set()
        await forget_own_cancellation()

    def _ended_with(self, error: BaseException | None) -> None:
        before = self._table.state
        self._table.ended()
        after = self._table.state
        if after == table.UNSUPPORTED:
            why = f"{type(error).__name__}: {error}" if error else "it returned"
            logger.info("The application does not support lifespan (%s); serving on", why)
        elif after == table.BROKEN or (after == table.FAILED and before == table.STARTING):
            _log("The application failed in its lifespan start-up", error)
        elif after == table.FAILED and before == table.IDLE:
            _log("The application does not support lifespan, but --lifespan is on", error)
        elif before == table.FAILED:
            logger.debug("The application raised after it said that start-up failed: %r", error)
        elif error is not None:
            _log("The application raised in its lifespan", error)

    async def _receive(self) -> Message:
        if self._table.state == table.IDLE:
            self._table.startup_taken()
            return {"type": "lifespan.startup"}
        await self._shutdown.wait()
        if self._table.state == table.STARTED:
            self._table.shutdown_taken()
            return {"type": "lifespan.shutdown"}
        await anyio.sleep_forever()
        raise AssertionError("sleep_forever returned")

    async def _send(self, message: Message) -> None:
        self._table.send(message)
        if self._table.state == table.STARTED:
            self.context = contextvars.copy_context()
        elif self._table.state == table.STOPPED:
            if self._table.message:
                logger.error("Application shutdown failed: %s", self._table.message)
            self._ended.set()
        self._settled.set()


def _log(what: str, error: BaseException | None) -> None:
    if error is None:
        logger.error("%s: it returned", what)
        return
    lines = traceback.format_exception(error)
    logger.log(logging.ERROR, "%s\n%s", what, "".join(lines).rstrip())
