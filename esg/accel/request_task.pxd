"""C types of request_task.pyx."""

from esg.accel.app_task cimport AppTask
from esg.accel.http_request cimport HttpRequest


cdef class RequestTask(AppTask):
    cdef HttpRequest request

    cdef int sweep(self, double now) except -1
