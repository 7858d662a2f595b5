"""C types of esg/rules/proxy_protocol.py."""


cdef class ProxyHeader:
    cdef public Py_ssize_t size
    cdef public bint tells_ends
    cdef public bint is_local
    cdef public tuple client
    cdef public tuple server


cpdef ProxyHeader read(bytes data)
cdef ProxyHeader _read_1(bytes data)
cdef tuple _end_1(bytes family, bytes address, bytes port)
cdef ProxyHeader _read_2(bytes data)
cdef void _read_ends_2(ProxyHeader header, int family, bytes ends) except *
cdef str _host_2(bytes address)
cdef object _unmapped(object address)
cdef void _check_signature(bytes data, bytes signature) except *
