"""C types of esg/rules/response_head.py."""

cimport cython


cdef class DefaultFields:
    cdef bint _date
    cdef public bytes server_line
    cdef public bytes date_line
    cdef public tuple extra
    cdef public bytes block

    cpdef void set_time(self, long long timestamp) except *


cdef class ResponsePlan:
    cdef public int status
    cdef public bint has_content
    cdef public list fields
    cdef public set names
    cdef public long long length
    cdef public bint close
    cdef public list options
    cdef public bint trailers


cdef class Http1Response:
    cdef str _http_version
    cdef DefaultFields _defaults
    cdef bint _takes_trailers
    cdef bint _in_trailers
    cdef public bint trailers_due
    cdef public ResponsePlan response
    cdef public bint keep_alive
    cdef public int framing

    cpdef void start(self, ResponsePlan response) except *
    cpdef void declare_length(self, long long length) except *
    @cython.locals(response=ResponsePlan)
    cpdef bytes head(self)
    cdef list _default_lines(self)
    @cython.locals(size=Py_ssize_t, last=bytes)
    cpdef list frame(self, object data, bint final)
    cpdef bytes trailers(self, object fields, bint final)
    cpdef bytes early_hint(self, object links)


cdef dict _STATUS_LINES


cpdef bytes format_date(long long timestamp)
cpdef tuple checked_field(object name, object value)
cpdef ResponsePlan plan(str method, object status, object headers)
cdef bint _take_special(ResponsePlan result, bytes name, bytes value) except -1
cdef tuple _checked_trailer(object name, object value)
cdef bytes _status_line(int status)
cpdef bytes upgrade_response(bytes protocol, object fields, object headers, DefaultFields defaults)
