"""What a driver is given to serve, and where it reports: the seam between server and drivers.

Must not know how connections work.
"""

from __future__ import annotations

import contextvars
import random
import socket
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import anyio

from esg.access_log import AccessLog, RejectionLog
from esg.asgi import ASGIApp
from esg.config import Config
from esg.errors import AppOverdue, ClientDisconnected, WrongThread, is_disconnect_of
from esg.load_sharing import LoadShare
from esg.logs import TRACE, logger
from esg.rules.deadlines import DRAIN_TIMEOUT, Timeouts
from esg.rules.proxy_headers import ProxyHeaders
from esg.rules.request_head import HeadLimits
from esg.rules.response_head import DefaultFields
from esg.rules.running_time import TOO_LONG, RunningTime
from esg.rules.scope import Address
from esg.rules.trusted_proxies import TrustedProxies
from esg.websocket import Codec, DeflateParameters
from esg.websocket_codecs.choice import CodecFactory, resolve, wsproto_codec
from esg.websocket_codecs.tracing import TracingCodec

if TYPE_CHECKING:  # `ssl` is imported where it is wanted
    from esg.tls.server_tls import ServerTLS


@dataclass(slots=True)
class Service:
    """Hold an application that is ready to be served, and the wish that it stops.

    Args:
        app: the application, its lifespan started.
        config: the settings.
        listeners: bound, listening, non-blocking sockets; the driver closes them.
        state: the lifespan state that every request gets a copy of.
        context: the context that every request runs in a copy of.
        server_info: what this server is, for `scope["extensions"]["esg.server"]`.
        on_serving: to be called by the driver once it accepts connections.
        tls: what connections are secured by, if they are.
        share: this process's part, where others accept from the same listeners.
        on_enough: told why another process should take this one's place; without it, the server
            stops where it has had enough.
        on_stop: the driver's; called at once when the stop begins, and when idle connections are to
            be closed, too. Who waits for an event learns of it some callbacks later.

    Attributes:
        stop: set when the server is to stop gracefully.
        retiring: others go on with the same listeners, so idle connections may be used once more.
        idle_over: set when, of a server that retires, idle connections are to be closed, too.
        force_stop: set when it is to stop at once.
        extensions: of every scope; `esg.shutdown` lets an application wait for the stop.
        stuck: set by the driver when requests go on a second after they were cancelled.
    """

    app: ASGIApp
    config: Config
    listeners: list[socket.socket]
    state: dict[str, Any]
    context: contextvars.Context
    server_info: dict[str, Any]
    on_serving: Callable[[], None]
    tls: ServerTLS | None = None
    share: LoadShare | None = None
    on_enough: Callable[[str], None] | None = None
    on_stop: Callable[[], None] | None = None
    stop: anyio.Event = field(default_factory=anyio.Event)
    force_stop: anyio.Event = field(default_factory=anyio.Event)
    stuck: anyio.Event = field(default_factory=anyio.Event)
    retiring: bool = False
    idle_over: anyio.Event = field(default_factory=anyio.Event)
    in_flight: int = 0
    _requests: int = 0
    _max_requests: int = field(init=False)
    _websockets: int = 0
    _second: int = 0
    _late_warned: bool = False
    _thread: int = field(default_factory=threading.get_ident)
    _rejections: RejectionLog = field(default_factory=RejectionLog)
    limits: HeadLimits = field(init=False)
    timeouts: Timeouts = field(init=False)
    trusted_proxies: TrustedProxies = field(init=False)
    proxy_headers: ProxyHeaders = field(init=False)
    access_log: AccessLog = field(init=False)
    extensions: dict[str, dict[str, Any]] = field(init=False)
    _defaults: DefaultFields = field(init=False)
    _codec: CodecFactory | None = field(init=False)  # that was asked for by name

    def __post_init__(self) -> None:
        """Derive the rules' values from the settings.

        Raises:
            StartupError: a codec that was asked for is not installed.
        """
        c = self.config
        self.extensions = {
            "esg.server": self.server_info,
            "esg.shutdown": {"wait": self.stop.wait},
        }
        self.limits = HeadLimits(
            c.limit_head_size, c.limit_fields, c.limit_target_size, c.limit_body_size
        )
        self.timeouts = Timeouts(
            c.timeout_headers,
            c.timeout_keep_alive,
            c.timeout_body,
            c.timeout_write,
            accept=c.ws_accept_timeout,
            ping=c.ws_ping_interval,
            pong=c.ws_ping_timeout,
            close=c.ws_close_timeout,
            drain=min(DRAIN_TIMEOUT, c.timeout_graceful_shutdown / 2 or DRAIN_TIMEOUT),
        )
        self.timeouts.sweep_for(c.timeout_request)
        self.timeouts.sweep_for(c.cancel_on_disconnect or 0)
        self.trusted_proxies = TrustedProxies(c.forwarded_allow_ips)
        self.proxy_headers = ProxyHeaders(self.trusted_proxies, c.forwarded_fields)
        # Whoever configures logging may look at a record's fields, too.
        details = c.log_config is not None
        self.access_log = AccessLog(c.access_log_format, c.access_log_exclude, details)
        extra = [(n.encode("latin-1"), v.encode("latin-1")) for n, v in c.header]
        self._defaults = DefaultFields(b"esg" if c.server_header else None, c.date_header, extra)
        self._codec = resolve(c.ws)
        self._max_requests = c.limit_max_requests
        if c.limit_max_requests:  # the jitter is no secret
            self._max_requests += random.randint(0, c.limit_max_requests_jitter)  # noqa: S311

    def check_thread(self) -> None:
        """Check that the application calls from the thread of the event loop.

        Raises:
            WrongThread: it does not.
        """
        if threading.get_ident() != self._thread:
            raise WrongThread

    @property
    def stopping(self) -> bool:
        """Tell whether the answers from now on are the last of their connections."""
        return self.stop.is_set()

    @property
    def closes_idle(self) -> bool:
        """Tell whether connections are to be closed that are idle."""
        return self.stop.is_set() and not self.retiring

    def retire(self) -> None:
        """Stop as one of several: a client that uses its connection again is served.

        It learns from the answer that this connection is over, and opens the next one to another
        process. So nobody sends a request into a connection that is just being closed.
        """
        if not self.stop.is_set():
            self.retiring = True
            self._stop()

    def end_idle(self) -> None:
        """Stop, or end a retirement's patience with idle connections."""
        self.retiring = False
        self._stop()
        self.idle_over.set()

    def _stop(self) -> None:
        self.stop.set()
        if self.on_stop is not None:
            self.on_stop()

    def default_fields(self) -> DefaultFields:
        """Return the default response fields, with a Date of this second."""
        now = int(time.time())
        if now != self._second:
            self._second = now
            self._defaults.set_time(now)
        return self._defaults

    def believes(self, client: Address, server: Address) -> bool:
        """Tell whether what the peer of a connection says of its requests' clients is believed."""
        return self.config.proxy_headers and self.trusted_proxies.trusts_peer(client, server)

    def codec(self, deflate: DeflateParameters | None, own: CodecFactory | None = None) -> Codec:
        """Make the codec of one WebSocket.

        Args:
            deflate: what was negotiated for compression, or None.
            own: the driver's, which `--ws auto` means; wsproto if it has none.
        """
        codec = (self._codec or own or wsproto_codec())(deflate, self.config.ws_max_size)
        if not logger.isEnabledFor(TRACE):
            return codec
        self._websockets += 1
        return TracingCodec(codec, f"websocket frames #{self._websockets}")

    def request_started(self) -> None:
        """Count a request that reaches the application."""
        self.in_flight += 1
        self._requests += 1
        limit = self._max_requests
        if limit and self._requests == limit:
            if self.on_enough is not None:
                self.on_enough(f"it has had {limit} requests (--limit-max-requests)")
                return
            logger.info("Stopping after %d requests (--limit-max-requests)", limit)
            self._stop()

    def request_ended(self) -> None:
        """Count a request whose response is over."""
        self.in_flight -= 1

    @property
    def bounds_requests(self) -> bool:
        """Tell whether applications are cancelled that take too long, or whose client has left."""
        return self.config.timeout_request > 0 or self.config.cancel_on_disconnect is not None

    def running_time(self, now: float) -> RunningTime:
        """Return what bounds an application that starts now."""
        grace = self.config.cancel_on_disconnect
        return RunningTime(self.config.timeout_request, -1 if grace is None else grace, now)

    def room_for_connections(self, open_ones: int) -> int:
        """Return how many more connections may be open."""
        limit = self.config.limit_connections
        room = max(0, limit - open_ones) if limit else sys.maxsize
        if not room and self.share is not None:
            self.share.leave()
        return room

    def turn(self, open_ones: int) -> int:
        """Return how many connections to accept now; 0: ask again after `load_sharing.PAUSE`."""
        if self.share is None:
            return sys.maxsize
        return self.share.room(open_ones, time.monotonic())

    def connections_accepted(self, new: int, open_ones: int) -> None:
        """Take note of connections that were accepted."""
        if self.share is not None:
            self.share.accepted(open_ones, new)

    def connection_ended(self, open_ones: int) -> None:
        """Take note that a connection is closed."""
        if self.share is not None:
            self.share.set_open(open_ones)

    def cancelled(self, why: int, exchange: object) -> Exception:
        """Return what stands for the cancellation of an application: see `rules.running_time`."""
        if why == TOO_LONG:
            bound = self.config.timeout_request
            return AppOverdue(f"The application has not answered within {bound:g} s; cancelled")
        return ClientDisconnected("the client has left", exchange)

    def app_failed(self, error: BaseException, exchange: object) -> int:
        """Log what an application raised; return the status that tells its client."""
        if isinstance(error, AppOverdue):
            logger.error("%s (--timeout-request)", error)
            return 503
        if is_disconnect_of(error, exchange):
            logger.debug("The application ended with its client's disconnect", exc_info=error)
        else:
            logger.error("Exception in the application", exc_info=error)
        return 500

    @property
    def saturated(self) -> bool:
        """Tell whether another request would be one too many."""
        return 0 < self.config.limit_concurrency <= self.in_flight

    def rejected(self, client: Address, status: int, reason: str) -> None:
        """Log a request that the server answered in the application's place."""
        self._rejections.log(client, status, reason)

    def handshake_failed(self, client: Address, reason: str) -> None:
        """Log a client that this server could not agree on TLS with."""
        self._rejections.log_handshake(client, reason)

    def proxy_header_rejected(self, peer: Address, reason: str) -> None:
        """Log a connection that is closed for what it has in the place of a PROXY header."""
        self._rejections.log_proxy_header(peer, reason)

    def late_message(self) -> None:
        """Warn, once, of messages that came after a complete response."""
        if not self._late_warned:
            self._late_warned = True
            logger.warning("The application sends after its response is complete; ignored")
