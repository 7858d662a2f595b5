"""C types of http_protocol.pyx."""

from esg.accel.file_connection cimport FileConnection
from esg.accel.head_reader cimport HeadReader
from esg.accel.http_request cimport HttpRequest
from esg.accel.rules.request_head cimport RequestHead


cdef class HttpConnection(FileConnection):
    cdef HttpRequest request
    cdef HeadReader heads
    cdef long long drain_limit
    cdef bint settle_scheduled

    cdef int settle(self) except -1
    cdef int _schedule_settle(self) except -1
    cdef int _serve_input(self) except -1
    cdef bint _next_head(self) except -1
    cdef bint _is_drained(self) except -1
    cdef RequestHead _read_head(self)
    cdef int _serve(self, RequestHead head) except -1
    cdef int _upgrade(self, RequestHead head) except -1
    cdef int _finish_request(self, HttpRequest request) except -1
    cdef int _drain(self, HttpRequest request) except -1
    cdef int _reuse(self) except -1
    cdef int _reject(self, str method, int status, str reason, tuple extra) except -1
    cdef int _timer_expired(self, int timer) except -1
