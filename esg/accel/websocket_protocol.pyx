# cython: binding=False
"""One client connection since its opening handshake: bytes to the session, its timers, its end.

It goes on with the transport, the unread bytes and the buffers of the HTTP connection on which the
handshake came. Must hold no policy: that is in the rules.
"""

import asyncio

from esg.accel.input_buffer cimport InputBuffer
from esg.accel.output_buffer cimport OutputBuffer
from esg.accel.rules.request_head cimport RequestHead
from esg.accel.rules.websocket_handshake cimport OpeningHandshake
from esg.accel.serving cimport ReceiveBuffer, Serving
from esg.accel.transport_connection cimport CLOSED, LINGER, LINGERING, WRITE, TransportConnection
from esg.accel.websocket_session cimport WebSocket, websocket

from esg.accel.transport_socket import is_readable
from esg.logs import logger

cdef enum:
    # Joined bytes that are written without waiting for more.
    FLUSH_AT = 65536


cdef int open_websocket(
    TransportConnection opened, RequestHead head, OpeningHandshake handshake
) except -1:
    """Serve a WebSocket on the connection that its opening handshake came on."""
    cdef WebSocketConnection connection = WebSocketProtocol(opened.serving)
    connection._take_over(opened)
    # Here as elsewhere, a reference of our own: the call may end with the session gone.
    cdef WebSocket session
    try:
        session = websocket(connection, head, handshake)
        connection.session = session
        connection.app_runs = True
        session.start()
        connection.app_runs = False
        connection.app_waits()
        connection.input.keep()
    except BaseException:
        connection.internal_error()
    return 0


cdef class WebSocketConnection(TransportConnection):
    """Serve one client.

    Args:
        serving: what all connections share.
    """

    def __init__(self, Serving serving):
        self.serving = serving

    cdef int _take_over(self, TransportConnection opened) except -1:
        """Go on with what another connection had, and leave it empty."""
        opened.flush()
        self.transport = opened.transport
        self.client = opened.client
        self.server = opened.server
        self.scheme = opened.scheme
        self.proxied = opened.proxied
        self.extensions = opened.extensions
        self.eof = opened.eof
        self.lost = opened.lost
        self.writing_paused = opened.writing_paused
        self.deadlines = opened.deadlines
        self.flow = opened.flow
        self.input = opened.input
        self.output = opened.output
        opened.input = InputBuffer()
        opened.output = OutputBuffer()
        opened.transport = None
        opened.phase = CLOSED
        opened.lost = True
        self.deadlines.stop_reading()
        self.transport.set_protocol(self)
        self.serving.connections.discard(opened)
        self.serving.connections.add(self)
        return 0

    # What the transport reports. No exception leaves: the loop would only log it.

    def buffer_updated(self, Py_ssize_t size):
        """Take bytes that have been read into what `get_buffer` lent."""
        cdef ReceiveBuffer buffer = self.serving.receive_buffer
        try:
            if self.phase < LINGERING:
                buffer.in_use = True
                self.input.add(buffer.data, size)
                self._arrived()
        except BaseException:
            self.internal_error()
        finally:
            buffer.in_use = False

    cdef int _arrived(self) except -1:
        # What is written meanwhile leaves together; the session may be gone at the end.
        cdef WebSocket session = self.session
        self.settling = True
        try:
            session.data_arrived()
        finally:
            self.settling = False
        self.flush()
        self.input.keep()
        return self.balance()

    def eof_received(self):
        """Take note of the client's FIN; the transport stays open for a response."""
        cdef WebSocket session = self.session
        try:
            self.eof = True
            if self.phase == LINGERING:
                self.drop(False)
            elif session is not None:
                session.eof_arrived()
        except BaseException:
            self.internal_error()
        return self.phase != CLOSED

    def resume_writing(self):
        """Take note that the kernel has all bytes."""
        cdef WebSocket session = self.session
        TransportConnection.resume_writing(self)
        try:
            if session is not None:
                session.writing_resumed()
                self.response_over()
        except BaseException:
            self.internal_error()

    cdef int forget(self) except -1:
        """Let go of what belongs to an open connection, and tell the application."""
        cdef WebSocket session = self.session
        self.session = None
        TransportConnection.forget(self)
        return session.client_lost() if session is not None else 0

    # What the session asks for.

    cdef int written(self, bint is_final) except -1:
        """Write what is due, unless more has come in this read that is yet to be answered."""
        cdef bint more = self.input.size or (self.session is not None and self.session.has_queued())
        return 0 if self.settling and more and self.output.size <= FLUSH_AT else self.flush()

    cdef int content_taken(self) except -1:
        """Take note that less is held than before."""
        return 0 if self.settling else self.balance()

    cdef Py_ssize_t held(self) except -1:
        """Return how many bytes are held for this connection."""
        cdef WebSocket session = self.session
        return self.input.size + (session.queued_bytes() if session is not None else 0)

    cdef int response_over(self) except -1:
        """Close once all is written, if the session is over."""
        if self.session is not None and self.session.over and not self.writing_paused:
            return self.linger()
        return 0

    cdef int linger(self) except -1:
        """Close once the client has had time to read what was written."""
        TransportConnection.linger(self)
        self.session = None
        return 0

    cdef int app_waits(self) except -1:
        """Go on with what came before; the application waits or has ended."""
        cdef WebSocket session = self.session
        try:
            if not self.settling:
                if session is not None:
                    session.read(False)
                self.flush()
                self.balance()
        except BaseException:
            self.internal_error()
        return 0

    # What the server tells.

    cdef int sweep(self, double now) except -1:
        """Look at the time: fire what has run out, send a head that was held long enough."""
        cdef WebSocket session = self.session
        if self.is_useless():
            return self.drop(True)
        self.watch_progress(now)
        cdef int timer = self.deadlines.expired(now)
        if timer:
            return self._timer_expired(timer)
        return session.flush_held_start() if session is not None else 0

    cdef int _timer_expired(self, int timer) except -1:
        cdef WebSocket session = self.session
        if timer == WRITE:
            logger.debug("A client did not read what it was sent in time")
            return self.drop(True)
        if timer == LINGER or session is None:
            return self.drop(False)
        if not self.expired_once and not self.flow.paused and is_readable(self.transport):
            self.expired_once = True  # it came in time, while the loop was blocked
            return 0
        return session.timer_ran_out()

    cdef int stop(self) except -1:
        """Tell both sides that the server stops."""
        cdef WebSocket session = self.session
        return session.server_stopping() if session is not None else 0

    cdef int told_to_end(self) except -1:
        """Let an application that waits in receive() find its client gone."""
        cdef WebSocket session = self.session
        return session.told_to_end() if session is not None else 0


class WebSocketProtocol(WebSocketConnection, asyncio.BufferedProtocol):
    """Be what asyncio's transports take for a protocol with a buffer of its own."""

    __slots__ = ()
