"""The heads of one connection's requests, each out of as many reads as it comes in.

Where a head ends is all that this looks for itself: the verdict is `rules.request_head`'s, or
`request_parser`'s where that gives the same.
"""

from cpython.bytearray cimport PyByteArray_GET_SIZE

from esg.accel.input_buffer cimport InputBuffer
from esg.accel.request_parser cimport RequestParser
from esg.accel.rules.request_head cimport (
    HeadLimits,
    RequestHead,
    check_partial,
    find_end,
    has_begun,
    judge,
)


cdef class HeadReader:
    """Read heads, one after the other."""

    cdef bint begun(self) except -1:
        """Tell whether something of a head has come, but not its end."""
        return self._partial is not None and has_begun(self._partial)

    cdef RequestHead read(self, InputBuffer data):
        """Take the next head out of `data`; None where its end has not come.

        Raises:
            RequestRejected: the verdict on it.
        """
        cdef Py_ssize_t end
        cdef RequestHead head
        if not data.size:
            return None
        if self._partial is not None:
            return self._read_partial(data)
        head = self._read_plain(data)
        if head is not None:
            return head
        end = _find_end(data.data, data.size)
        if end < 0:
            return self._read_partial(data)
        return judge(data.take(end), self._limits)

    cdef RequestHead _read_plain(self, InputBuffer data):
        """Read a head that needs no rule; None where it does, or has not come whole."""
        cdef RequestParser parser = self._parser
        cdef RequestHead head = parser.read(data.data, data.size, self._section)
        if head is not None:
            self._section = parser.section
            data.skip(parser.taken)
        return head

    cdef RequestHead _read_partial(self, InputBuffer data):
        """Go on with a head that comes in several reads."""
        cdef Py_ssize_t end
        cdef bytes raw
        if self._partial is None:
            self._partial = bytearray()
            self._searched = 0
        self._partial += data.take(data.size)
        if not has_begun(self._partial):
            return None
        end = find_end(self._partial, self._searched)
        if end < 0:
            self._searched = PyByteArray_GET_SIZE(self._partial)
            check_partial(self._partial, self._limits)
            return None
        raw = bytes(self._partial[:end])
        if end < PyByteArray_GET_SIZE(self._partial):
            data.put_back(bytes(self._partial[end:]))
        self._partial = None
        return judge(raw, self._limits)


cdef HeadReader head_reader(RequestParser parser, HeadLimits limits):
    """Make the reader of one connection.

    Args:
        parser: for plain heads; shared.
        limits: bounds of a head.
    """
    cdef HeadReader reader = HeadReader.__new__(HeadReader)
    reader._parser = parser
    reader._limits = limits
    return reader


cdef Py_ssize_t _find_end(const char *data, Py_ssize_t size) noexcept:
    """Find where a head ends, as `request_head.find_end` does; -1 where it does not."""
    cdef Py_ssize_t i = 0
    while i < size - 1:
        if data[i] == b"\n":
            if data[i + 1] == b"\n":
                return i + 2
            if data[i + 1] == b"\r" and i + 2 < size and data[i + 2] == b"\n":
                return i + 3
        elif data[i] == b"\r" and data[i + 1] == b"\r":
            return i + 2
        i += 1
    return -1
