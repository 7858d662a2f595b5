"""C types of proxy_header.pyx."""

from esg.accel.rules.proxy_protocol cimport ProxyHeader
from esg.accel.transport_connection cimport TransportConnection


cdef class ProxyHeaderReader(TransportConnection):
    cdef object _protocol
    cdef TransportConnection _connection

    cdef int _hand_over(self, ProxyHeader header) except -1
    cdef int _reject(self, str reason) except -1
