"""C types of websocket_frames.pyx."""

from libc.stdint cimport uint32_t

from esg.accel.input_buffer cimport InputBuffer
from esg.accel.message_buffer cimport MessageBuffer
from esg.accel.output_buffer cimport OutputBuffer
from esg.accel.rules.websocket_deflate cimport MessageInflater
from esg.accel.rules.websocket_frames cimport FrameRules
from esg.accel.utf8_validator cimport Utf8Validator


cdef class FrameReader:
    cdef FrameRules _rules
    cdef MessageInflater _inflater
    cdef long long _max_size
    # The frame whose payload comes: its key, turned to the next octet, and the octets missing.
    cdef bint _in_frame
    cdef uint32_t _key
    cdef long long _missing
    # The data message that comes in pieces, and the control frame; made for the first such one.
    cdef MessageBuffer _message
    cdef MessageBuffer _control
    cdef Utf8Validator _text
    # A compressed message that came whole.
    cdef bytes _whole
    # A close frame or a failure has come: nothing counts any more.
    cdef readonly bint ended

    cdef object next_event(self, InputBuffer source)
    cdef object _next_event(self, InputBuffer source)
    cdef object _plain_message(self, InputBuffer source)
    cdef bint _read_header(self, InputBuffer source) except -1
    cdef int _read_payload(self, InputBuffer source) except -1
    cdef int _read_content(self, InputBuffer source, Py_ssize_t size) except -1
    cdef bytes _inflate(self, bytes data, bint is_last)
    cdef object _failure(self, int code, str reason)
    cdef int _add_inflated(self, bytes content) except -1
    cdef int _check_text(self, const char *data, Py_ssize_t size) except -1
    cdef object _frame_event(self)
    cdef object _take_whole(self)
    cdef object _control_event(self)


cdef int put_header(OutputBuffer out, int opcode, bint compressed, Py_ssize_t size) except -1
