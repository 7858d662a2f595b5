"""C types of esg/rules/trusted_proxies.py."""


cdef class TrustedProxies:
    cdef bint _everyone
    cdef bint _unix
    cdef set _addresses
    cdef list _networks
    cdef set _sockets

    cdef void _allow(self, str word) except *
    cpdef bint trusts_peer(self, tuple client, tuple server) except -1
    cpdef bint covers(self, str host) except -1


cdef object _plain(object address)
