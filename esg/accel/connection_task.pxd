"""C types of connection_task.pyx."""

from esg.accel.app_task cimport AppTask
from esg.accel.connection cimport Connection


cdef class ConnectionTask(AppTask):
    cdef Connection connection

    cdef int call_app(
        self, Connection connection, object scope, object receive, object send
    ) except -1
