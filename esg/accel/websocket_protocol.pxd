"""C types of websocket_protocol.pyx."""

from esg.accel.rules.request_head cimport RequestHead
from esg.accel.rules.websocket_handshake cimport OpeningHandshake
from esg.accel.transport_connection cimport TransportConnection
from esg.accel.websocket_session cimport WebSocket


cdef class WebSocketConnection(TransportConnection):
    cdef WebSocket session

    cdef int _take_over(self, TransportConnection opened) except -1
    cdef int _arrived(self) except -1
    cdef int _timer_expired(self, int timer) except -1


cdef int open_websocket(
    TransportConnection opened, RequestHead head, OpeningHandshake handshake
) except -1
