"""C types of chunked_body.pyx."""

from esg.accel.llhttp cimport llhttp_t
from esg.accel.rules.chunk_framing cimport ChunkFraming
from esg.accel.rules.request_head cimport HeadLimits


cdef class ChunkedBody:
    cdef ChunkFraming _framing
    cdef llhttp_t _parser
    cdef list _pieces
    cdef Py_ssize_t _decoded
    cdef readonly bint complete

    cdef Py_ssize_t feed(self, bytes data) except -1
    cdef int _execute(self, const char *data, Py_ssize_t size) except -1
    cdef bytes take(self)


cdef ChunkedBody chunked_body(HeadLimits limits)
