"""The pure driver's entrance: accept, sweep, stop."""

from __future__ import annotations

import errno
import socket
import time
from contextlib import suppress

import anyio
from anyio import wait_readable
from anyio.abc import TaskGroup

from esg.load_sharing import PAUSE
from esg.logs import logger
from esg.pure.bounded_app import BoundedApp
from esg.pure.http_connection import HttpConnection
from esg.pure.tls_transport import TLSTransport
from esg.pure.transport import SocketTransport
from esg.rules.tls_session import TLSSession
from esg.service import Service

# Before accept() is tried again where it said that there is no room for another connection.
_TROUBLE_PAUSE = 0.5  # seconds
_ACCEPTS_AT_ONCE = 64
# Between telling applications that their client is gone and cancelling them.
_LAST_WORDS = 0.25  # seconds
# A request in a thread, or one that swallows its cancellation, may never end.
_STUCK_AFTER = 1.0  # seconds


async def serve(service: Service) -> None:
    """Serve until `service.stop` is set and the connections have ended.

    The bound of a graceful stop is `timeout_graceful_shutdown`: what still runs then is told
    that its client is gone, and cancelled a moment later.
    """
    await PureServer(service).run()


class PureServer:
    """Hold what all connections of one server share.

    Args:
        service: what to serve.

    Attributes:
        connections: those that are open.
        bounded_apps: those that the sweep may cancel.
    """

    def __init__(self, service: Service) -> None:
        self.service = service
        self.connections: set[HttpConnection] = set()
        self.bounded_apps: set[BoundedApp] = set()
        self._room = anyio.Event()  # set, and replaced, when a connection has ended

    async def run(self) -> None:
        """Accept connections, then stop gracefully."""
        async with anyio.create_task_group() as background:
            background.start_soon(self._sweep)
            async with anyio.create_task_group() as requests:
                async with anyio.create_task_group() as accepting:
                    for listener in self.service.listeners:
                        accepting.start_soon(self._accept, listener, requests)
                    self.service.on_serving()
                    await self.service.stop.wait()
                    accepting.cancel_scope.cancel()
                self._stop_accepting(requests)
                await self._serve_idle_once_more()
                for connection in tuple(self.connections):
                    connection.stop()
                self.service.timeouts.sweep_for(self.service.timeouts.drain)
                background.start_soon(self._sweep)  # the other one may still sleep for longer
                background.start_soon(self._bound_stop, requests)
                background.start_soon(self._force_stop, requests)
            background.cancel_scope.cancel()

    async def _accept(self, listener: socket.socket, requests: TaskGroup) -> None:
        trouble: int | None = None  # what accept() said, once for each trouble in the log
        while True:
            while self.service.room_for_connections(len(self.connections)) <= 0:
                await self._room.wait()
            await wait_readable(listener)
            turn = self.service.turn(len(self.connections))
            if not turn:
                await anyio.sleep(PAUSE)
                continue
            try:
                self._accept_waiting(listener, requests, min(turn, _ACCEPTS_AT_ONCE))
            except OSError as error:
                if error.errno == errno.ECONNABORTED:
                    continue  # the client was gone before it was accepted
                if error.errno != trouble:
                    trouble = error.errno
                    logger.error("Cannot accept connections: %s; trying on", error.strerror)
                await anyio.sleep(_TROUBLE_PAUSE)
            else:
                trouble = None

    def _accept_waiting(self, listener: socket.socket, requests: TaskGroup, most: int) -> None:
        """Accept what the kernel has, but no more than `most`.

        Raises:
            OSError: there is no room for another connection, or this one is gone.
        """
        new = 0
        try:
            room = self.service.room_for_connections(len(self.connections))
            while new < min(room, most):
                self._open(listener.accept()[0], requests)
                new += 1
        except BlockingIOError:
            pass
        finally:
            self.service.connections_accepted(new, len(self.connections))

    def _stop_accepting(self, requests: TaskGroup) -> None:
        """Close the listeners; where nobody else will accept what the kernel has, do that first."""
        if self.service.share is not None:
            self.service.share.leave()
        for listener in self.service.listeners:
            if not self.service.retiring:
                with suppress(OSError):  # the listener goes anyway
                    self._accept_waiting(listener, requests, self.service.config.backlog + 1)
            listener.close()

    async def _serve_idle_once_more(self) -> None:
        """Of a server that retires, let idle connections be for a while."""
        async with anyio.create_task_group() as waiting:
            waiting.start_soon(self._end_with_idle, waiting.cancel_scope)
            while self.service.retiring and self.connections:
                await self._room.wait()
            waiting.cancel_scope.cancel()

    async def _end_with_idle(self, waiting: anyio.CancelScope) -> None:
        await self.service.idle_over.wait()
        waiting.cancel()

    def _open(self, accepted: socket.socket, requests: TaskGroup) -> None:
        try:
            transport = self._transport(accepted)
        except OSError:  # the client is gone already
            accepted.close()
            return
        HttpConnection(transport, self, requests).spawn_next()

    def _transport(self, accepted: socket.socket) -> SocketTransport:
        """Make what reads and writes a connection.

        Raises:
            OSError: the client is gone already.
        """
        tls = self.service.tls
        if tls is None:
            return SocketTransport(accepted)
        return TLSTransport(accepted, TLSSession(*tls.wrap()))

    def connection_ended(self, connection: HttpConnection) -> None:
        """Take note that a connection is closed."""
        self.connections.discard(connection)
        self.service.connection_ended(len(self.connections))
        if self.service.config.limit_connections or self.service.retiring:
            self._room.set()
            self._room = anyio.Event()

    async def _sweep(self) -> None:
        while True:
            await anyio.sleep(self.service.timeouts.sweep_interval)
            now = time.monotonic()
            for connection in tuple(self.connections):
                connection.sweep(now)
            for app in tuple(self.bounded_apps):
                app.sweep(now)

    async def _bound_stop(self, requests: TaskGroup) -> None:
        bound = self.service.config.timeout_graceful_shutdown
        if not bound:
            return
        await anyio.sleep(max(0.0, bound - _LAST_WORDS))
        if self.connections:
            logger.warning("Requests do not end within %g s; cancelling them", bound)
        for connection in tuple(self.connections):
            connection.disconnect_app()
        await anyio.sleep(_LAST_WORDS)
        await self._cancel(requests)

    async def _force_stop(self, requests: TaskGroup) -> None:
        await self.service.force_stop.wait()
        await self._cancel(requests)

    async def _cancel(self, requests: TaskGroup) -> None:
        requests.cancel_scope.cancel()
        await anyio.sleep(_STUCK_AFTER)
        self.service.stuck.set()
