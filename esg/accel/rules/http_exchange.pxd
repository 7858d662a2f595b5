"""C types of esg/rules/http_exchange.py."""

cimport cython


cdef class HttpExchange:
    cdef public str method
    cdef public long long content_length
    cdef public bint awaits_continue
    cdef object _plan
    cdef object _wire
    cdef public object open_file
    cdef public int state
    cdef public int status
    cdef public Py_ssize_t late_messages
    cdef public bint request_complete
    cdef public long long received
    cdef public Py_ssize_t buffered
    cdef list _body
    cdef bint _body_delivered
    cdef public bint disconnected
    cdef public bint client_left
    cdef public long long sent
    cdef bint _has_content
    cdef bint _content_begun
    cdef bint _content_over
    cdef bint _trailers_announced
    cdef long long _remaining
    cdef bint _held_replaceable
    cdef bint _held_at_sweep

    cpdef void begin(
        self,
        str method,
        long long content_length,
        bint awaits_continue,
        object plan,
        object wire,
    ) except *
    cpdef void body_received(self, bytes data) except *
    cpdef void body_complete(self) except *
    cpdef void leave(self) except *
    cpdef void disconnect(self) except *
    cpdef dict next_event(self)
    cpdef bint take_continue(self) except -1
    cpdef list send(self, object message)
    cdef void _send_start(self, object message) except *
    @cython.locals(final=bint)
    cdef list _send_body(self, object message)
    @cython.locals(whole=bint, final=bint)
    cdef list _send_file(self, object message, object open_file)
    cdef void _check_place(self, object message_type) except *
    cdef list _send_content(self, object content, bint final)
    @cython.locals(final=bint)
    cdef list _send_trailers(self, object message)
    @cython.locals(hint=bytes)
    cdef list _send_early_hint(self, object message)
    cdef void _check_length(self, Py_ssize_t size, bint final) except *
    cpdef bytes flush_start(self)
    cpdef bint needs_error_response(self) except -1
    cpdef void answered_by_server(self, int status) except *
    cpdef bint unread_is_drainable(self) except -1
    cpdef bint abort(self) except -1


cdef bint _are_trailers(object message) except -1
cdef object _type_of(object message)
