"""C types of transport_connection.pyx."""

from esg.accel.connection cimport Connection
from esg.accel.input_buffer cimport InputBuffer
from esg.accel.rules.deadlines cimport Deadlines
from esg.accel.rules.flow_control cimport ReadFlow
from esg.accel.rules.proxy_protocol cimport ProxyHeader


cdef enum:
    # What a connection is doing.
    SERVING = 0  # reading a head, or serving its request
    DRAINING = 1  # reading away what the application left
    LINGERING = 2  # throwing away what still comes, until the client has read the answer
    CLOSED = 3

cdef enum:
    # The timers of rules.deadlines.
    IDLE = 1
    HEAD = 2
    BODY = 3
    WRITE = 4
    LINGER = 5


cdef class TransportConnection(Connection):
    cdef object transport
    # By the PROXY protocol header that the connection began with, if it had one.
    cdef ProxyHeader told
    cdef int phase
    cdef Deadlines deadlines
    cdef ReadFlow flow
    cdef InputBuffer input
    # What has come is being served: what is written meanwhile may wait for more.
    cdef bint settling
    # The timer that runs ran out while bytes were waiting to be read.
    cdef bint expired_once
    cdef unsigned int _writes

    cdef int flush(self) except -1
    cdef int _transmit(self, object data) except -1
    cdef bint _may_write(self) except -1
    cdef int watch_progress(self, double now) except -1
    cdef bint is_useless(self) except -1
    cdef int balance(self) except -1
    cdef int linger(self) except -1
    cdef int forget(self) except -1
    cdef int internal_error(self) except -1

    cdef Py_ssize_t held(self) except -1

    cdef int sweep(self, double now) except -1
    cdef int stop(self) except -1
    cdef int told_to_end(self) except -1
