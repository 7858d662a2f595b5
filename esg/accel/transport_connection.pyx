# cython: binding=False
"""One client connection on an asyncio transport, whatever it speaks: bytes in and out, and its end.

Answers leave once per read, joined where they are small and not copied where they are large; the
kernel's slowness is passed on in both directions. Must not know requests.
"""

from cpython.buffer cimport PyBUF_SIMPLE, PyBuffer_Release, PyObject_GetBuffer
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from cpython.list cimport PyList_CheckExact

from esg.accel.output_buffer cimport OutputBuffer
from esg.accel.response_writer cimport ResponseWriter
from esg.accel.serving cimport Serving, monotonic

from esg.accel.transport_socket import fileno, is_at_end, reset
from esg.binding import endpoint, peer
from esg.connection_reset import is_reset
from esg.logs import logger
from esg.send_buffer import unacknowledged

cdef enum:
    # Buffers of up to this many bytes are joined; larger ones are not copied.
    JOIN_LIMIT = 16384
    # Joined bytes that are written without waiting for more.
    FLUSH_AT = 65536
    # Writes after which a transport is asked whether it is closing.
    WRITES_UNSEEN = 4


cdef class TransportConnection(Connection):
    """Move the bytes of one client.

    Args:
        serving: what all connections share.
    """

    def __init__(self, Serving serving):
        self.serving = serving
        self.scheme = "http" if serving.service.tls is None else "https"
        self.deadlines = Deadlines(serving.timeouts)
        self.flow = ReadFlow()
        self.input = InputBuffer()
        self.output = OutputBuffer()
        self.writer = ResponseWriter()

    # What the transport reports of writing.

    def connection_made(self, transport):
        """Take the transport."""
        self.transport = transport
        if self.told is not None and self.told.tells_ends:
            self.client = self.told.client
            self.server = self.told.server
            self.proxied = self.client is not None and self.serving.believes(self.client, None)
        else:
            self.client = peer(transport.get_extra_info("peername"))
            self.server = endpoint(transport.get_extra_info("sockname"))
            self.proxied = self.told is None or self.told.is_local
            self.proxied = self.proxied and self.serving.believes(self.client, self.server)
        # With no room at all, the transport pauses us exactly while bytes are unsent.
        transport.set_write_buffer_limits(0)
        self.deadlines.arm(HEAD, monotonic())
        self.serving.connections.add(self)

    def get_buffer(self, hint):
        """Lend the memory to read into."""
        return self.serving.free_buffer()

    def pause_writing(self):
        """Take note that bytes wait for the client to read."""
        self.writing_paused = True
        self.deadlines.arm(WRITE, monotonic())

    def resume_writing(self):
        """Take note that the kernel has all bytes."""
        self.writing_paused = False
        self.deadlines.stop_writing()

    def connection_lost(self, error):
        """Take note that the connection is gone."""
        try:
            if error is not None:
                logger.debug("Connection lost: %s", error)
            self.forget()
        except BaseException:
            self.internal_error()
        finally:
            self.transport = None
            self.serving.connection_closed(self)

    # Bytes out.

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
        return self.flush()

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
            self._transmit([self.output.take(), piece])
            return
        self.flush()
        self._transmit(piece)

    cdef int flush(self) except -1:
        """Write what is due."""
        if self.output.size:
            self._transmit(self.output.take())
        return 0

    cdef int _transmit(self, data) except -1:
        """Give the transport a buffer, or a list of them."""
        if not self._may_write():
            return 0
        try:
            if PyList_CheckExact(data):
                self.transport.writelines(data)
            else:
                self.transport.write(data)
        except BaseException:
            # Such as a RecursionError. Nothing more is done here, where that might fail, too; but
            # another response must not be taken for the one that is lost.
            self.lost = True
            raise
        return 0

    cdef bint _may_write(self) except -1:
        """Tell whether the transport still takes bytes.

        It says of a lost connection only in the loop's next iteration, and asyncio's warns of the
        fifth write to it: every fourth one looks.
        """
        if self.lost or self.transport is None:
            return False
        self._writes += 1
        if self._writes % WRITES_UNSEEN == 0 and self.transport.is_closing():
            self.lost = True
            self.output.size = 0
            return False
        return True

    cdef int watch_progress(self, double now) except -1:
        """Show the timers what the client has not taken yet."""
        if not self.lost and self.transport is not None and self.deadlines.watches_client():
            self.deadlines.untaken(
                self.transport.get_write_buffer_size() + unacknowledged(fileno(self.transport)), now
            )
        return 0

    cdef bint is_useless(self) except -1:
        """Tell whether the connection is at its end without an event that says so.

        The client has reset it behind bytes that wait in the kernel, or a write has failed.
        """
        if self.lost:
            return self.phase != CLOSED
        return (
            self.flow.paused
            and self.transport is not None
            and is_reset(fileno(self.transport))
        )

    # Bytes in.

    cdef bytes take_input(self, Py_ssize_t limit):
        return self.input.take(limit) if self.input.size else None

    cdef bytes peek_input(self, Py_ssize_t limit):
        return self.input.first(limit) if self.input.size else None

    cdef int skip_input(self, Py_ssize_t size) except -1:
        self.input.skip(size)
        return 0

    cdef bint at_eof(self) except -1:
        return self.eof or self.transport is None or is_at_end(self.transport)

    cdef Py_ssize_t held(self) except -1:
        """Return how many bytes are held for this connection."""
        return self.input.size

    cdef int balance(self) except -1:
        """Pause or resume reading, by what is held, as the rule says."""
        cdef Py_ssize_t change = self.held() - self.flow.held
        if self.eof or self.phase >= LINGERING or self.transport is None:
            return 0
        if change > 0 and self.flow.hold(change):
            self.transport.pause_reading()
        elif change < 0 and self.flow.release(-change):
            self.transport.resume_reading()
        return 0

    # The end.

    cdef int linger(self) except -1:
        """Close once the client has had time to read the answer.

        A close with unread bytes in the kernel would reset the connection and take the answer
        with it (RFC 9112 section 9.6).
        """
        self.flush()
        self.input.clear()
        if self.eof or self.lost or not self.transport.can_write_eof():
            return self.drop(False)
        self.phase = LINGERING
        if self.flow.paused:
            self.flow.paused = False
            self.transport.resume_reading()
        self.deadlines.arm(LINGER, monotonic())
        try:
            self.transport.write_eof()
        except OSError as error:  # reset by the client, which asyncio says at once
            logger.debug("Connection lost: %s", error)
            return self.drop(False)
        return 0

    cdef int drop(self, bint abort) except -1:
        """Close at once, and wake whoever still waits for the client."""
        transport = self.transport
        if self.phase == CLOSED and not abort:
            return 0
        if not abort:
            self.flush()
        self.forget()
        if transport is None:
            return 0
        if abort:
            reset(transport)
        else:
            transport.close()
        return 0

    cdef int forget(self) except -1:
        """Let go of what belongs to an open connection."""
        self.lost = True
        self.writing_paused = False
        self.phase = CLOSED
        self.input.clear()
        self.output.size = 0
        self.deadlines.stop_reading()
        return 0

    cdef int internal_error(self) except -1:
        """Close the connection; whatever went wrong, others go on."""
        try:
            logger.exception("Internal error; the connection is closed")
            self.drop(True)
        except Exception:
            logger.exception("Internal error while closing a connection")
        return 0

    # What a scope says of it.

    cdef dict offered(self):
        """Return the extensions of all scopes of the connection."""
        tls = self.serving.service.tls
        if self.extensions is None:
            self.extensions = self.serving.extensions
            if tls is not None:
                spoken = tls.extension(self.transport.get_extra_info("ssl_object"))
                self.extensions = {**self.extensions, "tls": spoken}
        return self.extensions

    # What the server tells.

    cdef int sweep(self, double now) except -1:
        """Look at the time: fire what has run out."""
        raise NotImplementedError

    cdef int stop(self) except -1:
        """Take note that the server is to stop."""
        raise NotImplementedError

    cdef int told_to_end(self) except -1:
        """Tell the application that waits in receive() that it is over."""
        raise NotImplementedError
