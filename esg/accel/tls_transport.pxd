"""C types of tls_transport.pyx."""

from esg.accel.rules.tls_session cimport TLSSession
from esg.accel.serving cimport ReceiveBuffer, Serving


cdef class TLSTransport:
    cdef Serving _serving
    cdef object _connection
    cdef object _transport
    cdef TLSSession _session
    cdef bint _reading_paused
    cdef bint _goes_on_soon
    cdef bint _ended  # the client's input
    cdef bint _end_told
    cdef object _failure
    cdef bint _writing_paused
    cdef object _waiting  # plaintext that is still to be encrypted
    cdef Py_ssize_t _waiting_size
    cdef int _then

    cdef int _take(self, object data) except -1
    cdef int _send_alert(self) except -1
    cdef int _deliver(self) except -1
    cdef Py_ssize_t _gather(self, ReceiveBuffer buffer, Py_ssize_t filled) except -1
    cdef int _tell_end(self) except -1
    cdef int _encrypt_waiting(self) except -1
    cdef int _encrypt(self, Py_ssize_t limit) except -1
    cdef int _send_made(self) except -1
    cdef int _end(self) except -1
