# cython: binding=False
"""What receive() and send() return: awaitables that are done at once in the common case.

Each does what a coroutine would: nothing before it is awaited, its work once, and it can be
given to create_task, wait_for, gather or shield. Where the work has to wait for the client, the
rest is a coroutine and everything is passed on to it.
"""

cimport cython

from esg.accel.http_request cimport HttpRequest


@cython.freelist(64)
cdef class AppCall:
    """Be the awaitable of one call of receive(), or of send() where it has a message."""

    cdef object begin(self):
        """Do the work.

        Returns:
            A coroutine for the rest; None where nothing is left and there is no result.

        Raises:
            StopIteration: nothing is left; it carries the result.
        """
        raise NotImplementedError

    cdef object _resume(self, object value):
        if self._rest is None:
            if self._begun:
                raise RuntimeError("cannot reuse already awaited coroutine")
            if value is not None:
                raise TypeError("can't send non-None value to a just-started coroutine")
            self._begun = True
            self._rest = self.begin()
            if self._rest is None:
                raise StopIteration
        return self._rest.send(value)

    def __await__(self):
        return self

    def __iter__(self):
        return self

    def __next__(self):
        # Without a StopIteration where there is nothing for it to carry.
        if not self._begun:
            self._begun = True
            self._rest = self.begin()
            if self._rest is None:
                raise StopIteration
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
            return request.try_send(message)
        event = request.next_event()
        while event is None:
            if not request.try_receive():
                return request.wait_for_event()
            event = request.next_event()
        raise StopIteration(event)


def _raise(type, value=None, traceback=None):
    """Raise what throw() was given, in either of its forms."""
    if isinstance(type, BaseException):
        raise type
    if value is None:
        value = type()
    elif not isinstance(value, BaseException):
        value = type(value)
    raise value.with_traceback(traceback)
