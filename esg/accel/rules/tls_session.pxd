"""C types of esg/rules/tls_session.py."""

cimport cython


cdef class TLSSession:
    cdef public object ssl_object
    cdef public int state
    cdef object _incoming
    cdef object _outgoing
    cdef bint _begun

    cpdef void receive(self, object data) except *
    @cython.locals(handshakes=bint)
    cpdef Py_ssize_t read_into(self, object buffer) except? -2
    cpdef bint has_more(self) except -1
    cpdef void write(self, object data) except *
    cpdef void finish(self) except *
    cpdef bytes data_to_send(self)
