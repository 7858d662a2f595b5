"""C types of esg/rules/websocket_deflate.py."""

cimport cython


cdef class MessageInflater:
    cdef bint _keeps_context
    cdef int _window_bits
    cdef long long _max_size
    cdef long long _size
    cdef int _ends
    cdef object _inflater
    cdef public bytes before_failure

    cpdef bytes inflate(self, object data, bint final)
    @cython.locals(pieces=list, piece=bytes)
    cdef bytes _inflate(self, object data)
    cdef bytes _rest(self)


cdef class MessageDeflater:
    cdef int _window_bits
    cdef int _strategy
    cdef int _flush
    cdef object _deflater

    @cython.locals(size=Py_ssize_t, compressed=bytes)
    cpdef bytes deflate(self, object message)


cdef bint _is_incompressible(object message) except -1
