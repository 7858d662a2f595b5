"""C types of esg/rules/flow_control.py."""


cdef class ReadFlow:
    cdef public Py_ssize_t held
    cdef public bint paused

    cpdef bint hold(self, Py_ssize_t size) except -1
    cpdef bint release(self, Py_ssize_t size) except -1
