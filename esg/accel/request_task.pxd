"""C types of request_task.pyx."""

from esg.accel.connection_task cimport ConnectionTask
from esg.accel.http_request cimport HttpRequest


cdef class RequestTask(ConnectionTask):
    cdef HttpRequest request

    cdef int sweep(self, double now) except -1
