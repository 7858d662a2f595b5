# cython: binding=False
"""The half of a task that others wait for: its outcome and their callbacks.

As asyncio.Future has it, from outside: Python 3.11 to 3.14, `asyncio/futures.py`.
"""

import asyncio
import contextvars

_STATES = ("PENDING", "CANCELLED", "FINISHED")


cdef class AppFuture:
    """Hold an outcome that is not there yet."""

    @property
    def _state(self):
        return _STATES[self._status]

    @property
    def _log_traceback(self):
        return False  # whoever runs the application logs what it raises

    @_log_traceback.setter
    def _log_traceback(self, value):
        if value:
            raise ValueError("_log_traceback can only be set to False")

    @property
    def _source_traceback(self):
        return None

    def get_loop(self):
        """Return the loop that this belongs to."""
        return self._loop

    def done(self):
        """Tell whether the outcome is there."""
        return self._status != PENDING

    def cancelled(self):
        """Tell whether the outcome is a cancellation."""
        return self._status == CANCELLED

    def result(self):
        """Return the outcome.

        Raises:
            BaseException: what it is, if it is an exception.
            InvalidStateError: it is not there yet.
        """
        if self._status == CANCELLED:
            raise self._make_cancelled_error()
        if self._status == PENDING:
            raise asyncio.InvalidStateError("Result is not set.")
        if self._exception is not None:
            raise self._exception
        return self._result

    def exception(self):
        """Return the exception that the outcome is, None if it is a result.

        Raises:
            CancelledError: it is a cancellation.
            InvalidStateError: it is not there yet.
        """
        if self._status == CANCELLED:
            raise self._make_cancelled_error()
        if self._status == PENDING:
            raise asyncio.InvalidStateError("Exception is not set.")
        return self._exception

    def _make_cancelled_error(self):
        if self._exception is not None:
            return self._exception
        if self._cancel_message is None:
            return asyncio.CancelledError()
        return asyncio.CancelledError(self._cancel_message)

    def add_done_callback(self, callback, *, context=None):
        """Have `callback(self)` called soon after the outcome is there."""
        if context is None:
            context = contextvars.copy_context()
        if self._status != PENDING:
            self._loop.call_soon(callback, self, context=context)
        elif self._callbacks is None:
            self._callbacks = [(callback, context)]
        else:
            self._callbacks.append((callback, context))

    def remove_done_callback(self, callback):
        """Remove all that are equal to `callback`; return how many they were."""
        if self._callbacks is None:
            return 0
        kept = [pair for pair in self._callbacks if pair[0] != callback]
        removed = len(self._callbacks) - len(kept)
        self._callbacks = kept or None
        return removed

    cdef int finish(self, int status) except -1:
        """Have the outcome, which is set already, and tell those who wait for it."""
        cdef list callbacks = self._callbacks
        self._status = status
        if callbacks is not None:
            self._callbacks = None
            for callback, context in callbacks:
                self._loop.call_soon(callback, self, context=context)
        return 0

    def __await__(self):
        if self._status == PENDING:
            self._asyncio_future_blocking = True
            yield self
        if self._status == PENDING:
            raise RuntimeError("await wasn't used with future")
        return self.result()

    def __iter__(self):
        return self.__await__()
