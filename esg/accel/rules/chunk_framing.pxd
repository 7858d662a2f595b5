"""C types of esg/rules/chunk_framing.py."""

cimport cython

cdef int _SIZE_LINE
cdef int _DATA
cdef int _DATA_END
cdef int _TRAILER_LINE
cdef int _COMPLETE


cdef class ChunkFraming:
    cdef long long _body_limit
    cdef long long _remaining
    cdef public long long body_size
    cdef Py_ssize_t _trailer_limit
    cdef Py_ssize_t _trailer_fields
    cdef bytearray _line
    cdef int _state
    cdef public Py_ssize_t trailer_start

    @cython.locals(position=Py_ssize_t, end=Py_ssize_t, taken=Py_ssize_t)
    cpdef Py_ssize_t scan(self, bytes data) except -1
    @cython.locals(newline=Py_ssize_t, end=Py_ssize_t, line=bytes)
    cdef Py_ssize_t _scan_line(self, bytes data, Py_ssize_t position) except -1
    cdef void _check_unfinished_line(self) except *
    @cython.locals(size=cython.longlong)
    cdef void _size_line(self, bytes line) except *
    cdef void _trailer_line(self, bytes line) except *
