"""C types of http_request.pyx."""

from esg.accel.connection cimport Connection
from esg.accel.http_sending cimport HttpSending
from esg.accel.rules.request_head cimport RequestHead


cdef class HttpRequest(HttpSending):
    # Where something bounds it: the application's time, and why it is over (rules.running_time).
    cdef object running
    cdef int overdue
    cdef bint given_up

    cdef int start(self) except -1
    cdef bint try_receive(self) except -1
    cdef int _content_rejected(self, object rejected) except -1

    cdef int client_lost(self) except -1
    cdef int next_step(self) except -1

    cdef int app_returned(self, object result) except -1
    cdef int app_raised(self, object error) except -1
    cdef int _failed(self, object error) except -1
    cdef bint is_overdue(self, double now) except -1
    cdef int _unfinished(self, bint client_left) except -1
    cdef int _abort(self) except -1
    cdef int _answer(self, int status) except -1


cdef HttpRequest http_request(Connection connection, RequestHead head)
