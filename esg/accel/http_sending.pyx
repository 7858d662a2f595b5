# cython: binding=False
"""A request's response, on its way from the application to the connection.

Messages are taken in the order of their calls. The state table is `rules.http_exchange`'s; the
plain response, which most are, goes by it without being asked. Must not know the application's
task.
"""

from cpython.bytes cimport PyBytes_CheckExact, PyBytes_GET_SIZE
from cpython.dict cimport PyDict_CheckExact, PyDict_Size

from esg.accel.connection cimport Connection
from esg.accel.http_content cimport HttpContent, wake
from esg.accel.octets cimport is_text
from esg.accel.output_buffer cimport OutputBuffer
from esg.accel.response_writer cimport ResponseWriter
from esg.accel.rules.response_head cimport Http1Response

from esg.accel.rules.response_head import plan
from esg.errors import ClientDisconnected, MessageError

cdef enum:
    # The rule's states; a .pxd cannot export a Python constant.
    AWAITING_START = 0
    START_HELD = 1
    STREAMING = 2
    COMPLETE = 3
    ABORTED = 4

cdef enum:
    UNTIL_CLOSE = 3
    # A call that need not wait still lets other tasks run after this many bytes.
    YIELD_EVERY = 65536
    # What a call counts besides its bytes.
    CALL_COST = 4096


cdef class HttpSending(HttpContent):
    """Send the response to one request.

    Attributes:
        over: the response is over; the connection is another request's.
    """

    cdef object try_send(self, object message):
        """Take a message; return what remains to be awaited, None where nothing does."""
        if self._turns or (self.connection.writing_paused and self.state < COMPLETE):
            return self._send_in_turn(message)
        return self._take(message)

    cdef object _take(self, object message):
        """Take a message whose turn it is."""
        cdef list out
        cdef bint ends = self.serving.stopping and self.state <= START_HELD
        if ends:
            self.keep_alive = False
        if PyDict_CheckExact(message) and self._send_plainly(<dict> message):
            return self._written() if self.state != START_HELD else None
        self.leave_plain()
        if ends:
            self.wire.keep_alive = False
        self.serving.default_fields()  # Date is that of the response, not of the request
        try:
            out = self.send(message)
        except (MessageError, TypeError):
            if self.state == ABORTED:
                self.cut_off()
            raise
        if self.late_messages:
            self.serving.service.late_message()
        if out:
            return self._write(out)
        if self.state == COMPLETE:
            self.end_response()
        return self.breathe()

    cdef object _write(self, list out):
        cdef Connection connection = self.connection
        if connection.lost:
            raise ClientDisconnected("the client has disconnected", self)
        for piece in out:
            self._unyielded += len(piece)
        connection.write(out, self.state == COMPLETE)
        if connection.lost:  # a file was at fault
            raise ClientDisconnected("the connection is closed", self)
        return self._written()

    cdef object _written(self):
        """Return what remains to be awaited after bytes were written, None where nothing does."""
        if self.connection.writing_paused:
            return self._wait_for_client()
        if self.state == COMPLETE:
            self.end_response()
            return None
        return self.breathe()

    cdef object breathe(self):
        """Count a call; return what lets other tasks run if it is time for that, else None.

        An application may call for ever, whatever it is told.
        """
        self._unyielded += CALL_COST
        if self._unyielded > YIELD_EVERY:
            self._unyielded = 0
            return _checkpoint()
        return None

    # The plain response: what the rule would do with it, done in place.

    cdef bint _send_plainly(self, dict message) except -1:
        """Take a message if it is one of a plain response; else leave it to the rule."""
        cdef object kind = message.get("type")
        if self.disconnected or self.connection.lost:
            return False
        if self.state == AWAITING_START:
            return is_text(kind, "http.response.start", 19) and self._start_plainly(message)
        if not self._plain or self.state >= COMPLETE:
            return False
        return is_text(kind, "http.response.body", 18) and self._send_body_plainly(message)

    cdef bint _start_plainly(self, dict message) except -1:
        cdef object status = message.get("status")
        cdef object headers = message.get("headers")
        if self.wire is not None or is_text(self.method, "HEAD", 4) or self.serving.has_extra_fields:
            return False
        if PyDict_Size(message) > 3 and message.get("trailers", False):
            return False
        if not is_text(self.head.http_version, "1.1", 3):
            return False
        if not self.connection.writer.start(status, headers):
            return False
        self._plain = True
        self._plain_fields = tuple(headers)
        self.status = status
        self.state = START_HELD
        return True

    cdef bint _send_body_plainly(self, dict message) except -1:
        cdef ResponseWriter writer = self.connection.writer
        cdef OutputBuffer out = self.connection.output
        cdef object body = message.get("body", b"")
        cdef object more = message.get("more_body", False)
        cdef bint final = more is False
        cdef Py_ssize_t size
        if not PyBytes_CheckExact(body) or not (final or more is True):
            return False
        size = PyBytes_GET_SIZE(body)
        if writer.left >= 0:
            if size > writer.left or (final and size != writer.left):
                return False
            writer.left -= size
        if final and not self.request_complete and not self.unread_is_drainable():
            self.keep_alive = False  # while the head can still say so
        if self.state == START_HELD:
            writer.head(out, self.serving.default_fields(), self.keep_alive)
        self.state = COMPLETE if final else STREAMING
        writer.before(out, size)
        self.connection.write_content(<bytes> body)
        writer.after(out, size, final)
        self.sent += size
        self._unyielded += size
        self.connection.written(final)
        return True

    cdef int leave_plain(self) except -1:
        """Give the rule the response, at whatever state it is."""
        cdef Http1Response wire
        if self.wire is not None:
            return 0
        wire = Http1Response(
            self.head.http_version,
            self.keep_alive,
            self.serving.default_fields(),
            self.head.takes_trailers,
        )
        self.wire = wire
        self._wire = wire
        if self._plain and self.state < COMPLETE:
            self._plain = False
            self._has_content = True  # others are not plain
            self._content_begun = self.state == STREAMING
            self._remaining = self.connection.writer.left
            wire.start(plan(self.method, self.status, self._plain_fields))
        return 0

    # Sends that wait.

    async def _send_in_turn(self, message):
        """Take a message once those of earlier calls are taken and written.

        So messages are taken in the order of their calls, and one that is cancelled meanwhile
        leaves nothing behind.
        """
        turn = self.serving.loop.create_future()
        if self._turns is None:
            self._turns = []
        self._turns.append(turn)
        self._next_turn()
        try:
            await turn
            rest = self._take(message)
        finally:
            self._turns.remove(turn)
            self._next_turn()
        if rest is not None:
            await rest

    cdef int _next_turn(self) except -1:
        """Let the first of the sends that wait take its message, if all before it is written."""
        if self._turns and (self.state >= COMPLETE or not self.connection.writing_paused):
            turn = self._turns[0]
            if not turn.done():
                turn.set_result(None)
        return 0

    async def _wait_for_client(self):
        """Wait until the kernel has all that was written."""
        if self.connection.writing_paused:
            if self.writers is None:
                self.writers = []
            await self.wait(self.writers)
        if self.connection.lost:
            raise ClientDisconnected("the client has disconnected", self)
        if self.state == COMPLETE:
            self.end_response()

    cdef int writing_resumed(self) except -1:
        """Take note that the kernel has all that was written."""
        wake(self.writers)
        return self._next_turn()

    # A start that is held.

    cdef bint start_is_held(self) except -1:
        """Tell whether a response's start waits for its first content."""
        return self.state == START_HELD

    cdef int flush_held_start(self) except -1:
        """Write a start that was held long enough."""
        self.leave_plain()
        cdef bytes head = self.flush_start()
        if head:
            self.connection.write([head], False)
        return 0

    # The end.

    cdef int cut_off(self) except -1:
        """Close the connection of a response that stays incomplete.

        Where only the connection's end tells the end of the content, a reset must tell that it
        is not the end (RFC 9112 section 8).
        """
        return self.connection.drop(self.wire is not None and self.wire.framing == UNTIL_CLOSE)

    cdef int end_response(self) except -1:
        """Hand the connection to the next request, once."""
        if self.over:
            return 0
        self.over = True
        self.serving.request_ended()
        if self.status and self.serving.logs_access:
            self._log_access()
        wake(self.receivers)
        return self.connection.response_over()

    cdef int _log_access(self) except -1:
        cdef object fields = self._plain_fields or ()
        if self.wire is not None:
            fields = self.wire.response.fields
        cdef object client = self.connection.client if self.client is None else self.client
        return self.serving.log_access(client, self.head, self, fields, self.began)


async def _checkpoint():
    """Let other tasks run."""
    await _Yield()


class _Yield:
    __slots__ = ()

    def __await__(self):
        yield
