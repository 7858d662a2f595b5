"""C types of esg/rules/request_head.py."""

cimport cython


cdef class HeadLimits:
    cdef public Py_ssize_t head_size
    cdef public Py_ssize_t fields
    cdef public Py_ssize_t target_size
    cdef public long long body_size


cdef class RequestHead:
    cdef public str method
    cdef public str http_version
    cdef public bytes raw_path
    cdef public bytes query
    cdef public list headers
    cdef public long long content_length
    cdef public bint expect_continue
    cdef public bint takes_trailers
    cdef public bint forwarded
    cdef public tuple connection


cpdef Py_ssize_t find_end(object buffer, Py_ssize_t scanned) except? -1
cpdef bint has_begun(object buffer) except -1
cpdef void check_partial(object buffer, HeadLimits limits) except *
cpdef RequestHead judge(bytes raw, HeadLimits limits)
cdef void _check_first_byte(object raw) except *
cdef Py_ssize_t _request_line_start(object raw) except -1
@cython.locals(size=Py_ssize_t, end=Py_ssize_t)
cdef void _check_sizes(object raw, Py_ssize_t start, HeadLimits limits) except *
cdef Py_ssize_t _target_size(object raw, Py_ssize_t start, Py_ssize_t end) except -1
@cython.locals(headers=list, hosts=list, lengths=list, codings=list, name=bytes, value=bytes)
cdef void _read_fields(RequestHead head, bytes fields) except *
cdef long long _read_framing(str http_version, list lengths, list codings) except? -1
cdef void _check_hosts(str http_version, list hosts) except *
