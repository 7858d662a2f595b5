"""C types of http_protocol.pyx."""

from esg.accel.connection cimport Connection
from esg.accel.http_request cimport HttpRequest
from esg.accel.input_buffer cimport InputBuffer
from esg.accel.request_parser cimport FieldSection
from esg.accel.rules.deadlines cimport Deadlines
from esg.accel.rules.flow_control cimport ReadFlow
from esg.accel.rules.request_head cimport RequestHead


cdef class HttpConnection(Connection):
    cdef object transport
    cdef int phase
    cdef HttpRequest request
    cdef Deadlines deadlines
    cdef ReadFlow flow
    cdef InputBuffer input
    # The fields of the last plain head.
    cdef FieldSection section
    # A head whose end has not come, and how much of it has been searched for the end.
    cdef bytearray partial
    cdef Py_ssize_t searched
    cdef long long drain_limit
    cdef bint settling
    cdef bint settle_scheduled
    # A timer ran out while bytes were waiting to be read.
    cdef bint expired_once
    cdef Py_ssize_t unwritten
    cdef unsigned int writes

    cdef int settle(self) except -1
    cdef int _serve_input(self) except -1
    cdef int _next_head(self) except -1
    cdef RequestHead _read_head(self)
    cdef RequestHead _read_plain_head(self)
    cdef RequestHead _read_partial_head(self)
    cdef int _serve(self, RequestHead head) except -1
    cdef int _finish_request(self, HttpRequest request) except -1
    cdef int _drain(self, HttpRequest request) except -1
    cdef int _reuse(self) except -1
    cdef int _reject(self, str method, int status, str reason, tuple extra) except -1
    cdef int _linger(self) except -1
    cdef int _close(self) except -1
    cdef int _balance(self) except -1
    cdef int _flush(self) except -1
    cdef bint _may_write(self) except -1
    cdef int _schedule_settle(self) except -1
    cdef int _internal_error(self) except -1
    cdef int _timer_expired(self, int timer) except -1
    cdef int _watch_progress(self, double now) except -1

    cdef int sweep(self, double now) except -1
    cdef int stop(self) except -1
    cdef int told_to_end(self) except -1
