"""C types of response_writer.pyx."""

from esg.accel.output_buffer cimport OutputBuffer
from esg.accel.rules.response_head cimport DefaultFields


cdef class ResponseWriter:
    # The field lines of a start that is held.
    cdef OutputBuffer _lines
    cdef int _status
    cdef bint _chunked
    # Content that is still owed to Content-Length, -1 without one.
    cdef long long left

    cdef bint start(self, object status, object headers) except -1
    cdef bint _add_line(self, bytes name, bytes value) except -1
    cdef bint _is_passed_on(self, const char *name, Py_ssize_t size, bytes value) except -1
    cdef int head(self, OutputBuffer out, DefaultFields defaults, bint keep_alive) except -1
    cdef int before(self, OutputBuffer out, Py_ssize_t size) except -1
    cdef int after(self, OutputBuffer out, Py_ssize_t size, bint is_final) except -1
