# cython: binding=False
"""A future that resumes an application's task in the very callback that brought what it waits for.

To everybody but our own tasks it is a future like any other.
"""

cimport cython
from cpython.contextvars cimport PyContext_Enter, PyContext_Exit

from esg.accel.app_future cimport CANCELLED, FINISHED, PENDING, AppFuture
from esg.accel.app_task cimport AppTask


cdef AppWaiter app_waiter(object loop):
    """Make a waiter that belongs to a loop."""
    cdef AppWaiter waiter = AppWaiter.__new__(AppWaiter)
    waiter._loop = loop
    return waiter


@cython.freelist(16)
cdef class AppWaiter(AppFuture):
    """Wait for one thing, without an outcome."""

    cdef int be_awaited(self, AppTask task) except -1:
        """Have a task of ours resumed; without the callback that others need."""
        self._asyncio_future_blocking = False
        self._task = task
        return 0

    cdef int wake(self, bint at_once) except -1:
        """Let go on whoever waits.

        Args:
            at_once: now, where that is a task of ours; only the loop itself may ask for it, as no
                other task may be current.
        """
        return self._done(FINISHED, at_once) if self._status == PENDING else 0

    def cancel(self, msg=None):
        """Have CancelledError raised in whoever waits; tell whether it can be."""
        if self._status != PENDING:
            return False
        self._cancel_message = msg
        self._done(CANCELLED, False)
        return True

    cdef int _done(self, int status, bint at_once) except -1:
        cdef AppTask task = self._task
        self._task = None
        self.finish(status)
        if task is None:
            return 0
        if not at_once:
            self._loop.call_soon(task._wakeup, self, context=task._context)
            return 0
        PyContext_Enter(task._context)
        try:
            task.resume(None)
        finally:
            PyContext_Exit(task._context)
        return 0


def new_waiter(loop):
    """Make a waiter; for tests."""
    return app_waiter(loop)


def wake(AppWaiter waiter, bint at_once):
    """Wake whoever waits; for tests."""
    waiter.wake(at_once)
