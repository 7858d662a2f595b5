"""One client connection: bytes to heads, one task per request, and the connection's end.

The connection has no task of its own. Each request is served by a new task that first finishes
what the request before it left (unread content, a FIN), then reads a head, then runs the
application; when its response is complete it spawns the task of the next request. So the
application has a task and a context to itself, work after the response holds nobody up, and an
idle connection costs one waiting task. Must hold no policy: that is in the rules.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

from anyio.abc import TaskGroup
from anyio.lowlevel import checkpoint

from esg.cancellation import forget_own_cancellation, is_cancelled
from esg.errors import RequestRejected, TLSHandshakeFailed
from esg.logs import logger
from esg.pure.proxy_header import take_proxy_header
from esg.pure.request_task import RequestTask
from esg.pure.transport import MESSAGE_COST, YIELD_AFTER
from esg.pure.websocket_connection import WebSocketConnection
from esg.pure.write_queue import WriteQueue
from esg.rules import deadlines, persistence, request_head, websocket_handshake
from esg.rules.deadlines import Deadlines
from esg.rules.flow_control import HIGH_WATER
from esg.rules.request_head import RequestHead
from esg.rules.response_head import error_response

if TYPE_CHECKING:
    from esg.pure.server import PureServer
    from esg.pure.transport import SocketTransport


class HttpConnection:
    """Serve one client.

    Args:
        transport: the byte stream.
        server: what all connections share.
        tasks: where the requests' tasks live.

    Attributes:
        buffer: what has come and belongs to no request yet.
        eof: the client has sent FIN.
        lost: the connection is of no use any more.
        expired: the timer that ran out while the connection was waiting.
        unyielded: what has been read and written since other tasks could run last.
        request: the request that reads and writes now.
        websocket: what it has become, if it asked for that.
        proxied: its peer is a trusted proxy, whose word on its requests is taken.
    """

    def __init__(self, transport: SocketTransport, server: PureServer, tasks: TaskGroup) -> None:
        self.transport = transport
        self.server = server
        self.service = server.service
        self.deadlines = Deadlines(self.service.timeouts)
        self.buffer = bytearray()
        self.proxied = self.service.believes(transport.client, transport.server)
        self.eof = False
        self.lost = False
        self.request: RequestTask | None = None
        self.websocket: WebSocketConnection | None = None
        self._extensions: dict[str, dict[str, Any]] | None = None
        self._tasks = tasks
        self.expired = deadlines.NONE
        self._awaits_head = False
        self._awaits_proxy_header = self.service.config.proxy_protocol
        self.unyielded = 0
        self.writes = WriteQueue(self, tasks)
        self.write = self.writes.write
        self.deadlines.arm(deadlines.HEAD, time.monotonic())
        server.connections.add(self)

    @property
    def extensions(self) -> dict[str, dict[str, Any]]:
        """Those of all its scopes."""
        if self._extensions is None:
            self._extensions = self.service.extensions
            if self.service.tls is not None:
                tls = self.service.tls.extension(self.transport.ssl_object)
                self._extensions = {**self._extensions, "tls": tls}
        return self._extensions

    def spawn_next(self) -> None:
        """Start the task that finishes the current request and serves the next one."""
        self.start_task(self._run)

    def start_task(self, function: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Start a task of this connection, in a context of its own."""
        context = self.service.context.copy()
        context.run(self._tasks.start_soon, function)

    async def _run(self) -> None:
        try:
            head = await self._next_head()
            if head is None:
                return
            if self.service.config.ws != "none" and websocket_handshake.is_opening(head):
                await self._run_websocket(head)
            else:
                self.request = RequestTask(self, head)
                await self.request.run()
        except OSError as error:
            logger.debug("Connection lost: %s", error)
            self.drop()
        except Exception:  # noqa: BLE001 - ours, so it is logged, and must not end the server
            logger.exception("Internal error; the connection is closed")
            self.drop(abort=True)
        except BaseException as error:
            self.drop()
            if is_cancelled():
                raise
            logger.debug("A request's task ended with %r", error)  # the application's own doing
        await forget_own_cancellation()

    async def _run_websocket(self, head: RequestHead) -> None:
        try:
            deflates = self.service.config.ws_per_message_deflate
            opening = websocket_handshake.judge(head, deflates)
        except RequestRejected as rejected:
            fields = websocket_handshake.rejection_fields(rejected.status)
            await self.reject(head.method, rejected.status, rejected.reason, fields)
        else:
            self.websocket = WebSocketConnection(self, head, opening)
            await self.websocket.run()

    async def _next_head(self) -> RequestHead | None:
        """Read the next head; None where the connection has ended instead."""
        if self.request is not None and not await self._finish_request(self.request):
            return None
        if self._awaits_proxy_header:
            self._awaits_proxy_header = False
            if not await take_proxy_header(self):
                return None
        try:
            raw = await self._read_head()
            return None if raw is None else request_head.judge(raw, self.service.limits)
        except RequestRejected as rejected:
            await self.reject("", rejected.status, rejected.reason)
        except TLSHandshakeFailed as failed:
            self.service.handshake_failed(self.transport.client, str(failed))
            await self.linger()
        return None

    async def _finish_request(self, request: RequestTask) -> bool:
        """Do what must follow a complete response; tell whether the connection lives on."""
        step = request.next_step()
        if step == persistence.DRAIN:
            step = persistence.REUSE if await request.drain() else persistence.LINGER
        if step != persistence.REUSE or self.lost:
            await self.linger()
            return False
        self.request = None
        self.expired = deadlines.NONE
        idle = not request_head.has_begun(self.buffer)
        self.deadlines.arm(deadlines.IDLE if idle else deadlines.HEAD, time.monotonic())
        return True

    async def _read_head(self) -> bytes | None:
        scanned = 0
        while True:
            begun = request_head.has_begun(self.buffer)
            if not begun and self.service.closes_idle:
                begun = self._read_waiting()
                opening = self.transport.opening
                if not (begun or opening) and self.deadlines.drain(time.monotonic()):
                    self.drop()
                    return None
            if begun:
                end = request_head.find_end(self.buffer, scanned)
                if end >= 0:
                    raw = bytes(self.buffer[:end])
                    del self.buffer[:end]
                    self.deadlines.stop_reading()
                    return raw
                scanned = len(self.buffer)
                request_head.check_partial(self.buffer, self.service.limits)
            if not await self._read_more():
                return None

    def _read_waiting(self) -> bool:
        """Take a request that came before the server was told to stop; tell if there is one."""
        self.buffer += self.transport.read_nowait() or b""
        return request_head.has_begun(self.buffer)

    async def _read_more(self) -> bool:
        """Read more of a head; tell whether there can be one."""
        self._awaits_head = True
        await self.breathe()
        data = await self.read()
        self._awaits_head = False
        if self.expired and data is None and not self.lost:
            data = self.transport.read_nowait()  # it may have come while the loop was blocked
        if data == b"" or self.lost:
            self.drop()  # a FIN inside a head: there is nothing to answer
            return False
        begun = request_head.has_begun(self.buffer)
        self.buffer += data or b""
        if not begun and request_head.has_begun(self.buffer):
            self.deadlines.arm(deadlines.HEAD, time.monotonic())
            self.expired = deadlines.NONE
        return not self.expired or self._read_late()

    def _read_late(self) -> bool:
        """Decide on a timer that ran out: a head that is complete by now is served."""
        if request_head.find_end(self.buffer, 0) >= 0:
            self.expired = deadlines.NONE
            return True
        if request_head.has_begun(self.buffer):
            raise RequestRejected(408, "the head did not come in time")
        self.drop()
        return False

    # Reading and writing, for the request that is served now.

    async def read(self) -> bytes | None:
        """Return what comes next: b"" at FIN, None after a wait: the caller looks again at why.

        Raises:
            OSError: the connection is lost.
        """
        if self.lost:
            return None
        if self.eof:
            return b""
        # No await before this: whoever found that the connection is its own must read at once.
        data = self.transport.read_nowait()
        if data is None:
            await self.transport.wait_readable()
            self.unyielded = 0
        elif data:
            self.unyielded += len(data) + MESSAGE_COST
        else:
            self.eof = True
        return data

    async def wait_for_input(self) -> None:
        """Wait until the client sends something, or the connection is woken: look again at why."""
        self._awaits_head = True
        await self.transport.wait_readable()
        self._awaits_head = False

    async def breathe(self) -> None:
        """Let other tasks run, if this client has kept the loop busy for long enough."""
        if self.unyielded > YIELD_AFTER:
            self.unyielded = 0
            await checkpoint()

    @property
    def app_runs(self) -> bool:
        """Tell whether a request has been read whose response is not complete."""
        return self.request is not None and not self.request.over

    @property
    def may_read_ahead(self) -> bool:
        """Tell whether bytes of later requests may be held while one is served."""
        return len(self.buffer) < HIGH_WATER

    # The ends of a connection.

    async def reject(
        self, method: str, status: int, reason: str, extra: tuple[tuple[bytes, bytes], ...] = ()
    ) -> None:
        """Answer in the application's place, say why in the log, and close."""
        self.service.rejected(self.transport.client, status, reason)
        await self.write([error_response(method, status, self.service.default_fields(), extra)])
        await self.linger()

    async def linger(self) -> None:
        """Close once the client has had time to read the answer.

        A close with unread bytes in the kernel would reset the connection and take the answer
        with it (RFC 9112 section 9.6).
        """
        await self.writes.drained()
        if not self.lost:
            self.transport.finish_writing()
            self.expired = deadlines.NONE
            self.deadlines.arm(deadlines.LINGER, time.monotonic())
            while not (self.expired or self.lost) and await self.read() != b"":
                await self.breathe()
        self.drop()

    def drop(self, abort: bool = False) -> None:
        """Close at once, and wake whoever still waits for the client."""
        self.lost = True
        self.server.connection_ended(self)
        if self.request is not None:
            self.request.client_lost()
        if self.websocket is not None:
            self.websocket.client_lost()
        if abort:
            self.transport.abort()
        else:
            self.transport.close()

    # What the server tells.

    def sweep(self, now: float) -> None:
        """Look at the time: fire what has run out, send a head that was held long enough."""
        if self.deadlines.watches_client():
            self.deadlines.untaken(self.transport.unacknowledged(), now)
        expired = self.deadlines.expired(now)
        if expired == deadlines.WRITE:
            logger.debug("A client did not read its response in time")
            self.drop(abort=True)
        elif self.websocket is not None and expired != deadlines.LINGER:
            self._sweep_websocket(self.websocket, expired)
        elif expired == deadlines.BODY and self.request is not None:
            self.deadlines.stop_reading()
            self.request.content_timed_out()
        elif expired:
            self.expired = expired
            self.transport.wake()
        elif self.app_runs and self.transport.is_reset():
            self.drop()  # an application that neither receives nor sends would not find out
        elif self.request is not None and self.request.start_is_held:
            self._tasks.start_soon(self.request.flush_start)

    def _sweep_websocket(self, websocket: WebSocketConnection, expired: int) -> None:
        if websocket.reads_no_more and self.transport.is_reset():
            self.drop()
        elif expired:
            websocket.timer_expired()
        else:
            websocket.flush_start()

    def stop(self) -> None:
        """Have one that is idle for long enough closed; others close with their last response."""
        if self.websocket is not None:
            self.websocket.server_stops()
        if self._awaits_head:
            self.transport.wake()

    def disconnect_app(self) -> None:
        """Tell the application that waits in receive() that it is over."""
        if self.request is not None:
            self.request.client_left()
        if self.websocket is not None:
            self.websocket.client_lost()
