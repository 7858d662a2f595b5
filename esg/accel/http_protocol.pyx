# cython: binding=False
"""One client connection on a transport: bytes to heads, heads to requests, and its end.

The transport reports; `settle` then does everything that has become possible, in order: finish
the request whose response is over, read the next head, serve it. Must hold no policy: that is in
the rules.
"""

import asyncio
import select
import socket
import struct

from cpython.bytearray cimport PyByteArray_GET_SIZE
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from cpython.buffer cimport PyBUF_SIMPLE, PyBuffer_Release, PyObject_GetBuffer

from esg.accel.http_request cimport DRAIN_DONE, DRAIN_FAILED, http_request
from esg.accel.output_buffer cimport OutputBuffer
from esg.accel.request_parser cimport RequestParser
from esg.accel.rules.request_head cimport RequestHead, check_partial, find_end, judge
from esg.accel.response_writer cimport ResponseWriter
from esg.accel.serving cimport Serving, monotonic

from esg.accel.rules.http_exchange import DRAIN_LIMIT
from esg.accel.rules.request_head import has_begun
from esg.accel.rules.response_head import error_response
from esg.binding import endpoint, peer
from esg.errors import RequestRejected
from esg.logs import logger

cdef tuple _RETRY_AFTER = ((b"retry-after", b"1"),)
cdef bytes _RESET = struct.pack("ii", 1, 0)
cdef object _drain_limit = DRAIN_LIMIT

cdef enum:
    # What the connection is doing.
    SERVING = 0  # reading a head, or serving its request
    DRAINING = 1  # reading away what the application left
    LINGERING = 2  # throwing away what still comes, until the client has read the answer
    CLOSED = 3

cdef enum:
    # The timers of rules.deadlines.
    IDLE = 1
    HEAD = 2
    BODY = 3
    WRITE = 4
    LINGER = 5

cdef enum:
    # What follows a response: rules.persistence.
    REUSE = 0
    DRAIN = 1

cdef enum:
    # Requests of one read that are served before other connections have their turn.
    REQUESTS_AT_ONCE = 32
    # Buffers of up to this many bytes are joined; larger ones are not copied.
    JOIN_LIMIT = 16384
    # Joined bytes that are written without waiting for more.
    FLUSH_AT = 65536
    # Writes after which a transport is asked whether it is closing.
    WRITES_UNSEEN = 4


cdef class HttpConnection(Connection):
    """Serve one client.

    Args:
        serving: what all connections share.
    """

    def __init__(self, Serving serving):
        self.serving = serving
        self.scheme = "http"
        self.deadlines = Deadlines(serving.timeouts)
        self.flow = ReadFlow()
        self.input = InputBuffer()
        self.output = OutputBuffer()
        self.writer = ResponseWriter()

    # What the transport reports. No exception leaves: the loop would only log it.

    def connection_made(self, transport):
        """Take the transport."""
        self.transport = transport
        self.client = peer(transport.get_extra_info("peername"))
        self.server = endpoint(transport.get_extra_info("sockname"))
        # With no room at all, the transport pauses us exactly while bytes are unsent.
        transport.set_write_buffer_limits(0)
        self.deadlines.arm(HEAD, monotonic())
        self.serving.connections.add(self)
        if self.serving.stopping:
            self.stop()

    def get_buffer(self, hint):
        """Lend the memory to read into."""
        return self.serving.receive_buffer

    def buffer_updated(self, Py_ssize_t size):
        """Take bytes that have been read into what `get_buffer` lent."""
        try:
            if self.phase < LINGERING:
                self.input.add(self.serving.receive_buffer.data, size)
                self.settle()
                self.input.keep()
                self._balance()
        except BaseException:
            self._internal_error()

    def eof_received(self):
        """Take note of the client's FIN; tell the transport to stay open for the response."""
        cdef HttpRequest request = self.request
        try:
            self.eof = True
            if self.phase == LINGERING:
                self._close()
            elif request is not None:
                request.eof_arrived()
            self.settle()
        except BaseException:
            self._internal_error()
        return self.phase != CLOSED

    def pause_writing(self):
        """Take note that bytes wait for the client to read."""
        self.writing_paused = True
        self.unwritten = 0
        self.deadlines.arm(WRITE, monotonic())

    def resume_writing(self):
        """Take note that the kernel has all bytes."""
        cdef HttpRequest request = self.request
        self.writing_paused = False
        self.deadlines.stop_writing()
        try:
            if request is not None:
                request.writing_resumed()
            self.settle()
        except BaseException:
            self._internal_error()

    def connection_lost(self, error):
        """Take note that the connection is gone."""
        try:
            if error is not None:
                logger.debug("Connection lost: %s", error)
            self._forget()
        except BaseException:
            self._internal_error()
        finally:
            self.transport = None
            self.serving.connection_closed(self)

    def _forget(self):
        """Let go of what belongs to an open connection, and tell the application."""
        cdef HttpRequest request = self.request
        self.lost = True
        self.writing_paused = False
        self.phase = CLOSED
        self.request = None
        self.input.clear()
        self.output.size = 0
        self.deadlines.stop_reading()
        if request is not None:
            request.client_lost()

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
        return self._flush()

    def settle_later(self):
        """Do what was put off to the loop's next iteration."""
        self.settle_scheduled = False
        try:
            self.settle()
            self._balance()
        except BaseException:
            self._internal_error()

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
            request = self.request
            if self.phase == DRAINING:
                if not self._drain(request):
                    return 0
            elif request is None:
                if self.output.size > FLUSH_AT:
                    self._flush()
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

    cdef int _next_head(self) except -1:
        """Serve the next request; tell whether there was one."""
        cdef RequestHead head
        try:
            head = self._read_head()
        except RequestRejected as rejected:
            self._reject("", rejected.status, rejected.reason, ())
            return 1
        if head is None:
            if self.eof or (self.serving.stopping and not self._head_begun()):
                self.drop(False)  # there is nothing to answer
            return 0
        self._serve(head)
        return 1

    def _head_begun(self):
        return self.partial is not None and has_begun(self.partial)

    cdef RequestHead _read_head(self):
        """Read the next head; None where its end has not come.

        Raises:
            RequestRejected: the verdict on it.
        """
        cdef Py_ssize_t end
        cdef bytes raw
        if self.partial:
            return self._read_partial_head()
        if not self.input.size:
            return None
        cdef RequestHead head = self._read_plain_head()
        if head is not None:
            return head
        end = _find_end(self.input.data, self.input.size)
        if end < 0:
            return self._read_partial_head()
        raw = self.input.take(end)
        self.deadlines.stop_reading()
        return judge(raw, self.serving.limits)

    cdef RequestHead _read_plain_head(self):
        """Read a head that needs no rule; None where it does, or has not come whole."""
        cdef RequestParser parser = self.serving.parser
        cdef RequestHead head = parser.read(self.input.data, self.input.size, self.section)
        if head is not None:
            self.section = parser.section
            self.input.skip(parser.taken)
            self.deadlines.stop_reading()
        return head

    cdef RequestHead _read_partial_head(self):
        """Go on with a head that comes in several reads."""
        cdef Py_ssize_t end
        cdef bytes raw
        if not self.input.size:
            return None
        if not self.partial:
            self.partial = bytearray()
            self.searched = 0
        begun = has_begun(self.partial)
        self.partial += self.input.take(self.input.size)
        if not has_begun(self.partial):
            return None
        if not begun:
            self.expired_once = False
            self.deadlines.arm(HEAD, monotonic())
        end = find_end(self.partial, self.searched)
        if end < 0:
            self.searched = PyByteArray_GET_SIZE(self.partial)
            check_partial(self.partial, self.serving.limits)
            return None
        raw = bytes(self.partial[:end])
        if end < PyByteArray_GET_SIZE(self.partial):
            self.input.put_back(bytes(self.partial[end:]))
        self.partial = None
        self.deadlines.stop_reading()
        return judge(raw, self.serving.limits)

    cdef int _serve(self, RequestHead head) except -1:
        if self.serving.saturated():
            limit = self.serving.service.config.limit_concurrency
            return self._reject(head.method, 503, f"{limit} requests are in flight", _RETRY_AFTER)
        cdef HttpRequest request = http_request(self, head)
        self.request = request
        self.expired_once = False
        return request.start()

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
        return self._linger()

    cdef int _drain(self, HttpRequest request) except -1:
        """Read unread content away; tell whether that has ended."""
        cdef int done = request.drain(self.drain_limit)
        if done == DRAIN_DONE:
            self._reuse()
        elif done == DRAIN_FAILED:
            self._linger()
        return done

    cdef int _reuse(self) except -1:
        """Go on to the next request."""
        self.phase = SERVING
        self.request = None
        # The empty line that may precede a request is none.
        begun = self.input.size > 2 or has_begun(self.input.peek())
        self.deadlines.arm(HEAD if begun else IDLE, monotonic())
        return 0

    # What a request asks for.

    cdef int write(self, list pieces, bint is_final) except -1:
        """Write buffers; the last of a response waits for others of the same read."""
        if self.lost or self.phase == CLOSED:
            return 0
        for piece in pieces:
            if len(piece) > JOIN_LIMIT:
                self._write_large(piece)
            else:
                self._add(piece)
        return self.written(is_final)

    cdef int write_content(self, bytes content) except -1:
        cdef Py_ssize_t size = PyBytes_GET_SIZE(content)
        if size > JOIN_LIMIT:
            self._write_large(content)
            return 0
        return self.output.add(PyBytes_AS_STRING(content), size)

    cdef int written(self, bint is_final) except -1:
        # While more requests wait in this read, their answers leave together. An empty line behind
        # a request is none.
        if is_final and self.settling and self.input.size > 2 and self.output.size <= FLUSH_AT:
            return 0
        return self._flush()

    def _add(self, piece):
        """Join a small buffer with what else is due."""
        cdef Py_buffer view
        PyObject_GetBuffer(piece, &view, PyBUF_SIMPLE)
        try:
            self.output.add(<const char *> view.buf, view.len)
        finally:
            PyBuffer_Release(&view)

    def _write_large(self, piece):
        """Write a large buffer behind what else is due, without copying it.

        What the kernel does not take at once is kept by the transport, so its owner must not be
        able to change it meanwhile.
        """
        if type(piece.obj if isinstance(piece, memoryview) else piece) is not bytes:
            piece = bytes(piece)
        if self.output.size and self.serving.gathers_writes:
            if self._may_write():
                self.transport.writelines([self.output.take(), piece])
            return
        self._flush()
        if self._may_write():
            self.transport.write(piece)

    cdef int _flush(self) except -1:
        if self.output.size:
            data = self.output.take()
            if self._may_write():
                self.transport.write(data)
        return 0

    cdef bint _may_write(self) except -1:
        """Tell whether the transport still takes bytes.

        It says of a lost connection only in the loop's next iteration, and asyncio's warns of the
        fifth write to it: every fourth one looks.
        """
        if self.lost or self.transport is None:
            return False
        self.writes += 1
        if self.writes % WRITES_UNSEEN == 0 and self.transport.is_closing():
            self.lost = True
            self.output.size = 0
            return False
        return True

    cdef int read_on(self) except -1:
        self.expired_once = False
        self.deadlines.arm(BODY, monotonic())
        return self._balance()

    cdef int stop_waiting(self) except -1:
        self.deadlines.stop_reading()
        return 0

    cdef bytes take_input(self, Py_ssize_t limit):
        return self.input.take(limit) if self.input.size else None

    cdef int give_back(self, bytes data) except -1:
        return self.input.put_back(data)

    cdef int content_taken(self) except -1:
        if self.phase == SERVING:  # a drain has one timer for all of it
            self.deadlines.stop_reading()
        return self._balance()

    cdef int response_over(self) except -1:
        if self.settling or self.app_runs or self.phase == CLOSED:
            return 0
        return self._schedule_settle()

    cdef int app_waits(self) except -1:
        try:
            self.settle()
            self._balance()
        except BaseException:
            self._internal_error()
        return 0

    cdef bint at_eof(self) except -1:
        return self.eof or self.transport is None or _is_at_end(self.transport)

    cdef int drop(self, bint abort) except -1:
        """Close at once, and wake whoever still waits for the client."""
        transport = self.transport
        if self.phase == CLOSED and not abort:
            return 0
        if not abort:
            self._flush()
        self._forget()
        if transport is None:
            return 0
        if abort:
            _reset(transport)
        else:
            transport.close()
        return 0

    cdef int _balance(self) except -1:
        """Count what is held for this connection; pause or resume reading as the rule says."""
        cdef Py_ssize_t held = self.input.size
        cdef Py_ssize_t change
        if self.request is not None:
            held += self.request.ready_size
        change = held - self.flow.held
        if self.eof or self.phase >= LINGERING or self.transport is None:
            return 0
        if change > 0 and self.flow.hold(change):
            self.transport.pause_reading()
        elif change < 0 and self.flow.release(-change):
            self.transport.resume_reading()
        return 0

    # The ends of a connection.

    cdef int _reject(self, str method, int status, str reason, tuple extra) except -1:
        """Answer in the application's place, say why in the log, and close."""
        self.serving.service.rejected(self.client, status, reason)
        defaults = self.serving.default_fields()
        self.write([error_response(method, status, defaults, extra)], True)
        return self._linger()

    cdef int _linger(self) except -1:
        """Close once the client has had time to read the answer.

        A close with unread bytes in the kernel would reset the connection and take the answer
        with it (RFC 9112 section 9.6).
        """
        self._flush()
        self.input.clear()
        if self.eof or self.lost or not self.transport.can_write_eof():
            return self._close()
        self.phase = LINGERING
        self.request = None
        if self.flow.paused:
            self.flow.paused = False
            self.transport.resume_reading()
        self.deadlines.arm(LINGER, monotonic())
        self.transport.write_eof()
        return 0

    cdef int _close(self) except -1:
        return self.drop(False)

    cdef int _internal_error(self) except -1:
        """Close the connection; whatever went wrong, others go on."""
        try:
            logger.exception("Internal error; the connection is closed")
            self.drop(True)
        except Exception:
            logger.exception("Internal error while closing a connection")
        return 0

    # What the server tells.

    cdef int sweep(self, double now) except -1:
        """Look at the time: fire what has run out, send a head that was held long enough."""
        cdef HttpRequest request = self.request
        cdef int timer = self.deadlines.expired(now)
        if timer:
            return self._timer_expired(timer)
        if self.writing_paused:
            return self._watch_progress(now)
        if request is not None and request.start_is_held():
            return request.flush_held_start()
        return 0

    cdef int _timer_expired(self, int timer) except -1:
        cdef HttpRequest request = self.request
        if timer == WRITE:
            logger.debug("A client did not read its response in time")
            return self.drop(True)
        if self.phase < LINGERING and not self.expired_once and _is_readable(self.transport):
            self.expired_once = True  # it came in time, while the loop was blocked
            return 0
        if timer == BODY:
            self.deadlines.stop_reading()
            return request.content_timed_out() if request is not None else 0
        if timer == LINGER and self.phase == DRAINING:
            return self._linger()
        if timer == HEAD and self._head_begun():
            return self._reject("", 408, "the head did not come in time", ())
        return self.drop(False)

    cdef int _watch_progress(self, double now) except -1:
        """Restart the WRITE timer whenever the client has read something."""
        cdef Py_ssize_t unwritten = self.transport.get_write_buffer_size()
        if unwritten < self.unwritten:
            self.deadlines.arm(WRITE, now)
        self.unwritten = unwritten
        return 0

    cdef int stop(self) except -1:
        """Close if idle; else the connection closes with its current response.

        A request that came before the server was told to stop is still served.
        """
        if self.phase == SERVING and self.request is None and not self._head_begun():
            if not self.input.size and not _is_readable(self.transport):
                return self.drop(False)
        return 0

    cdef int told_to_end(self) except -1:
        """Tell the application that waits in receive() that it is over."""
        cdef HttpRequest request = self.request
        return request.told_to_end() if request is not None else 0


def _is_readable(transport):
    """Tell whether the kernel has bytes, or the end of the stream, that nobody has read."""
    poll = select.poll()
    poll.register(transport.get_extra_info("socket").fileno(), select.POLLIN)
    return bool(poll.poll(0))


def _is_at_end(transport):
    """Tell whether what comes next from the kernel is the end of the stream."""
    fd = transport.get_extra_info("socket").fileno()
    # uvloop's stand-in for the socket cannot receive, so a copy of it does.
    with socket.fromfd(fd, socket.AF_INET, socket.SOCK_STREAM) as sock:
        try:
            return not sock.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return False
        except OSError:  # a reset
            return True


def _reset(transport):
    """Close so that the client cannot take what it has for the whole."""
    sock = transport.get_extra_info("socket")
    if sock is not None:
        try:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        except OSError:  # closed already
            pass
    transport.abort()


cdef Py_ssize_t _find_end(const char *data, Py_ssize_t size) noexcept:
    """Find where a head ends, as `request_head.find_end` does; -1 where it does not."""
    cdef Py_ssize_t i = 0
    while i < size - 1:
        if data[i] == b"\n":
            if data[i + 1] == b"\n":
                return i + 2
            if data[i + 1] == b"\r" and i + 2 < size and data[i + 2] == b"\n":
                return i + 3
        elif data[i] == b"\r" and data[i + 1] == b"\r":
            return i + 2
        i += 1
    return -1


class HttpProtocol(HttpConnection, asyncio.BufferedProtocol):
    """Be what asyncio's transports take for a protocol with a buffer of its own."""

    __slots__ = ()
