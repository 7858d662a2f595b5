"""C types of esg/rules/lifespan.py."""


cdef class LifespanTable:
    cdef bint _required
    cdef public int state
    cdef public str message

    cpdef void startup_taken(self) except *
    cpdef void shutdown_taken(self) except *
    cpdef void send(self, object message) except *
    cpdef void ended(self) except *
