"""C types of http_content.pyx."""

from esg.accel.chunked_body cimport ChunkedBody
from esg.accel.connection cimport Connection
from esg.accel.rules.http_exchange cimport HttpExchange
from esg.accel.serving cimport Serving


cdef enum:
    # How far the reading away of unread content came.
    DRAIN_WAITS = 0
    DRAIN_DONE = 1
    DRAIN_FAILED = 2


cdef class HttpContent(HttpExchange):
    cdef Connection connection
    cdef Serving serving
    # What the connection still owes, what is here and not yet asked for (None: nothing).
    cdef long long missing
    cdef list ready
    cdef Py_ssize_t ready_size
    cdef ChunkedBody chunked
    cdef bint timed_out
    # Futures of those that wait in receive(); None: never yet.
    cdef list receivers

    cdef bint pull(self) except -1
    cdef bint _feed(self) except -1
    cdef bint _feed_chunked(self) except -1
    cdef bint _decode(self, ChunkedBody chunked) except -1
    cdef bint _wants_input(self) except -1
    cdef int _take_input(self) except -1

    cdef int input_arrived(self) except -1
    cdef int drain(self, long long limit) except -1
    cdef int eof_arrived(self) except -1
    cdef int told_to_end(self) except -1
    cdef int content_timed_out(self) except -1


cdef int wake(list waiting) except -1
