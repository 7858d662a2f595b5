# cython: binding=False
"""The fast driver's own codec: `FrameReader` for the client's frames, `rules` for ours.

The interface is `esg.websocket.Codec`, with a way beside it that makes neither lists nor copies:
messages to send go into the output of their connection.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_CheckExact, PyBytes_GET_SIZE
from cpython.unicode cimport PyUnicode_AsUTF8AndSize, PyUnicode_AsUTF8String

from esg.accel.connection cimport Connection
from esg.accel.input_buffer cimport InputBuffer
from esg.accel.output_buffer cimport OutputBuffer
from esg.accel.rules.websocket_deflate cimport MessageDeflater, MessageInflater
from esg.accel.rules.websocket_frames cimport FrameRules
from esg.accel.websocket_frames cimport FrameReader, put_header

from esg.accel.rules.websocket_frames import close_frame, frame

cdef extern from "Python.h":
    bint PyUnicode_IS_ASCII(object text)

cdef enum:
    # Opcodes (RFC 6455 section 5.2).
    TEXT = 1
    BINARY = 2
    PING = 9
    PONG = 10

cdef enum:
    # Text of up to this many bytes is put behind its header without becoming bytes first.
    JOIN_LIMIT = 16384


cdef FrameCodec frame_codec(InputBuffer input, object deflate, Py_ssize_t max_size):
    """Make a codec.

    Args:
        input: where the client's bytes are.
        deflate: the parameters that were negotiated, None without compression.
        max_size: bytes that a message may have, inflated.
    """
    cdef FrameCodec codec = FrameCodec.__new__(FrameCodec)
    inflater = None if deflate is None else MessageInflater(deflate, max_size)
    rules = FrameRules(max_size, deflate is not None)
    codec._reader = FrameReader(rules, inflater, max_size)
    codec._deflater = None if deflate is None else MessageDeflater(deflate)
    codec._input = input
    return codec


cdef class FrameCodec:
    """Decode one client's frames and encode ours; made by `frame_codec` or `codec`."""

    # As `esg.websocket.Codec` says.

    @property
    def buffered(self):
        """Return how many bytes were given and have not been decoded."""
        return self._input.size

    def receive_data(self, bytes data):
        """Take bytes from the client, without looking at them."""
        self._input.add(PyBytes_AS_STRING(data), PyBytes_GET_SIZE(data))
        self._input.keep()

    cpdef object next_event(self):
        """Decode up to the next event; None where more bytes are needed."""
        return self._reader.next_event(self._input)

    def text(self, message):
        """Encode a text message."""
        return self._frame(TEXT, PyUnicode_AsUTF8String(message))

    def binary(self, message):
        """Encode a binary message."""
        return self._frame(BINARY, message)

    def _frame(self, opcode, payload):
        compressed = None if self._deflater is None else self._deflater.deflate(payload)
        if compressed is not None:
            return frame(opcode, compressed, True)
        return frame(opcode, payload)

    def ping(self, payload):
        """Encode a ping."""
        return frame(PING, payload)

    def pong(self, payload):
        """Encode a pong."""
        return frame(PONG, payload)

    def close(self, code, reason):
        """Encode a close frame."""
        return close_frame(code, reason)

    # The same for messages that are sent at once.

    cdef int send_text(self, Connection to, str message) except -1:
        """Put a text message behind what is due on a connection.

        Raises:
            UnicodeEncodeError: it has a surrogate.
        """
        cdef Py_ssize_t size = len(message)
        cdef const char *data
        if self._deflater is None and size <= JOIN_LIMIT and PyUnicode_IS_ASCII(message):
            # ASCII is its own UTF-8: there is nothing to encode.
            data = PyUnicode_AsUTF8AndSize(message, &size)
            put_header(to.output, TEXT, False, size)
            return to.output.add(data, size)
        return self._send(to, TEXT, PyUnicode_AsUTF8String(message))

    cdef int send_binary(self, Connection to, object message) except -1:
        """Put a binary message behind what is due on a connection."""
        return self._send(to, BINARY, message if PyBytes_CheckExact(message) else bytes(message))

    cdef int _send(self, Connection to, int opcode, bytes payload) except -1:
        cdef bytes compressed = None
        if self._deflater is not None:
            compressed = self._deflater.deflate(payload)
        if compressed is not None:
            payload = compressed
        put_header(to.output, opcode, compressed is not None, PyBytes_GET_SIZE(payload))
        return to.write_content(payload)


def codec(deflate, max_size):
    """Make a codec with an input of its own; see `esg.websocket_codecs.choice`."""
    return frame_codec(InputBuffer(), deflate, max_size)
