"""One WebSocket: the application's receive() and send(), and the task that reads the client.

The state table is `rules.websocket_session`; this moves bytes between it, a codec and the
connection that the opening handshake came on, and holds no policy. The application runs in the
task of the request that asked for the WebSocket; the reading task also sees the connection to its
end, so that neither the client's close nor a ping ever waits for the application.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import anyio

from esg.asgi import Buffer, Message
from esg.cancellation import is_cancelled
from esg.errors import ClientDisconnected
from esg.logs import logger
from esg.pure.transport import MESSAGE_COST
from esg.rules import response_head, websocket_session
from esg.rules.flow_control import HIGH_WATER
from esg.rules.http_exchange import HttpExchange
from esg.rules.request_head import RequestHead
from esg.rules.response_head import Http1Response
from esg.rules.scope import websocket_scope
from esg.rules.websocket_handshake import OpeningHandshake
from esg.rules.websocket_session import WebSocketSession

if TYPE_CHECKING:
    from collections.abc import Sequence

    from esg.pure.http_connection import HttpConnection
    from esg.service import Service

_RETRY_AFTER = ((b"retry-after", b"1"),)


@dataclass(slots=True)
class _Outcome:
    """The answer to an opening handshake, as the access log wants it."""

    status: int
    sent: int


class _Http1Answers:
    """Answer an opening handshake in HTTP/1.1."""

    def __init__(self, opening: OpeningHandshake, service: Service) -> None:
        self._opening = opening
        self._service = service
        self._denial: HttpExchange | None = None
        self._wire: Http1Response | None = None
        self._accepted: Sequence[tuple[object, object]] = ()
        self._refusal = b""

    def switch(self, subprotocol: object, headers: Sequence[tuple[object, object]]) -> bytes:
        """Check and serialise an acceptance."""
        fields = self._opening.accept_fields(subprotocol, headers)
        defaults = self._service.default_fields()
        out = response_head.upgrade_response(b"websocket", fields, headers, defaults)
        self._accepted = headers
        return out

    def refuse(self, status: int) -> bytes:
        """Serialise an answer in the application's place."""
        self._refusal = response_head.error_response("GET", status, self._service.default_fields())
        return self._refusal

    def deny(self) -> HttpExchange:
        """Begin a response of the application's own, behind which the connection closes."""
        if self._denial is None:
            self._wire = Http1Response("1.1", False, self._service.default_fields())
            self._denial = HttpExchange("GET", 0, False, response_head.plan, self._wire)
        return self._denial

    @property
    def headers(self) -> Any:
        """Return those of the application in the answer."""
        return self._accepted if self._wire is None else self._wire.response.fields

    @property
    def sent(self) -> int:
        """Return the size of the answer's content."""
        if self._refusal:
            return len(self._refusal.partition(b"\r\n\r\n")[2])
        return 0 if self._denial is None else self._denial.sent


class WebSocketConnection:
    """Serve one WebSocket on the connection of its opening handshake.

    Args:
        connection: where it came from; nothing else reads it any more.
        head: of the request.
        opening: what `websocket_handshake.judge` made of it.
    """

    __slots__ = (
        "_answers",
        "_began",
        "_client",
        "_codec",
        "_connection",
        "_head",
        "_logged",
        "_news",
        "_opening",
        "_reader_waits",
        "_service",
        "_session",
        "_timer",
        "_undecoded",
    )

    def __init__(
        self, connection: HttpConnection, head: RequestHead, opening: OpeningHandshake
    ) -> None:
        service = connection.service
        self._connection = connection
        self._service = service
        self._client = connection.transport.client
        self._head = head
        self._opening = opening
        self._began = time.perf_counter() if service.access_log.detailed else 0.0
        self._answers = _Http1Answers(opening, service)
        self._codec = service.codec(opening.deflate)
        self._session = WebSocketSession(
            self._answers,
            self._codec,
            service.config.ws_max_queue,
            service.config.ws_ping_timeout > 0,
        )
        self._timer = websocket_session.NO_TIMER  # the one that was started last
        self._news: anyio.Event | None = None  # set when receive() is to look again
        self._reader_waits: anyio.Event | None = None  # set when there is room, or it is over
        self._undecoded = False  # the codec has bytes that may be more events
        self._logged = False

    # The application's side.

    async def run(self) -> None:
        """Run the application and see that the session gets an end."""
        service = self._service
        if service.closes_idle or service.saturated:
            limit = service.config.limit_concurrency
            reason = "stopping" if service.closes_idle else f"{limit} requests are in flight"
            await self._connection.reject("GET", 503, reason, _RETRY_AFTER)
            return
        service.request_started()
        self._connection.start_task(self._read)
        self._settle()
        raised = True
        try:
            scope = self._scope()
            self._client = scope["client"]  # the application may change its scope
            result = await service.app(scope, self.receive, self.send)
        except BaseException as error:
            if is_cancelled():
                self._connection.drop()
                raise
            service.app_failed(error, self._session)
        else:
            raised = False
            if result is not None:
                logger.warning("The application returned %r; None was expected", result)
            if self._session.state == websocket_session.CONNECTING:
                logger.error("The application returned without an answer to the handshake")
        finally:
            service.request_ended()
        self._put(self._session.app_ended(raised))

    def _scope(self) -> Any:
        head = self._head
        transport = self._connection.transport
        service = self._service
        scope = websocket_scope(
            http_version=head.http_version,
            raw_path=head.raw_path,
            query=head.query,
            headers=head.headers,
            subprotocols=self._opening.subprotocols,
            scheme="wss" if transport.scheme == "https" else "ws",
            client=transport.client,
            server=transport.server,
            root_path=service.config.root_path,
            state=service.state,
            extensions=self._connection.extensions,
        )
        if head.forwarded and self._connection.proxied:
            service.proxy_headers.amend(scope)
        return scope

    async def receive(self) -> Message:
        """Return the next message, waiting for the client where it has to."""
        session = self._session
        self._service.check_thread()
        self._connection.unyielded += MESSAGE_COST  # it may ask for ever, whatever it is told
        await self._connection.breathe()
        while (event := session.next_event()) is None:
            out = session.app_waits()
            if session.state == websocket_session.CLOSED:
                self._put(out)
                continue
            if self._news is None:
                self._news = anyio.Event()
            await self._news.wait()
        if self._undecoded:
            self._wake_reader()
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
            raise ClientDisconnected(str(error), self._session) from error
        finally:
            await connection.breathe()

    async def _send(self, message: Message) -> None:
        writes = self._connection.writes
        waited = await writes.turn()
        try:
            out = self._session.send(message)
            self._connection.unyielded += sum(map(len, out))
            written = writes.put(out) if out else None
        finally:
            writes.end_turn(waited)
            self._settle()
        await writes.wait(written)

    # The client's side.

    async def _read(self) -> None:
        """Read until the session is over, then close the connection."""
        connection = self._connection
        self._take_data(bytes(connection.buffer))
        connection.buffer.clear()
        try:
            while self._session.state != websocket_session.CLOSED:
                await connection.breathe()
                if self._undecoded:
                    await self._decode()
                if self._session.state != websocket_session.CLOSED:
                    await self._read_more()
            if not connection.lost:
                await connection.linger()
        except OSError as error:
            logger.debug("Connection lost: %s", error)
            connection.drop()
        except Exception:  # noqa: BLE001 - ours, so it is logged, and must not end the server
            logger.exception("Internal error; the connection is closed")
            connection.drop(abort=True)
        except BaseException:
            connection.drop()
            raise

    async def _decode(self) -> None:
        """Decode as much as the session wants, and write what that is answered with."""
        session = self._session
        while session.wants_event():
            event = self._codec.next_event()
            if event is None:
                self._undecoded = False
                return
            out = session.take(event)
            self._settle()
            self._connection.unyielded += MESSAGE_COST
            # A client that does not read its pongs is not read either.
            await self._connection.write(out)
            await self._connection.breathe()

    async def _read_more(self) -> None:
        connection = self._connection
        if self._codec.buffered >= HIGH_WATER or connection.eof:
            await self._wait_for_room()
            return
        data = await connection.read()
        if data:
            self._take_data(data)
            self._session.data_received()
            self._settle()

    def _take_data(self, data: bytes) -> None:
        self._codec.receive_data(data)
        self._undecoded = True

    async def _wait_for_room(self) -> None:
        """Wait until the application has taken something or the session's state has changed."""
        session = self._session
        if self._connection.eof and (
            session.wants_event() or session.state == websocket_session.CONNECTING
        ):
            session.end_of_input()
            self._settle()
        if session.state == websocket_session.CLOSED:
            return
        self._reader_waits = anyio.Event()
        await self._reader_waits.wait()
        self._reader_waits = None

    def _wake_reader(self) -> None:
        if self._reader_waits is not None:
            self._reader_waits.set()
        else:
            self._connection.transport.wake()

    # What follows from the session's state.

    def _put(self, out: list[Buffer]) -> None:
        """Write without waiting, then do what the session's state asks for."""
        try:
            if out:
                self._connection.writes.put(out)
        except OSError:
            self._connection.drop()
        self._settle()

    def _settle(self) -> None:
        """Start the timer, wake who waits and log the handshake, as the session's state asks."""
        session = self._session
        if session.timer != self._timer:
            self._start_timer()
        if self._news is not None:
            self._news.set()
            self._news = None
        if session.status and not self._logged and session.state != websocket_session.DENYING:
            self._log_handshake()
            self._wake_reader()  # to decode what came before, or to close
        elif session.state == websocket_session.CLOSED:
            self._wake_reader()
        elif session.state == websocket_session.CLOSING and self._undecoded:
            self._wake_reader()  # what the application left may hide the client's close frame

    def _log_handshake(self) -> None:
        self._logged = True
        self._service.access_log.log(
            self._client,
            self._head,
            _Outcome(self._session.status, self._answers.sent),
            self._answers.headers,
            self._began,
        )

    def _start_timer(self) -> None:
        self._timer = self._session.timer
        if self._timer == websocket_session.NO_TIMER:
            self._connection.deadlines.stop_reading()
        else:
            self._connection.deadlines.arm(self._timer, time.monotonic())

    # What the connection asks and tells.

    @property
    def reads_no_more(self) -> bool:
        """Tell whether bytes are left to the kernel until the application has taken some."""
        return self._reader_waits is not None

    def timer_expired(self) -> None:
        """Act on the end of the session's timer."""
        out = self._session.timer_expired()
        self._start_timer()
        self._put(out)

    def flush_start(self) -> None:
        """Write the start of a denial response that was held long enough."""
        if self._session.state == websocket_session.DENYING:
            self._service.default_fields()
            self._put([self._session.flush_start()])

    def server_stops(self) -> None:
        """Tell client and application that the server stops."""
        self._put(self._session.server_stops())

    def client_lost(self) -> None:
        """Take note that the connection is gone, or is to be gone for the application."""
        self._session.lost()
        self._settle()
