"""C types of http_request.pyx."""

from esg.accel.chunked_body cimport ChunkedBody
from esg.accel.connection cimport Connection
from esg.accel.rules.http_exchange cimport HttpExchange
from esg.accel.rules.request_head cimport RequestHead
from esg.accel.rules.response_head cimport Http1Response
from esg.accel.serving cimport Serving


cdef enum:
    # How far the reading away of unread content came.
    DRAIN_WAITS = 0
    DRAIN_DONE = 1
    DRAIN_FAILED = 2


cdef class HttpRequest(HttpExchange):
    cdef Connection connection
    cdef Serving serving
    cdef RequestHead head
    cdef Http1Response wire
    # The response is plain: the connection's writer has it and `wire` is not made yet.
    cdef bint plain
    cdef tuple plain_fields
    cdef bint keep_alive
    cdef bint over
    # The content: what the connection still owes, what is here and not yet asked for.
    cdef long long missing
    cdef list ready
    cdef Py_ssize_t ready_size
    cdef ChunkedBody chunked
    cdef bint timed_out
    # Futures of those that wait: in receive(), in send() for their turn (None: never yet), and in
    # send() for the kernel to take what they have given.
    cdef readonly list receivers
    cdef list turns
    cdef list writers
    cdef Py_ssize_t unyielded

    cdef int start(self) except -1
    cdef object _scope(self)
    cdef dict _plain_scope(self)
    cdef bint try_receive(self) except -1
    cdef bint _pull(self) except -1
    cdef bint _feed(self) except -1
    cdef bint _feed_chunked(self) except -1
    cdef int _content_rejected(self, object rejected) except -1
    cdef object try_send(self, object message)
    cdef object _take(self, object message)
    cdef int _next_turn(self) except -1
    cdef object _write(self, list out)
    cdef object _written(self)
    cdef bint _send_plainly(self, dict message) except -1
    cdef bint _start_plainly(self, dict message) except -1
    cdef bint _send_body_plainly(self, dict message) except -1
    cdef int _leave_plain(self) except -1
    cdef bint start_is_held(self) except -1
    cdef int flush_held_start(self) except -1

    cdef bint wants_input(self) except -1
    cdef int input_arrived(self) except -1
    cdef int _take_input(self) except -1
    cdef int drain(self, long long limit) except -1
    cdef int eof_arrived(self) except -1
    cdef int client_lost(self) except -1
    cdef int told_to_end(self) except -1
    cdef int content_timed_out(self) except -1
    cdef int writing_resumed(self) except -1
    cdef int next_step(self) except -1

    cdef int app_returned(self, object result) except -1
    cdef int app_raised(self, object error) except -1
    cdef int _unfinished(self, bint client_left) except -1
    cdef int _abort(self) except -1
    cdef int _drop(self) except -1
    cdef int _answer(self, int status) except -1
    cdef int _response_over(self) except -1


cdef HttpRequest http_request(Connection connection, RequestHead head)
