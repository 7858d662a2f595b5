"""C types of esg/rules/proxy_headers.py."""


cdef class ProxyHeaders:
    cdef object _trusted
    cdef frozenset _names

    cpdef bint amend(self, object scope) except -1
    cdef dict _said(self, list headers)
    cdef void _take_client(self, object scope, list lines) except *
    cdef void _take_forwarded(self, object scope, list lines) except *


cdef bytes _last(list lines)
cdef dict _pairs(bytes element)
cdef tuple _node(bytes text)
cdef str _address(str text)
cdef void _set_scheme(object scope, bytes proto) except *
cdef void _set_host(object scope, bytes host, bytes port) except *
cdef int _port(bytes text) except -2
cdef bytes _host_of(list headers)
cdef void _set_prefix(object scope, bytes prefix) except *
