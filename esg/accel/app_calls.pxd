"""C types of app_calls.pyx."""

from esg.accel.http_request cimport HttpRequest


cdef class AppCall:
    cdef HttpRequest request
    cdef object message
    cdef bint sends
    # What is left to await once the call itself had to wait; a coroutine.
    cdef object _rest
    cdef bint _begun

    cdef object _begin(self)
    cdef object _resume(self, object value)
