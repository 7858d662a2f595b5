"""What receive() and send() return: awaitables that are done at once in the common case.

Each does what a coroutine would: nothing before it is awaited, its work once, and it can be
given to create_task, wait_for, gather or shield. Where the work has to wait for the client, the
rest is a coroutine and everything is passed on to it.
"""

from esg.accel.http_request cimport HttpRequest


cdef class AppCall:
    """Be the awaitable of one call."""

    cdef object begin(self):
        """Do the work; raise StopIteration with its result, or return a coroutine for the rest."""
        raise NotImplementedError

    cdef object _resume(self, object value):
        if self._rest is None:
            if self._begun:
                raise RuntimeError("cannot reuse already awaited coroutine")
            self._begun = True
            if value is not None:
                raise TypeError("can't send non-None value to a just-started coroutine")
            self._rest = self.begin()
        return self._rest.send(value)

    def __await__(self):
        return self

    def __iter__(self):
        return self

    def __next__(self):
        return self._resume(None)

    def send(self, value):
        """Start or continue, as a coroutine's send does."""
        return self._resume(value)

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


cdef class ReceiveCall(AppCall):
    """Be the awaitable of receive()."""

    cdef object begin(self):
        cdef dict event = self.request.next_event()
        while event is None:
            if not self.request.try_receive():
                return self.request.wait_for_event()
            event = self.request.next_event()
        raise StopIteration(event)


cdef class SendCall(AppCall):
    """Be the awaitable of send()."""

    cdef object begin(self):
        rest = self.request.try_send(self.message)
        self.message = None
        if rest is None:
            raise StopIteration
        return rest


def _raise(type, value=None, traceback=None):
    """Raise what throw() was given, in either of its forms."""
    if isinstance(type, BaseException):
        raise type
    if value is None:
        value = type()
    elif not isinstance(value, BaseException):
        value = type(value)
    raise value.with_traceback(traceback)
