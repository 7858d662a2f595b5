"""C types of websocket_session.pyx."""

from esg.accel.rules.request_head cimport RequestHead
from esg.accel.rules.websocket_handshake cimport OpeningHandshake
from esg.accel.transport_connection cimport TransportConnection
from esg.accel.websocket_answers cimport HandshakeAnswers
from esg.accel.websocket_sending cimport WebSocketSending


cdef class WebSocket(WebSocketSending):
    cdef RequestHead head
    cdef OpeningHandshake handshake
    cdef HandshakeAnswers answers
    cdef double began
    # Waiters of those that wait in receive(); messages received since one last did.
    cdef list _receivers
    cdef object _client
    cdef int _received
    # The answer to a ping, while what was written before still waits for the client.
    cdef list _pong
    cdef int _timer_armed
    cdef bint _answered
    cdef bint over

    cdef int start(self) except -1
    cdef dict try_receive(self)
    cdef int _app_waits(self) except -1
    cdef int _wake(self, bint at_once) except -1
    cdef int read(self, bint at_once) except -1
    cdef object _decode(self)
    cdef int _take_event(self, object event) except -1
    cdef bint has_queued(self) except -1
    cdef Py_ssize_t queued_bytes(self) except -1
    cdef int _arm(self) except -1
    cdef int _log_answer(self) except -1

    cdef int data_arrived(self) except -1
    cdef int eof_arrived(self) except -1
    cdef int client_lost(self) except -1
    cdef int timer_ran_out(self) except -1
    cdef int server_stopping(self) except -1
    cdef int told_to_end(self) except -1
    cdef int flush_held_start(self) except -1

    cdef int app_returned(self, object result) except -1
    cdef int app_raised(self, object error) except -1
    cdef int _app_over(self, bint raised) except -1


cdef WebSocket websocket(TransportConnection connection, RequestHead head, OpeningHandshake handshake)
