"""C types of app_calls.pyx."""

from cpython.object cimport PyTypeObject
from cpython.ref cimport PyObject

cdef extern from "Python.h":
    # How PyIter_Send ends: with a result, in an exception, or at a wait.
    ctypedef enum PySendResult:
        PYGEN_RETURN
        PYGEN_ERROR
        PYGEN_NEXT


cdef class AppCall:
    # Whose call it is: an HttpRequest or another that the subclass knows.
    cdef object owner
    cdef object message
    cdef bint sends
    # What the call has come to where nothing is left.
    cdef object result
    # What is left to await once the call itself had to wait; a coroutine.
    cdef object _rest
    cdef bint _begun

    cdef object begin(self)
    cdef PySendResult _resume(self, object value, PyObject **result) except PYGEN_ERROR


cdef class RequestCall(AppCall):
    pass


cdef int end_without_exceptions(PyTypeObject *call_type) except -1


cdef object raise_after(object pause, object error)
