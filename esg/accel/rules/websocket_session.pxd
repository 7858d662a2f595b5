"""C types of esg/rules/websocket_session.py."""


cdef class WebSocketSession:
    cdef object _answers
    cdef object _codec
    cdef Py_ssize_t _max_queue
    cdef bint _awaits_pong
    cdef public int state
    cdef public int status
    cdef public int timer
    cdef object _denial
    cdef bint _connect_delivered
    cdef list _queue
    cdef Py_ssize_t _queued_bytes
    cdef tuple _disconnect
    cdef bint _owes_answer
    cdef object _end
    cdef bint _ended_by_app

    cpdef bint wants_event(self) except -1
    cpdef list take(self, object event)
    cdef list _receive_end(self, object end)
    cpdef void end_of_input(self) except *
    cdef list _take_end(self)
    cdef void _close(self, int code, str reason) except *
    cpdef void data_received(self) except *
    cpdef void lost(self) except *
    cpdef list timer_expired(self)
    cpdef dict next_event(self)
    cpdef list app_waits(self)
    cpdef list send(self, object message)
    cdef void _expect(self, int state, object message) except *
    cdef list _accept(self, object message)
    cdef list _send(self, object message)
    cdef list _send_close(self, object message)
    cdef list _start_closing(self, int code, str reason)
    cdef list _deny(self, object message, str message_type)
    cpdef bytes flush_start(self)
    cpdef list app_ended(self, bint raised)
    cpdef list server_stops(self)
    cdef list _refuse(self, int status)


cdef object _type_of(object message)
