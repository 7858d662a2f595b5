# cython: binding=False
"""The task that runs one application call, begun at once where asyncio would begin it soon.

It *is* the current task from the first step on, as far as anybody can tell: to make a real Task
of it only when it first waits would change the current task under timeouts and cancel scopes
that have been entered already. It stands in `all_tasks` from when it first waits, which is when
another task could look; on Python 3.12 and later already before.

As asyncio.Task has it, from outside: Python 3.11 to 3.14, `asyncio/tasks.py`. Its attributes with
an underscore are those that asyncio's repr and anyio read. Free-threaded Python asks no more of
it: a task is stepped on its loop's thread alone.
"""

import asyncio
import inspect
import itertools
import sys
from asyncio import base_tasks

from cpython.contextvars cimport PyContext_Enter, PyContext_Exit
from cpython.ref cimport Py_XDECREF, PyObject

from esg.accel.app_future cimport CANCELLED, FINISHED, PENDING, AppFuture
from esg.accel.app_waiter cimport AppWaiter

cdef extern from "Python.h":
    ctypedef enum PySendResult:
        PYGEN_RETURN
        PYGEN_ERROR
        PYGEN_NEXT

    # A new reference in *result, whatever comes back but PYGEN_ERROR.
    PySendResult PyIter_Send(object coro, object value, PyObject **result) except PYGEN_ERROR

cdef object _enter_task = asyncio.tasks._enter_task
cdef object _leave_task = asyncio.tasks._leave_task
cdef object _register_task = asyncio.tasks._register_task
cdef object _register_eager_task = getattr(asyncio.tasks, "_register_eager_task", None)
cdef object _unregister_eager_task = getattr(asyncio.tasks, "_unregister_eager_task", None)
cdef object _CancelledError = asyncio.CancelledError
cdef bint _HAS_EAGER_TASKS = _register_eager_task is not None
# Since 3.13, a task whose cancellations are all taken back is not cancelled any more.
cdef bint _UNCANCEL_TAKES_BACK = sys.version_info >= (3, 13)

_numbers = itertools.count(1)


cdef class AppTask(AppFuture):
    """Run a coroutine; asyncio.Task from outside."""

    # isinstance() asks for it where the type itself is another.
    @property
    def __class__(self):
        return asyncio.Task

    def __repr__(self):
        return base_tasks._task_repr(self)

    def _repr_info(self):
        return base_tasks._task_repr_info(self)

    # For those who run it.

    cdef int start(self, object loop, object coro, object context) except -1:
        """Take the first step now, in `context`."""
        self._loop = loop
        self._coro = coro
        self._context = context
        self._log_destroy_pending = True
        if _HAS_EAGER_TASKS:
            _register_eager_task(self)
        PyContext_Enter(context)
        try:
            self._step(None)
        finally:
            PyContext_Exit(context)
            if _HAS_EAGER_TASKS:
                _unregister_eager_task(self)
        if self._status == PENDING:
            self._suspended = True
            _register_task(self)
            self.suspended()
        return 0

    cdef int resume(self, object error) except -1:
        """Take another step; the loop has entered the context."""
        return self._step(error)

    cdef int suspended(self) except -1:
        """Take note that the coroutine waits for the first time."""
        return 0

    cdef int ended(self, object result, object error) except -1:
        """Take note of how the coroutine ended; `error` is None where it returned."""
        return 0

    # Stepping.

    cdef int _step(self, object error) except -1:
        """Run the coroutine up to where it waits or ends."""
        if self._must_cancel:
            if not isinstance(error, _CancelledError):
                error = self._make_cancelled_error()
            self._must_cancel = False
        self._fut_waiter = None
        _enter_task(self._loop, self)
        try:
            self._run(error)
        finally:
            _leave_task(self._loop, self)
        return 0

    cdef int _run(self, object error) except -1:
        cdef PyObject *sent = NULL
        cdef PySendResult how = PYGEN_NEXT
        failure = None
        try:
            if error is None:
                how = PyIter_Send(self._coro, None, &sent)
                value = <object> sent
                Py_XDECREF(sent)
            else:
                value = self._coro.throw(error)
        except StopIteration as stop:  # out of throw()
            value = stop.value
            how = PYGEN_RETURN
        except BaseException as raised:
            failure = raised
        if failure is not None:
            return self._raised(failure)
        if how == PYGEN_RETURN:
            return self._returned(value)
        return self._wait_for(value)

    cdef int _returned(self, object result) except -1:
        if self._must_cancel:  # cancelled by itself, just before it returned
            self._must_cancel = False
            self.finish(CANCELLED)
        else:
            self._result = result
            self.finish(FINISHED)
        return self.ended(result, None)

    cdef int _raised(self, object error) except -1:
        self._exception = error
        self.finish(CANCELLED if isinstance(error, _CancelledError) else FINISHED)
        return self.ended(None, error)

    cdef int _wait_for(self, object awaited) except -1:
        """Be resumed when what the coroutine has yielded says so."""
        if awaited is None:
            self._loop.call_soon(self._resume_plainly, context=self._context)
            return 0
        if type(awaited) is AppWaiter and (<AppWaiter> awaited)._loop is self._loop:
            (<AppWaiter> awaited).be_awaited(self)
            return self._waits_for(awaited)
        blocking = getattr(awaited, "_asyncio_future_blocking", None)
        if blocking is None:
            if inspect.isgenerator(awaited):
                return self._fail_soon(
                    f"yield was used instead of yield from for generator in task {self!r} "
                    f"with {awaited!r}"
                )
            return self._fail_soon(f"Task got bad yield: {awaited!r}")
        if awaited.get_loop() is not self._loop:
            return self._fail_soon(
                f"Task {self!r} got Future {awaited!r} attached to a different loop"
            )
        if not blocking:
            return self._fail_soon(
                f"yield was used instead of yield from in task {self!r} with {awaited!r}"
            )
        if awaited is self:
            return self._fail_soon(f"Task cannot await on itself: {self!r}")
        return self._wait_for_future(awaited)

    cdef int _wait_for_future(self, object future) except -1:
        future._asyncio_future_blocking = False
        future.add_done_callback(self._wakeup, context=self._context)
        return self._waits_for(future)

    cdef int _waits_for(self, object future) except -1:
        self._fut_waiter = future
        if self._must_cancel and future.cancel(msg=self._cancel_message):
            self._must_cancel = False
        return 0

    cdef int _fail_soon(self, str reason) except -1:
        error = RuntimeError(reason)
        self._loop.call_soon(self._resume_failing, error, context=self._context)
        return 0

    # What the loop calls, in the task's context.

    def _wakeup(self, future):
        failure = None
        try:
            future.result()
        except BaseException as error:
            failure = error
        # Not inside `except`, where whatever runs next would see it as its own context.
        self.resume(failure)

    def _resume_plainly(self):
        self.resume(None)

    def _resume_failing(self, error):
        self.resume(error)

    # What asyncio.Task has besides.

    def cancel(self, msg=None):
        """Have CancelledError raised where the coroutine waits; tell whether it can be."""
        if self._status != PENDING:
            return False
        self._num_cancels_requested += 1
        if self._fut_waiter is not None and self._fut_waiter.cancel(msg=msg):
            return True
        self._must_cancel = True
        self._cancel_message = msg
        return True

    def cancelling(self):
        """Return how many cancellations were asked for and not taken back."""
        return self._num_cancels_requested

    def uncancel(self):
        """Take one cancellation back; return how many are left."""
        if self._num_cancels_requested > 0:
            self._num_cancels_requested -= 1
            if _UNCANCEL_TAKES_BACK and not self._num_cancels_requested:
                self._must_cancel = False
        return self._num_cancels_requested

    def get_coro(self):
        """Return the coroutine that this runs."""
        return self._coro

    def get_context(self):
        """Return the context that the coroutine runs in."""
        return self._context

    def get_name(self):
        """Return the name; without one, it gets one now."""
        if self._name is None:
            self._name = f"ESG-Request-{next(_numbers)}"
        return self._name

    def set_name(self, value):
        """Set the name."""
        self._name = str(value)

    def get_stack(self, *, limit=None):
        """Return the frames in which the coroutine waits, or ended."""
        return base_tasks._task_get_stack(self, limit)

    def print_stack(self, *, limit=None, file=None):
        """Print the frames in which the coroutine waits, or ended."""
        base_tasks._task_print_stack(self, limit, file)

    def set_result(self, result):
        """Refuse: the coroutine alone decides."""
        raise RuntimeError("Task does not support set_result operation")

    def set_exception(self, exception):
        """Refuse: the coroutine alone decides."""
        raise RuntimeError("Task does not support set_exception operation")


def run_eagerly(loop, coro, context):
    """Run a coroutine as the driver runs applications; for tests.

    Args:
        loop: the running loop.
        context: to run it in; nobody may have entered it.
    """
    cdef AppTask task = AppTask.__new__(AppTask)
    task.start(loop, coro, context)
    return task
