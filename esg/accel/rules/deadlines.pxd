"""C types of esg/rules/deadlines.py."""

cimport cython

cdef double _NEVER


cdef class Timeouts:
    cdef public double head
    cdef public double idle
    cdef public double body
    cdef public double write
    cdef public double accept
    cdef public double ping
    cdef public double pong
    cdef public double close
    cdef public double drain
    cdef public double sweep_interval

    cpdef void sweep_for(self, double seconds) except *


cdef class Deadlines:
    cdef Timeouts _timeouts
    cdef int _reading
    cdef double _reading_since
    cdef double _reading_ends
    cdef double _writing_ends
    cdef Py_ssize_t _untaken
    cdef bint _ping_waits

    @cython.locals(seconds=double, ends=double)
    cpdef void arm(self, int timer, double now) except *
    cpdef bint drain(self, double now) except -1
    @cython.locals(timeouts=Timeouts)
    cdef double _seconds(self, int timer) except? -1
    @cython.locals(timeouts=Timeouts)
    cdef double _websocket_seconds(self, int timer) except? -1
    cpdef void stop_reading(self) except *
    cpdef void stop_writing(self) except *
    cpdef bint watches_client(self) except -1
    cpdef void untaken(self, Py_ssize_t size, double now) except *
    cpdef double next(self) except? -1
    cpdef int expired(self, double now) except -1
