"""What all connections of one server share: settings as C values, the clock, who is open.

Must not know how connections work.
"""

from libc.stdlib cimport free, malloc
from posix.time cimport CLOCK_MONOTONIC, CLOCK_REALTIME, clock_gettime, timespec

from cpython.buffer cimport PyBuffer_FillInfo
from cpython.pythread cimport PyThread_get_thread_ident

import inspect
import logging
import sys

from anyio import to_thread

from esg.accel.request_parser cimport request_parser
from esg.accel.rules.access_line cimport access_line

from esg.errors import WrongThread
from esg.logs import access_logger

# Bytes read at once. Twice what flow control holds, so that a request of 64 KiB with its head
# comes in one read.
cdef enum:
    RECEIVE_SIZE = 131072
    # Of ciphertext: each connection's TLS keeps a copy of what it reads.
    CIPHERTEXT_SIZE = 65536
    # Lines of the access log that wait for the end of the loop's turn.
    MOST_LINES = 256


cdef double monotonic() noexcept:
    """Return the time, in seconds, that all deadlines are counted in."""
    cdef timespec now
    clock_gettime(CLOCK_MONOTONIC, &now)
    return now.tv_sec + now.tv_nsec * 1e-9


cdef class ReceiveBuffer:
    """Lend the memory that transports read into.

    One for all connections of a loop: a read and what is made of it are one callback, so no two
    connections use it at the same time, unless an application runs the loop from within its own
    step (nest_asyncio). Free-threaded Python changes nothing in that, as long as a server's
    connections stay on its loop's thread.
    """

    def __cinit__(self, Py_ssize_t size):
        self.data = <char *> malloc(size)
        if self.data is NULL:
            raise MemoryError
        self.size = size

    def __dealloc__(self):
        free(self.data)

    def __len__(self):
        return self.size

    def __getbuffer__(self, Py_buffer *view, int flags):
        PyBuffer_FillInfo(view, self, self.data, self.size, 0, flags)


def _coroutine_function(app):
    """Make sure that calling the application runs nothing of it."""
    if inspect.iscoroutinefunction(app) or inspect.iscoroutinefunction(
        getattr(type(app), "__call__", None)
    ):
        return app

    async def call(scope, receive, send):
        return await app(scope, receive, send)

    return call


cdef class Serving:
    """Hold what all connections of one server share.

    Args:
        service: what to serve.
        loop: the running loop.

    Attributes:
        connections: those that are open.
        tasks: applications that are waiting for something.
    """

    def __init__(self, service, loop):
        config = service.config
        self.service = service
        self.loop = loop
        self.thread = PyThread_get_thread_ident()
        self.app = _coroutine_function(service.app)
        self.context = service.context
        self.state = service.state
        self.extensions = service.extensions
        self.root_path = config.root_path
        # The service holds the interpreted twins of these.
        self.limits = HeadLimits(
            config.limit_head_size,
            config.limit_fields,
            config.limit_target_size,
            config.limit_body_size,
        )
        self.timeouts = Timeouts(
            config.timeout_headers,
            config.timeout_keep_alive,
            config.timeout_body,
            config.timeout_write,
            accept=config.ws_accept_timeout,
            ping=config.ws_ping_interval,
            pong=config.ws_ping_timeout,
            close=config.ws_close_timeout,
            drain=service.timeouts.drain,
        )
        self.timeouts.sweep_for(service.timeouts.sweep_interval * 4)
        self._believes_proxies = config.proxy_headers
        self._trusted_proxies = TrustedProxies(config.forwarded_allow_ips)
        self.proxy_headers = ProxyHeaders(self._trusted_proxies, config.forwarded_fields)
        self.bounds_requests = service.bounds_requests
        extra = [(n.encode("latin-1"), v.encode("latin-1")) for n, v in config.header]
        server = b"esg" if config.server_header else None
        self.has_extra_fields = bool(extra)
        self._defaults = DefaultFields(server, config.date_header, extra)
        self.parser = request_parser(self.limits)
        self.receive_buffer = ReceiveBuffer(RECEIVE_SIZE)
        if service.tls is not None:
            self.ciphertext_buffer = ReceiveBuffer(CIPHERTEXT_SIZE)
        self.connections = set()
        self.tasks = set()
        self.speaks_websocket = config.ws != "none"
        self.decodes_frames = config.ws == "auto"
        self.compresses = config.ws_per_message_deflate
        self.message_limit = config.ws_max_size
        self.queue_limit = config.ws_max_queue
        self.awaits_pong = bool(config.ws_ping_timeout)
        self.counts_requests = bool(config.limit_concurrency or config.limit_max_requests)
        # Before 3.12 asyncio's own transports join what they are to gather.
        self.gathers_writes = (
            sys.version_info >= (3, 12) or type(loop).__module__.partition(".")[0] == "uvloop"
        )
        self.refresh()

    def refresh(self):
        """Look again at what may change while serving; called once per sweep."""
        self.logs_access = access_logger.isEnabledFor(logging.INFO)
        self.logs_details = self.logs_access and self.service.access_log.detailed
        self.logs_lines = self.logs_access and self.service.access_log.holds_lines

    cdef int log_access(
        self, tuple client, RequestHead head, object response, object fields, double began
    ) except -1:
        """Log a response: see `AccessLog.log`. Lines of one turn of the loop are written together."""
        if self._lines is None and self.logs_lines:
            self._lines = self.service.access_log.hold()
            if self._lines is not None:
                self.loop.call_soon(self.write_lines)
        if self._lines is None:
            self.service.access_log.log(client, head, response, fields, began)
            return 0
        cdef bytes target = head.raw_path
        if head.query:
            target += b"?" + head.query
        self._lines.append(
            access_line(client, head.method, target, head.http_version, response.status)
        )
        if len(self._lines) >= MOST_LINES:
            self.service.access_log.write_held()
        return 0

    def write_lines(self):
        """Write what this turn of the loop has logged."""
        self._lines = None
        self.service.access_log.write_held()

    def stop(self):
        """Take note that answers are the last of their connections; perhaps idle ones end, too."""
        self.stopping = True
        self.closing_idle = self.service.closes_idle
        if self.closing_idle:
            self.timeouts.sweep_for(self.timeouts.drain)

    def cancel(self):
        """Cancel every application that is still running, but for those that wait for a thread."""
        self.cancelling = True
        # Their threads go on whatever happens to them; anyio's own scopes leave them, too.
        in_threads = to_thread.current_default_thread_limiter().statistics().borrowers
        for task in tuple(self.tasks):
            if task not in in_threads:
                task.cancel()

    cdef ReceiveBuffer free_buffer(self):
        """Return the memory to read into, which holds nothing that is still to be served."""
        if self.receive_buffer.in_use:
            self.receive_buffer = ReceiveBuffer(RECEIVE_SIZE)
        return self.receive_buffer

    cdef bint trusts(self, object client, object server) except -1:
        """Tell whether the peer of a connection is a trusted proxy."""
        return self._trusted_proxies.trusts_peer(client, server)

    cdef bint believes(self, object client, object server) except -1:
        """Tell whether what the peer of a connection says of its requests' clients is believed."""
        return self._believes_proxies and self._trusted_proxies.trusts_peer(client, server)

    cdef DefaultFields default_fields(self):
        """Return the default response fields, with a Date of this second."""
        cdef timespec now
        # Not time(): its clock stands still between two ticks, and so may be a second behind.
        clock_gettime(CLOCK_REALTIME, &now)
        if now.tv_sec != self._second:
            self._second = now.tv_sec
            self._defaults.set_time(now.tv_sec)
        return self._defaults

    # The service's counts are looked at only where a limit depends on them.

    cdef int check_thread(self) except -1:
        """Check that the application calls from the thread of the event loop."""
        if PyThread_get_thread_ident() != self.thread:
            raise WrongThread
        return 0

    cdef bint saturated(self) except -1:
        """Tell whether another request would be one too many."""
        return self.counts_requests and self.service.saturated

    cdef void request_started(self) except *:
        """Count a request that reaches the application."""
        if self.counts_requests:
            self.service.request_started()

    cdef void request_ended(self) except *:
        """Count a request whose response is over."""
        if self.counts_requests:
            self.service.request_ended()

    # The end: all connections closed, all applications returned.

    cdef void connection_closed(self, object connection) except *:
        """Forget a connection."""
        self.connections.discard(connection)
        self._tell_emptied()
        if self.on_room is not None:
            self.on_room()

    cdef void task_ended(self, object task) except *:
        """Forget an application's task."""
        self.tasks.discard(task)
        self._tell_emptied()

    cdef void _tell_emptied(self) except *:
        if self._emptied is not None and not self.connections and not self.tasks:
            if not self._emptied.done():
                self._emptied.set_result(None)

    async def emptied(self):
        """Wait until no connection is open and no application runs."""
        while self.connections or self.tasks:
            self._emptied = self.loop.create_future()
            try:
                await self._emptied
            finally:
                self._emptied = None
