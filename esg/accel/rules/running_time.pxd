"""C types of esg/rules/running_time.py."""

cdef double _NEVER


cdef class RunningTime:
    cdef double _ends
    cdef double _grace
    cdef double _grace_ends
    cdef bint _client_left
    cdef bint _cancelled

    cpdef int expired(self, double now, bint client_left) except -1
