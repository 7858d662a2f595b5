"""C types of head_reader.pyx."""

from esg.accel.input_buffer cimport InputBuffer
from esg.accel.request_parser cimport FieldSection, RequestParser
from esg.accel.rules.request_head cimport HeadLimits, RequestHead


cdef class HeadReader:
    cdef RequestParser _parser
    cdef HeadLimits _limits
    # The fields of the last plain head.
    cdef FieldSection _section
    # A head whose end has not come, and how much of it has been searched for the end.
    cdef bytearray _partial
    cdef Py_ssize_t _searched

    cdef bint begun(self) except -1
    cdef RequestHead read(self, InputBuffer data)
    cdef RequestHead _read_plain(self, InputBuffer data)
    cdef RequestHead _read_partial(self, InputBuffer data)


cdef HeadReader head_reader(RequestParser parser, HeadLimits limits)
