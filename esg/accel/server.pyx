"""The fast driver's entrance: listen, sweep, stop."""

import asyncio
from contextlib import suppress

from esg.accel.request_task cimport RequestTask
from esg.accel.serving cimport Serving, monotonic
from esg.accel.transport_connection cimport TransportConnection

from esg.accel.acceptor import NOT_YET, Acceptor
from esg.accel.http_protocol import HttpProtocol
from esg.accel.proxy_header import ProxyHeaderProtocol
from esg.accel.tls_transport import TLSProtocol
from esg.logs import logger

# Between telling applications that their client is gone and cancelling them.
LAST_WORDS = 0.25  # seconds
# An application that suppresses its cancellation is cancelled again this often.
CANCEL_AGAIN = 0.1  # seconds
# A request in a thread, or one that swallows its cancellation, may never end.
STUCK_AFTER = 1.0  # seconds


async def serve(service):
    """Serve until `service.stop` is set and the connections have ended.

    The bound of a graceful stop is `timeout_graceful_shutdown`: what still runs then is told
    that its client is gone, and cancelled a moment later.
    """
    await FastServer(service).run()


class FastServer:
    """Serve on all listeners of one service.

    Args:
        service: what to serve.
    """

    def __init__(self, service):
        self._service = service
        self._loop = asyncio.get_running_loop()
        self._serving = Serving(service, self._loop)
        service.on_stop = self._serving.stop
        self._sweeper = None
        shares = service.share is not None
        accepted = self._accepted if shares else None
        self._acceptors = [
            Acceptor(listener, self._protocol, self._room, self._left, self._loop, accepted)
            for listener in service.listeners
        ]
        if service.config.limit_connections or shares:
            self._serving.on_room = self._left

    async def run(self):
        """Accept connections, then stop gracefully."""
        try:
            for acceptor in self._acceptors:
                acceptor.start()
            self._sweep()
            self._service.on_serving()
            await self._service.stop.wait()
            if self._service.share is not None:
                self._service.share.leave()
            for acceptor in self._acceptors:
                await acceptor.finish(take_waiting=not self._service.retiring)
            self._stop_listening()
            if self._service.retiring:
                await self._serve_idle_once_more()
            _stop_idle(self._serving)
            self._sweeper.cancel()
            self._sweep()  # from now on as often as connections that drain need it
            await self._wait_for_the_end()
        finally:
            self._stop_listening()
            self._sweeper.cancel()
            await self._end_at_once()

    def _room(self):
        """Return how many more connections may be accepted, NOT_YET if it is another's turn."""
        count = self._open_connections()
        room = self._service.room_for_connections(count)
        if room and not self._service.stopping:
            return min(room, self._service.turn(count)) or NOT_YET
        return room

    def _open_connections(self):
        made = self._serving.connections
        return len(made) + sum(acceptor.opening(made) for acceptor in self._acceptors)

    def _accepted(self, new):
        self._service.connections_accepted(new, self._open_connections())

    def _left(self):
        """Take note that a connection has left its room, and let another one take it."""
        self._service.connection_ended(self._open_connections())
        for acceptor in self._acceptors:
            if acceptor.is_full and not self._service.stopping:
                acceptor.start()

    def _protocol(self):
        http = HttpProtocol(self._serving)
        protocol = http if self._service.tls is None else TLSProtocol(self._serving, http)
        if self._service.config.proxy_protocol:
            protocol = ProxyHeaderProtocol(self._serving, protocol, http)
        return protocol

    def _stop_listening(self):
        for acceptor in self._acceptors:
            acceptor.close()

    def _sweep(self):
        interval = self._serving.timeouts.sweep_interval
        self._sweeper = self._loop.call_later(interval, self._sweep)
        self._serving.refresh()
        _sweep(self._serving)

    async def _serve_idle_once_more(self):
        """Of a server that retires, let idle connections be for a while."""
        ended = asyncio.ensure_future(self._serving.emptied())
        over = asyncio.ensure_future(self._service.idle_over.wait())
        try:
            await asyncio.wait((ended, over), return_when=asyncio.FIRST_COMPLETED)
        finally:
            await _cancel(ended, over)

    async def _wait_for_the_end(self):
        """Wait for connections and applications, for as long as the bound allows."""
        bound = self._service.config.timeout_graceful_shutdown
        ended = asyncio.ensure_future(self._serving.emptied())
        forced = asyncio.ensure_future(self._service.force_stop.wait())
        try:
            wanted = (ended, forced)
            patience = max(0.0, bound - LAST_WORDS) if bound else None
            done, _ = await asyncio.wait(
                wanted, timeout=patience, return_when=asyncio.FIRST_COMPLETED
            )
            if not done:
                logger.warning("Requests do not end within %g s; cancelling them", bound)
                _tell_to_end(self._serving)
                await asyncio.wait(
                    wanted, timeout=LAST_WORDS, return_when=asyncio.FIRST_COMPLETED
                )
        finally:
            await _cancel(ended, forced)

    async def _end_at_once(self):
        """Cancel what still runs and close what is still open."""
        stuck_at = self._loop.time() + STUCK_AFTER
        while self._serving.tasks or self._serving.connections:
            self._serving.cancel()
            _drop_all(self._serving)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._serving.emptied(), CANCEL_AGAIN)
            if self._loop.time() > stuck_at:
                self._service.stuck.set()


async def _cancel(*waiting):
    for future in waiting:
        future.cancel()
        with suppress(asyncio.CancelledError):
            await future


def _sweep(Serving serving):
    cdef double now = monotonic()
    for connection in tuple(serving.connections):
        _sweep_one(connection, now)
    if serving.bounds_requests:
        for task in tuple(serving.tasks):
            if isinstance(task, RequestTask):
                (<RequestTask> task).sweep(now)


cdef int _sweep_one(TransportConnection connection, double now) except -1:
    """Sweep a connection; whatever goes wrong with it, the others have their turn."""
    try:
        connection.sweep(now)
    except BaseException:
        connection.internal_error()
    return 0


def _stop_idle(Serving serving):
    for connection in tuple(serving.connections):
        (<TransportConnection> connection).stop()


def _tell_to_end(Serving serving):
    for connection in tuple(serving.connections):
        (<TransportConnection> connection).told_to_end()


def _drop_all(Serving serving):
    for connection in tuple(serving.connections):
        (<TransportConnection> connection).drop(True)
