"""The content of one chunked request: judged by `chunk_framing`, decoded by llhttp.

llhttp gets a fresh parser for each such message, after a head that says no more than how the
content is framed, and only the bytes that belong to the message.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize
from cpython.exc cimport PyErr_Occurred

from esg.accel.llhttp cimport (
    HPE_OK,
    HTTP_REQUEST,
    llhttp_errno_t,
    llhttp_execute,
    llhttp_get_error_reason,
    llhttp_init,
    llhttp_settings_init,
    llhttp_settings_t,
    llhttp_t,
)

from esg.errors import RequestRejected

cdef bytes _HEAD = b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n"

# Shared by all parsers, which only read it; filled once, at the end of this module.
cdef llhttp_settings_t _settings


cdef int _on_body(llhttp_t *parser, const char *at, size_t length) except -1:
    cdef ChunkedBody body = <ChunkedBody> parser.data
    body._decoded += length
    body._pieces.append(PyBytes_FromStringAndSize(at, length))
    return 0


cdef class ChunkedBody:
    """Read the content that follows a judged head.

    Attributes:
        complete: all of it has come.
    """

    cdef Py_ssize_t feed(self, bytes data) except -1:
        """Take raw bytes; return how many of them belong to this message.

        Raises:
            RequestRejected: 400, 413 or 431.
        """
        cdef Py_ssize_t taken = self._framing.scan(data)
        # Trailers are judged and thrown away: llhttp would take their names for framing.
        if self._framing.trailer_start < 0:
            self._execute(PyBytes_AS_STRING(data), taken)
        else:
            self._execute(PyBytes_AS_STRING(data), self._framing.trailer_start)
        self.complete = self._framing.complete
        if self.complete and self._decoded != self._framing.body_size:
            raise RequestRejected(400, "content that llhttp does not read as it is framed")
        return taken

    cdef int _execute(self, const char *data, Py_ssize_t size) except -1:
        cdef llhttp_errno_t error = llhttp_execute(&self._parser, data, size)
        if PyErr_Occurred() is not NULL:
            return -1  # out of a callback: no memory
        if error != HPE_OK:
            raise RequestRejected(400, llhttp_get_error_reason(&self._parser).decode())
        return 0

    cdef bytes take(self):
        """Take the content that has been read."""
        cdef list pieces = self._pieces
        self._pieces = []
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)


cdef ChunkedBody chunked_body(HeadLimits limits):
    """Make the reader of one chunked message.

    Args:
        limits: bounds of content and trailers.
    """
    cdef ChunkedBody body = ChunkedBody.__new__(ChunkedBody)
    body._framing = ChunkFraming(limits.body_size, limits.head_size, limits.fields)
    body._pieces = []
    llhttp_init(&body._parser, HTTP_REQUEST, &_settings)
    # Borrowed: the parser is part of the body that it points to.
    body._parser.data = <void *> body
    body._execute(_HEAD, len(_HEAD))
    return body


llhttp_settings_init(&_settings)
_settings.on_body = _on_body
