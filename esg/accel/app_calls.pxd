"""C types of app_calls.pyx."""


cdef class AppCall:
    # Whose call it is: an HttpRequest or another that the subclass knows.
    cdef object owner
    cdef object message
    cdef bint sends
    # What is left to await once the call itself had to wait; a coroutine.
    cdef object _rest
    cdef bint _begun

    cdef object begin(self)
    cdef object _resume(self, object value)


cdef class RequestCall(AppCall):
    pass
