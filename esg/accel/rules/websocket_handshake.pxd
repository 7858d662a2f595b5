"""C types of esg/rules/websocket_handshake.py."""


cdef class OpeningHandshake:
    cdef bytes _accept
    cdef public list subprotocols
    cdef public object deflate

    cpdef list accept_fields(self, object subprotocol, object headers)


cpdef bint is_opening(object head) except -1
cpdef OpeningHandshake judge(object head, bint offer_deflate)
cpdef tuple rejection_fields(int status)
cdef list _values(object head, bytes name)
cdef bytes _single(object head, bytes name)
cdef list _members(object head, bytes name, bint lower=*)
cdef object _negotiate(list offers)
cdef object _deflate_parameters(list parameters)
cdef bytes _deflate_field(object deflate)
