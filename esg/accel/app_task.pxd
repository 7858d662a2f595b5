"""C types of app_task.pyx."""

from esg.accel.app_future cimport AppFuture


cdef class AppTask(AppFuture):
    cdef readonly object _coro
    cdef readonly object _context
    cdef object _name
    cdef readonly object _fut_waiter
    cdef readonly bint _must_cancel
    cdef readonly Py_ssize_t _num_cancels_requested
    cdef public bint _log_destroy_pending
    cdef bint _suspended

    cdef int start(self, object loop, object coro, object context) except -1
    cdef int resume(self, object error) except -1
    cdef int suspended(self) except -1
    cdef int ended(self, object result, object error) except -1
    cdef int _step(self, object error) except -1
    cdef int _run(self, object error) except -1
    cdef int _returned(self, object result) except -1
    cdef int _raised(self, object error) except -1
    cdef int _wait_for(self, object awaited) except -1
    cdef int _wait_for_future(self, object future) except -1
    cdef int _waits_for(self, object future) except -1
    cdef int _fail_soon(self, str reason) except -1
