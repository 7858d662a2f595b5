"""C types of websocket_answers.pyx."""

from esg.accel.rules.http_exchange cimport HttpExchange
from esg.accel.rules.response_head cimport Http1Response
from esg.accel.rules.websocket_handshake cimport OpeningHandshake
from esg.accel.serving cimport Serving


cdef class HandshakeAnswers:
    cdef Serving _serving
    cdef OpeningHandshake _handshake
    cdef object _accepted
    cdef bytes _refusal
    cdef HttpExchange _denial
    cdef Http1Response _wire

    cdef object headers(self)
    cdef long long sent(self) except -1
