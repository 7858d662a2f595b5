# cython: binding=False
"""What receive() and send() return: awaitables that are done at once in the common case.

Each does what a coroutine would: nothing before it is awaited, its work once, and it can be
given to create_task, wait_for, gather or shield. Where the work has to wait for the client, the
rest is a coroutine and everything is passed on to it.
"""

cimport cython
from cpython.exc cimport PyErr_SetObject
from cpython.object cimport PyTypeObject
from cpython.ref cimport Py_DECREF, Py_INCREF, PyObject

from esg.accel.http_request cimport HttpRequest

cdef extern from "Python.h":
    PySendResult PyIter_Send(object coro, object value, PyObject **result) except PYGEN_ERROR


@cython.freelist(64)
cdef class AppCall:
    """Be the awaitable of one call of receive(), or of send() where it has a message."""

    cdef object begin(self):
        """Do the work.

        Returns:
            A coroutine for the rest; None where nothing is left but `result`.
        """
        raise NotImplementedError

    cdef PySendResult _resume(self, object value, PyObject **result) except PYGEN_ERROR:
        """Start or continue; the new reference in `*result` is what was returned or yielded."""
        if self._rest is not None:
            return PyIter_Send(self._rest, value, result)
        if self._begun:
            raise RuntimeError("cannot reuse already awaited coroutine")
        if value is not None:
            raise TypeError("can't send non-None value to a just-started coroutine")
        self._begun = True
        self._rest = self.begin()
        if self._rest is not None:
            return PyIter_Send(self._rest, None, result)
        outcome = self.result
        self.result = None
        Py_INCREF(outcome)
        result[0] = <PyObject *> outcome
        return PYGEN_RETURN

    def __await__(self):
        return self

    def __iter__(self):
        return self

    def __next__(self):
        return self.send(None)

    def send(self, value):
        """Start or continue, as a coroutine's send does."""
        cdef PyObject *result = NULL
        cdef PySendResult how = self._resume(value, &result)
        outcome = <object> result
        Py_DECREF(outcome)
        if how == PYGEN_RETURN:
            raise StopIteration(outcome)
        return outcome

    def throw(self, *args):
        """Raise where the call waits, as a coroutine's throw does."""
        if self._rest is not None:
            return self._rest.throw(*args)
        self._begun = True
        _raise(*args)

    def close(self):
        """End the call wherever it is."""
        self._begun = True
        if self._rest is not None:
            self._rest.close()


cdef class RequestCall(AppCall):
    """A call of an HTTP request's."""

    cdef object begin(self):
        """Do the work."""
        cdef HttpRequest request = <HttpRequest> self.owner
        cdef dict event
        request.serving.check_thread()
        if self.sends:
            message = self.message
            self.message = None
            try:
                return request.try_send(message)
            except Exception as error:
                return raise_after(request.breathe(), error)
        pause = request.breathe()
        if pause is not None:
            return _receive_after(pause, request)
        event = request.next_event()
        while event is None:
            if not request.try_receive():
                return request.wait_for_event()
            event = request.next_event()
        self.result = event
        return None


async def _receive_after(pause, HttpRequest request):
    await pause
    return await request.wait_for_event()


cdef object raise_after(object pause, object error):
    """Return a coroutine that raises after a pause; raise at once where there is none."""
    if pause is None:
        raise error
    return _raise_after(pause, error)


async def _raise_after(pause, error):
    await pause
    raise error


def _raise(type, value=None, traceback=None):
    """Raise what throw() was given, in either of its forms."""
    if isinstance(type, BaseException):
        raise type
    if value is None:
        value = type()
    elif not isinstance(value, BaseException):
        value = type(value)
    raise value.with_traceback(traceback)


# A StopIteration that carries an event costs as much as half a request, with its traceback. The
# interpreter asks for none where a type has slots that Cython knows no name for: `am_send`, which
# Python 3.11 awaits by, and an iterator's that ends with what it returns, which later ones do.

cdef extern from "Python.h":
    ctypedef PySendResult (*_Send "sendfunc")(PyObject *, PyObject *, PyObject **)
    ctypedef PyObject *(*_Next "iternextfunc")(PyObject *)

cdef extern from *:
    """
    static void esg_set_slots(PyTypeObject *type, sendfunc send, iternextfunc next)
    {
        type->tp_as_async->am_send = send;
        type->tp_iternext = next;
    }
    """
    void _set_slots "esg_set_slots"(PyTypeObject *call_type, _Send send, _Next next)


cdef PySendResult _send(PyObject *call, PyObject *value, PyObject **result) except PYGEN_ERROR:
    return (<AppCall> call)._resume(<object> value, result)


cdef PyObject *_next(PyObject *call) except? NULL:
    cdef PyObject *result = NULL
    if (<AppCall> call)._resume(None, &result) == PYGEN_NEXT:
        return result
    outcome = <object> result
    Py_DECREF(outcome)
    if outcome is not None:
        PyErr_SetObject(StopIteration, outcome)  # an event: neither a tuple nor an exception
    return NULL


cdef int end_without_exceptions(PyTypeObject *call_type) except -1:
    """Have awaits of a type's instances end without an exception, as far as Python can."""
    _set_slots(call_type, <_Send> _send, <_Next> _next)
    return 0


end_without_exceptions(<PyTypeObject *> RequestCall)
