# cython: binding=False
"""One client connection in HTTP/1.1: bytes to heads, heads to requests, and what follows each.

The transport reports; `settle` then does everything that has become possible, in order: finish
the request whose response is over, read the next head, serve it. Must hold no policy: that is in
the rules.
"""

import asyncio

from esg.accel.file_connection cimport FileConnection
from esg.accel.head_reader cimport head_reader
from esg.accel.http_content cimport DRAIN_DONE, DRAIN_FAILED
from esg.accel.http_request cimport http_request
from esg.accel.rules.request_head cimport RequestHead, has_begun
from esg.accel.rules.websocket_handshake cimport is_opening, rejection_fields
from esg.accel.rules.websocket_handshake cimport judge as judge_handshake
from esg.accel.serving cimport ReceiveBuffer, Serving, monotonic
from esg.accel.transport_connection cimport (
    BODY,
    CLOSED,
    DRAINING,
    HEAD,
    IDLE,
    LINGER,
    LINGERING,
    SERVING,
    WRITE,
    TransportConnection,
)
from esg.accel.websocket_protocol cimport open_websocket

from esg.accel.rules.http_exchange import DRAIN_LIMIT
from esg.accel.rules.response_head import error_response
from esg.accel.transport_socket import is_readable
from esg.errors import RequestRejected
from esg.logs import logger

cdef tuple _RETRY_AFTER = ((b"retry-after", b"1"),)
cdef object _drain_limit = DRAIN_LIMIT

cdef enum:
    # What follows a response: rules.persistence.
    REUSE = 0
    DRAIN = 1

cdef enum:
    # Requests of one read that are served before other connections have their turn.
    REQUESTS_AT_ONCE = 32
    # Joined bytes of several answers that are written before the next is begun.
    FLUSH_AT = 65536


cdef class HttpConnection(FileConnection):
    """Serve one client."""

    def __init__(self, Serving serving):
        TransportConnection.__init__(self, serving)
        self.heads = head_reader(serving.parser, serving.limits)

    # What the transport reports. No exception leaves: the loop would only log it.

    def connection_made(self, transport):
        """Take the transport."""
        TransportConnection.connection_made(self, transport)
        if self.serving.closing_idle and self.told is None:
            self.stop()

    def buffer_updated(self, Py_ssize_t size):
        """Take bytes that have been read into what `get_buffer` lent."""
        cdef ReceiveBuffer buffer = self.serving.receive_buffer
        try:
            if self.phase < LINGERING:
                buffer.in_use = True
                self.input.add(buffer.data, size)
                self.settle()
                self.input.keep()
                self.balance()
        except BaseException:
            self.internal_error()
        finally:
            buffer.in_use = False

    def eof_received(self):
        """Take note of the client's FIN; tell the transport to stay open for the response."""
        cdef HttpRequest request = self.request
        try:
            self.eof = True
            if self.phase == LINGERING:
                self.drop(False)
            elif request is not None:
                request.eof_arrived()
            self.settle()
        except BaseException:
            self.internal_error()
        return self.phase != CLOSED

    cdef int all_written(self) except -1:
        """Take note that the kernel has all bytes."""
        cdef HttpRequest request = self.request
        TransportConnection.resume_writing(self)
        if request is not None:
            request.writing_resumed()
        return self.settle()

    def opening_failed(self, error):
        """Take note that TLS did not come about: answer if the client can read that, and close."""
        try:
            if isinstance(error, RequestRejected):
                self._reject("", error.status, error.reason, ())
            else:
                self.serving.service.handshake_failed(self.client, str(error))
                self.linger()
        except BaseException:
            self.internal_error()

    cdef int forget(self) except -1:
        """Let go of what belongs to an open connection, and tell the application."""
        cdef HttpRequest request = self.request
        self.request = None
        FileConnection.forget(self)
        return request.client_lost() if request is not None else 0

    # Doing what has become possible.

    cdef int settle(self) except -1:
        """Serve what has come, as far as it goes, and write what is due."""
        if self.settling:
            return 0
        self.settling = True
        try:
            self._serve_input()
        finally:
            self.settling = False
        return self.flush()

    def settle_later(self):
        """Do what was put off to the loop's next iteration."""
        self.settle_scheduled = False
        try:
            self.settle()
            self.balance()
        except BaseException:
            self.internal_error()

    cdef int _schedule_settle(self) except -1:
        if not self.settle_scheduled:
            self.settle_scheduled = True
            self.serving.loop.call_soon(self.settle_later)
        return 0

    cdef int _serve_input(self) except -1:
        # Calls hold a reference: they may end with the connection closed and the request gone.
        cdef HttpRequest request
        cdef int served = 0
        while self.phase < LINGERING:
            if self.lost:
                return self.drop(True)
            request = self.request
            if self.phase == DRAINING:
                if not self._drain(request):
                    return 0
            elif request is None:
                if self.output.size > FLUSH_AT:
                    self.flush()
                if self.writing_paused:
                    return 0
                if served == REQUESTS_AT_ONCE:
                    return self._schedule_settle() if self.input.size else 0
                if not self._next_head():
                    return 0
                served += 1
            elif request.over:
                if self.writing_paused:
                    return 0
                self._finish_request(request)
            else:
                if self.input.size:
                    request.input_arrived()
                return 0
        self.input.clear()
        return 0

    cdef bint _next_head(self) except -1:
        """Serve the next request; tell whether there was one."""
        cdef RequestHead head
        try:
            head = self._read_head()
        except RequestRejected as rejected:
            self._reject("", rejected.status, rejected.reason, ())
            return True
        if head is not None:
            self._serve(head)
            return True
        if self.eof or (not self.heads.begun() and self._is_drained()):
            self.drop(False)  # there is nothing to answer
        return False

    cdef RequestHead _read_head(self):
        """Read the next head; None where its end has not come.

        Raises:
            RequestRejected: the verdict on it.
        """
        cdef bint begun = self.heads.begun()
        cdef RequestHead head = self.heads.read(self.input)
        if head is not None:
            self.deadlines.stop_reading()
        elif not begun and self.heads.begun():
            self.expired_once = False
            self.deadlines.arm(HEAD, monotonic())
        return head

    cdef int _serve(self, RequestHead head) except -1:
        if self.serving.saturated():
            limit = self.serving.service.config.limit_concurrency
            return self._reject(head.method, 503, f"{limit} requests are in flight", _RETRY_AFTER)
        if head.connection and self.serving.speaks_websocket and is_opening(head):
            return self._upgrade(head)
        cdef HttpRequest request = http_request(self, head)
        self.request = request
        self.expired_once = False
        return request.start()

    cdef int _upgrade(self, RequestHead head) except -1:
        """Hand everything over to a WebSocket's connection, if the handshake is lawful."""
        if self.serving.closing_idle:
            return self._reject(head.method, 503, "stopping", _RETRY_AFTER)
        try:
            handshake = judge_handshake(head, self.serving.compresses)
        except RequestRejected as rejected:
            extra = rejection_fields(rejected.status)
            return self._reject(head.method, rejected.status, rejected.reason, extra)
        return open_websocket(self, head, handshake)

    cdef int _finish_request(self, HttpRequest request) except -1:
        """Do what follows a complete response."""
        cdef int step = request.next_step()
        if step == REUSE:
            return self._reuse()
        if step == DRAIN:
            self.phase = DRAINING
            self.expired_once = False
            self.drain_limit = request.received + <long long> _drain_limit
            self.deadlines.arm(LINGER, monotonic())
            return 0
        return self.linger()

    cdef int _drain(self, HttpRequest request) except -1:
        """Read unread content away; tell whether that has ended."""
        cdef int done = request.drain(self.drain_limit)
        if done == DRAIN_DONE:
            self._reuse()
        elif done == DRAIN_FAILED:
            self.linger()
        return done

    cdef int _reuse(self) except -1:
        """Go on to the next request."""
        self.phase = SERVING
        self.request = None
        # The empty line that may precede a request is none.
        begun = self.input.size and (self.input.size > 2 or has_begun(self.input.peek()))
        self.deadlines.arm(HEAD if begun else IDLE, monotonic())
        return 0

    cdef int _reject(self, str method, int status, str reason, tuple extra) except -1:
        """Answer in the application's place, say why in the log, and close."""
        self.serving.service.rejected(self.client, status, reason)
        defaults = self.serving.default_fields()
        self.write([error_response(method, status, defaults, extra)], True)
        return self.linger()

    cdef int linger(self) except -1:
        """Close once the client has had time to read the answer; nothing of a request is left."""
        TransportConnection.linger(self)
        self.request = None
        return 0

    # What a request tells.

    cdef int read_on(self) except -1:
        self.expired_once = False
        self.deadlines.arm(BODY, monotonic())
        return self.balance()

    cdef int stop_waiting(self) except -1:
        self.deadlines.stop_reading()
        return 0

    cdef int content_taken(self) except -1:
        if self.phase == SERVING:  # a drain has one timer for all of it
            self.deadlines.stop_reading()
        return self.balance()

    cdef Py_ssize_t held(self) except -1:
        """Return how many bytes are held for this connection."""
        if self.request is None:
            return self.input.size
        return self.input.size + self.request.ready_size

    cdef int response_over(self) except -1:
        if self.settling or self.app_runs or self.phase == CLOSED:
            return 0
        return self._schedule_settle()

    cdef int app_waits(self) except -1:
        try:
            self.settle()
            self.balance()
        except BaseException:
            self.internal_error()
        return 0

    # What the server tells.

    cdef int sweep(self, double now) except -1:
        """Look at the time: fire what has run out, send a head that was held long enough."""
        cdef HttpRequest request = self.request
        if self.is_useless():
            return self.drop(True)
        self.watch_progress(now)
        cdef int timer = self.deadlines.expired(now)
        if timer:
            return self._timer_expired(timer)
        if request is not None and request.start_is_held():
            return request.flush_held_start()
        return 0

    cdef int _timer_expired(self, int timer) except -1:
        cdef HttpRequest request = self.request
        if timer == WRITE:
            logger.debug("A client did not read its response in time")
            return self.drop(True)
        if self.phase < LINGERING and not self.expired_once and is_readable(self.transport):
            self.expired_once = True  # it came in time, while the loop was blocked
            return 0
        if timer == BODY:
            self.deadlines.stop_reading()
            return request.content_timed_out() if request is not None else 0
        if timer == LINGER and self.phase == DRAINING:
            return self.linger()
        if timer == HEAD and self.heads.begun():
            return self._reject("", 408, "the head did not come in time", ())
        return self.drop(False)

    cdef int stop(self) except -1:
        """Close if idle for long enough; else the connection closes with its last response."""
        if self.transport.get_extra_info("tls_opening"):
            return 0  # the handshake is followed by a request, as a rule
        if self.phase == SERVING and self.request is None and not self.heads.begun():
            if not self.input.size and self._is_drained():
                return self.drop(False)
        return 0

    cdef bint _is_drained(self) except -1:
        """Tell whether the server stops, and no request is to be expected any more."""
        if not self.serving.closing_idle or not self.deadlines.drain(monotonic()):
            return False
        return not is_readable(self.transport)  # one that has come is served

    cdef int told_to_end(self) except -1:
        """Tell the application that waits in receive() that it is over."""
        cdef HttpRequest request = self.request
        return request.told_to_end() if request is not None else 0


class HttpProtocol(HttpConnection, asyncio.BufferedProtocol):
    """Be what asyncio's transports take for a protocol with a buffer of its own."""

    __slots__ = ()
