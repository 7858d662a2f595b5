"""C types of websocket_codec.pyx."""

from esg.accel.connection cimport Connection
from esg.accel.input_buffer cimport InputBuffer
from esg.accel.rules.websocket_deflate cimport MessageDeflater
from esg.accel.websocket_frames cimport FrameReader


cdef class FrameCodec:
    cdef FrameReader _reader
    cdef MessageDeflater _deflater
    cdef InputBuffer _input

    cpdef object next_event(self)
    cdef int send_text(self, Connection to, str message) except -1
    cdef int send_binary(self, Connection to, object message) except -1
    cdef int _send(self, Connection to, int opcode, bytes payload) except -1


cdef FrameCodec frame_codec(InputBuffer input, object deflate, Py_ssize_t max_size)
