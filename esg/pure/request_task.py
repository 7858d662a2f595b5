"""One request in its task: moves bytes between `rules.http_exchange` and the connection."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

import anyio

from esg.asgi import Message
from esg.cancellation import is_cancelled
from esg.errors import ClientDisconnected, MessageError, RequestRejected
from esg.file_part import open_file
from esg.http import Piece
from esg.logs import logger
from esg.pure.bounded_app import BoundedApp
from esg.pure.request_body import RequestBody
from esg.pure.request_scope import request_scope
from esg.pure.transport import MESSAGE_COST, YIELD_AFTER
from esg.rules import deadlines, http_exchange, persistence, response_head
from esg.rules.http_exchange import HttpExchange
from esg.rules.request_head import RequestHead
from esg.rules.response_head import Http1Response

if TYPE_CHECKING:
    from esg.pure.http_connection import HttpConnection

_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_SLICE = 8192  # bytes of chunked content that are decoded at once
_RETRY_AFTER = ((b"retry-after", b"1"),)


class RequestTask:
    """Serve one request on a connection.

    Args:
        connection: where it came from.
        head: what `request_head.judge` made of it.

    Attributes:
        over: its response is complete, or will never be.
    """

    __slots__ = (
        "_began",
        "_body",
        "_client",
        "_connection",
        "_exchange",
        "_reading",
        "_service",
        "_settled",
        "_timed_out",
        "_wire",
        "head",
        "over",
    )

    def __init__(self, connection: HttpConnection, head: RequestHead) -> None:
        self.head = head
        self._connection = connection
        self._service = connection.service
        self._client = connection.transport.client
        persists = persistence.request_persists(head.http_version, head.connection)
        self._wire = Http1Response(
            head.http_version, persists, self._service.default_fields(), head.takes_trailers
        )
        self._exchange = HttpExchange(
            head.method,
            head.content_length,
            head.expect_continue,
            response_head.plan,
            self._wire,
        )
        self._exchange.open_file = open_file
        self._body: RequestBody | None = None  # made when the first of it is read
        self._reading: anyio.Event | None = None  # set when the task that reads has read
        self._settled: anyio.Event | None = None  # set when no receive() needs to wait any more
        self._timed_out = False
        self.over = False
        self._began = time.perf_counter() if self._service.access_log.detailed else 0.0

    async def run(self) -> None:
        """Run the application and see that the request gets an end."""
        service = self._service
        if service.saturated:
            reason = f"{service.config.limit_concurrency} requests are in flight"
            await self._connection.reject(self.head.method, 503, reason, _RETRY_AFTER)
            return
        service.request_started()
        try:
            app = service.app
            if service.bounds_requests:
                app = BoundedApp(self._connection, self, self._exchange).run
            scope = request_scope(self._connection, self.head)
            self._client = scope["client"]  # the application may change its scope
            result = await app(scope, self.receive, self.send)
        except BaseException as error:
            if is_cancelled():
                self._abort()
                raise
            await self._app_raised(error)
        else:
            if result is not None:
                logger.warning("The application returned %r; None was expected", result)
            await self._app_returned()
        finally:
            self._response_over()

    # The application's two callables.

    async def receive(self) -> Message:
        """Return the next message, waiting for the client where it has to."""
        exchange = self._exchange
        self._service.check_thread()
        self._connection.unyielded += MESSAGE_COST  # it may ask for ever, whatever it is told
        await self._connection.breathe()
        while (event := exchange.next_event()) is None:
            if not exchange.take_continue():
                await self._read_more()
                continue
            try:
                await self._connection.write([_CONTINUE])
            except OSError:
                self._connection.drop()
        return event

    async def send(self, message: Message) -> None:
        """Take a message; return when the kernel has what it means for the client."""
        connection = self._connection
        self._service.check_thread()
        connection.unyielded += MESSAGE_COST
        try:
            await self._send(message)
        except ClientDisconnected:
            raise
        except OSError as error:
            connection.drop()
            raise ClientDisconnected(str(error), self._exchange) from error
        finally:
            await connection.breathe()

    async def _send(self, message: Message) -> None:
        writes = self._connection.writes
        waited = await writes.turn()
        try:
            out = self._take(message)
            written = writes.put(out) if out else None
        except (RecursionError, MemoryError):
            self._wire.keep_alive = False  # what counts as sent may not be written
            raise
        finally:
            writes.end_turn(waited)
        await writes.wait(written)
        if self._exchange.state == http_exchange.COMPLETE:
            self._response_over()

    def _take(self, message: Message) -> list[Piece]:
        exchange = self._exchange
        if self._service.stopping and exchange.state <= http_exchange.START_HELD:
            self._wire.keep_alive = False
        self._service.default_fields()  # Date is that of the response, not of the request
        try:
            out = exchange.send(message)
        except (MessageError, TypeError):
            if exchange.state == http_exchange.ABORTED:
                self._drop()
            raise
        if exchange.late_messages:
            self._service.late_message()
        size = sum(map(len, out))
        self._connection.unyielded += size
        if len(out) > 1 and size <= response_head.JOIN_LIMIT:
            return [b"".join(out)]
        return out

    # Reading the request's content, and watching for the client's end.

    async def _read_more(self) -> None:
        """Read once for all tasks of the application that wait in receive()."""
        if self._reading is not None:
            await self._reading.wait()
            return
        self._reading = anyio.Event()
        try:
            if not self._exchange.request_complete:
                await self._read_content()
            elif self._connection.may_read_ahead:
                await self._read_ahead()
            else:
                self._settled = anyio.Event()
                await self._settled.wait()
        except OSError:
            self._connection.drop()
        except RequestRejected as rejected:
            await self._content_rejected(rejected)
        finally:
            self._reading.set()
            self._reading = None

    async def _read_content(self) -> None:
        connection = self._connection
        if connection.buffer:
            self._feed_buffer()
            return
        connection.deadlines.arm(deadlines.BODY, time.monotonic())
        self._timed_out = False  # for a receive() that was cancelled, it may have run out
        data = await connection.read()
        if self.over:
            return  # the response was complete first: the connection is another task's
        connection.deadlines.stop_reading()
        if data is None and self._timed_out:
            data = connection.transport.read_nowait()  # it may have come while the loop was blocked
            if data is None:
                raise RequestRejected(408, "the content did not come in time")
        if data:
            connection.buffer += data
            self._feed_buffer()
        elif data is not None:
            connection.drop()  # a FIN inside a request (RFC 9112 section 8)

    def _feed_buffer(self) -> None:
        """Read content out of what has come, a slice at a time.

        What costs is chunk lines: where there are more of them than content, one slice is enough
        for now, and others may run before the next.
        """
        connection = self._connection
        while connection.buffer and not self._exchange.request_complete:
            before = self._exchange.received
            size = len(connection.buffer) if self.head.content_length > 0 else _SLICE
            data = bytes(connection.buffer[:size])
            del connection.buffer[:size]
            self._feed(data)
            if self._exchange.received - before < len(data) // 2:
                connection.unyielded += YIELD_AFTER
                break

    def _feed(self, data: bytes) -> None:
        if self._body is None:
            self._body = RequestBody(self.head, self._service.limits)
        content, taken = self._body.feed(data)
        if taken < len(data):
            self._connection.buffer[:0] = data[taken:]
        if content:
            self._exchange.body_received(content)
        if self._body.complete:
            self._exchange.body_complete()

    async def _read_ahead(self) -> None:
        data = await self._connection.read()
        if data:
            self._connection.buffer += data
        elif data is not None:
            self._exchange.leave()

    async def _content_rejected(self, rejected: RequestRejected) -> None:
        """Answer for content that breaks its framing, if nothing has been answered yet."""
        connection = self._connection
        self._service.rejected(connection.transport.client, rejected.status, rejected.reason)
        if self._exchange.needs_error_response():
            await self._answer(rejected.status)
            self._response_over()
        else:
            self._drop()

    async def drain(self) -> bool:
        """Read unread content away; tell whether the connection can go on behind it."""
        connection = self._connection
        connection.deadlines.arm(deadlines.LINGER, time.monotonic())
        limit = self._exchange.received + http_exchange.DRAIN_LIMIT
        while not (self._exchange.request_complete or connection.expired or connection.lost):
            if not connection.buffer:
                data = await connection.read()
                if data is None:
                    continue
                connection.buffer += data
            if not connection.buffer or self._exchange.received > limit:
                return False
            try:
                self._feed_buffer()
            except RequestRejected:
                return False
            await connection.breathe()
        return self._exchange.request_complete

    # How the exchange ends.

    async def _app_returned(self) -> None:
        client_left = self._exchange.client_left
        unanswered = self._exchange.needs_error_response()
        if client_left and (unanswered or self._exchange.abort()):
            logger.debug("The application returned as its client had left")
            self._drop()
        elif unanswered:
            gone = self._connection.transport.at_eof()
            level = logging.DEBUG if gone else logging.ERROR
            logger.log(level, "The application returned without a response")
            await self._answer(500)  # a client that only ended its request may still read
        elif self._exchange.abort():
            logger.error("The application returned before its response was complete")
            self._drop()

    async def _app_raised(self, error: BaseException) -> None:
        status = self._service.app_failed(error, self._exchange)
        if self._exchange.needs_error_response():
            await self._answer(status)
        else:
            self._abort()

    def _abort(self) -> None:
        if self._exchange.abort():
            self._drop()

    def _drop(self) -> None:
        """Close the connection of a response that stays incomplete.

        Where only the connection's end tells the end of the content, a reset must tell that it
        is not the end (RFC 9112 section 8).
        """
        self._connection.drop(abort=self._wire.framing == response_head.UNTIL_CLOSE)

    async def _answer(self, status: int) -> None:
        """Answer in the application's place; the connection closes behind it."""
        defaults = self._service.default_fields()
        self._exchange.answered_by_server(status)
        try:
            await self._connection.write(
                [response_head.error_response(self.head.method, status, defaults)]
            )
        except OSError:
            self._connection.drop()

    def _response_over(self) -> None:
        """Hand the connection to the next request's task, once."""
        if self.over:
            return
        if self._reading is not None:
            self._wake_receive()
        if not self._connection.lost:
            self._connection.spawn_next()
        self.over = True  # not earlier: at the bottom of a recursion, the above fails
        exchange, log = self._exchange, self._service.access_log
        self._service.request_ended()
        if exchange.status:
            log.log(self._client, self.head, exchange, self._wire.response.fields, self._began)

    def next_step(self) -> int:
        """Return what follows on the connection: see `rules.persistence`."""
        return persistence.after_response(
            # What the client was told; it may use the connection again even as the server stops.
            self._wire.keep_alive,
            self._exchange.request_complete,
            self._exchange.unread_is_drainable(),
        )

    # What the connection tells.

    def client_lost(self) -> None:
        """Take note that the connection is gone."""
        self._exchange.disconnect()
        self._wake_receive()

    def client_left(self) -> None:
        """Take note that the application is to find its client gone."""
        self._exchange.leave()
        self._wake_receive()

    def content_timed_out(self) -> None:
        """Take note that the content the application waits for does not come."""
        self._timed_out = True
        self._connection.transport.wake()

    def _wake_receive(self) -> None:
        """Make a waiting receive() look again at the exchange."""
        if self._settled is not None:
            self._settled.set()
        self._connection.transport.wake()

    async def fail(self, error: BaseException) -> None:
        """End the exchange of an application that has raised, or that nobody waits for."""
        await self._app_raised(error)
        self._response_over()

    @property
    def start_is_held(self) -> bool:
        """Tell whether a response's start waits for its first content."""
        return self._exchange.state == http_exchange.START_HELD

    async def flush_start(self) -> None:
        """Write a start that was held long enough."""
        self._service.default_fields()
        head = self._exchange.flush_start()
        if head:
            try:
                await self._connection.write([head])
            except OSError:
                self._connection.drop()
