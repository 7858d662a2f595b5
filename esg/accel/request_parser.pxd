"""C types of request_parser.pyx."""

from esg.accel.llhttp cimport llhttp_t
from esg.accel.rules.request_head cimport HeadLimits, RequestHead

cdef enum:
    # Lines of a section that are worth the way through llhttp.
    MOST_FIELDS = 64


cdef struct Span:
    const char *name
    Py_ssize_t name_size
    const char *value
    Py_ssize_t value_size


cdef class FieldSection:
    # All field lines and the blank line, as they came, and what they say.
    cdef bytes raw
    cdef list headers
    cdef tuple connection
    cdef long long content_length
    cdef bint forwarded


cdef class RequestParser:
    # Of the head that `read` returned last: its size, and its field section.
    cdef Py_ssize_t taken
    cdef FieldSection section
    cdef HeadLimits _limits
    cdef llhttp_t _parser
    # Into the data that is being parsed; valid during one call.
    cdef Span _spans[MOST_FIELDS]
    cdef Py_ssize_t _count
    cdef bint _complete
    cdef bint _has_host

    cdef RequestHead read(self, const char *data, Py_ssize_t size, FieldSection known)
    cdef FieldSection _repeated(
        self, const char *data, Py_ssize_t size, const char *fields, FieldSection known
    )
    cdef FieldSection _read_section(self, const char *data, Py_ssize_t size, const char *fields)
    cdef const char *_find_spans(self, const char *data, Py_ssize_t size) noexcept
    cdef bint _take_line(
        self, FieldSection section, Span *span, const char *line, const char *next_line
    ) except -1
    cdef bint _take_special(
        self, FieldSection section, bytes name, const char *value, Py_ssize_t size
    ) except -1


cdef RequestParser request_parser(HeadLimits limits)
