"""C types of websocket_sending.pyx."""

from esg.accel.rules.websocket_session cimport WebSocketSession
from esg.accel.serving cimport Serving
from esg.accel.transport_connection cimport TransportConnection
from esg.accel.websocket_codec cimport FrameCodec


cdef class WebSocketSending(WebSocketSession):
    cdef TransportConnection connection
    cdef Serving serving
    # The driver's own codec; None where it is another.
    cdef FrameCodec frames
    # Futures of those that wait in send(): for their turn (None: never yet), and for the kernel to
    # take what they have given.
    cdef list _turns
    cdef list _writers
    cdef Py_ssize_t _unyielded

    cdef object try_send(self, object message)
    cdef object _take(self, object message)
    cdef bint _is_behind(self) except -1
    cdef bint _send_plainly(self, dict message) except -1
    cdef int write(self, list out) except -1
    cdef object _written(self)
    cdef object breathe(self)
    cdef int _next_turn(self) except -1

    cdef int writing_resumed(self) except -1
    cdef int follow(self) except -1
