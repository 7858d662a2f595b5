"""C types of app_waiter.pyx."""

from esg.accel.app_future cimport AppFuture
from esg.accel.app_task cimport AppTask


cdef class AppWaiter(AppFuture):
    cdef AppTask _task

    cdef int be_awaited(self, AppTask task) except -1
    cdef int wake(self, bint at_once) except -1
    cdef int _done(self, int status, bint at_once) except -1


cdef AppWaiter app_waiter(object loop)
