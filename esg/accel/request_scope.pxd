"""C types of request_scope.pyx."""

from esg.accel.connection cimport Connection
from esg.accel.rules.request_head cimport RequestHead


cdef dict request_scope(Connection connection, RequestHead head)
