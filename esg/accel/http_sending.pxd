"""C types of http_sending.pyx."""

from esg.accel.http_content cimport HttpContent
from esg.accel.rules.request_head cimport RequestHead
from esg.accel.rules.response_head cimport Http1Response


cdef class HttpSending(HttpContent):
    cdef RequestHead head
    cdef Http1Response wire
    # The response is plain: the connection's writer has it and `wire` is not made yet.
    cdef bint _plain
    cdef tuple _plain_fields
    cdef bint keep_alive
    cdef bint over
    cdef double began  # where the access log asks for it
    # As its scope shows it, where that is not the connection's.
    cdef object client
    # Futures of those that wait in send(), None: never yet; for their turn, and for the kernel to
    # take what they have given.
    cdef list _turns
    cdef list writers
    cdef Py_ssize_t _unyielded

    cdef object try_send(self, object message)
    cdef object _take(self, object message)
    cdef object _write(self, list out)
    cdef object _written(self)
    cdef object breathe(self)
    cdef bint _send_plainly(self, dict message) except -1
    cdef bint _start_plainly(self, dict message) except -1
    cdef bint _send_body_plainly(self, dict message) except -1
    cdef int leave_plain(self) except -1
    cdef int _next_turn(self) except -1

    cdef bint start_is_held(self) except -1
    cdef int flush_held_start(self) except -1
    cdef int writing_resumed(self) except -1
    cdef int end_response(self) except -1
    cdef int _log_access(self) except -1
    cdef int cut_off(self) except -1
