"""C types of esg/rules/chunk_framing.py."""

cimport cython


cdef class ChunkFraming:
    # A chunk size has up to 16 digits: more than a signed C integer holds.
    cdef object _body_limit
    cdef object _remaining
    cdef public object body_size
    cdef Py_ssize_t _trailer_limit
    cdef Py_ssize_t _trailer_fields
    cdef bytearray _line
    cdef int _state

    @cython.locals(position=Py_ssize_t, end=Py_ssize_t)
    cpdef Py_ssize_t scan(self, bytes data) except -1
    @cython.locals(newline=Py_ssize_t, end=Py_ssize_t, line=bytes)
    cdef Py_ssize_t _scan_line(self, bytes data, Py_ssize_t position) except -1
    cdef void _check_unfinished_line(self) except *
    cdef void _size_line(self, bytes line) except *
    cdef void _trailer_line(self, bytes line) except *
