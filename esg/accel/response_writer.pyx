"""The fast path before `rules.response_head`: the plain response in HTTP/1.1.

That is one with content, to a request in HTTP/1.1, whose fields are none that the server owns or
must look at, Content-Length aside. Everything else is refused here, for the rule to decide over.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_CheckExact, PyBytes_GET_SIZE
from cpython.list cimport PyList_CheckExact
from cpython.long cimport PyLong_CheckExact
from cpython.tuple cimport PyTuple_CheckExact
from libc.string cimport memcpy

from esg.accel.octets cimport TOKEN, VALUE, all_of, is_same, parse_digits
from esg.accel.output_buffer cimport OutputBuffer
from esg.accel.rules.response_head cimport DefaultFields, _status_line

cdef bytes _CHUNKED = b"transfer-encoding: chunked\r\n"
cdef bytes _CLOSE = b"connection: close\r\n"
cdef bytes _CRLF = b"\r\n"
cdef bytes _LAST = b"0\r\n\r\n"


cdef class ResponseWriter:
    """Write plain responses, one after the other, for one connection."""

    def __init__(self):
        self._lines = OutputBuffer()

    cdef bint start(self, object status, object headers) except -1:
        """Take a response; False, and nothing taken, where the rule is to decide."""
        cdef object field
        if not PyLong_CheckExact(status) or not 200 <= status <= 999:
            return False
        if status == 204 or status == 304:
            return False
        if not PyList_CheckExact(headers) and not PyTuple_CheckExact(headers):
            return False
        self._status = status
        self._lines.size = 0
        self.left = -1
        for field in headers:
            if not PyTuple_CheckExact(field) or len(<tuple> field) != 2:
                return False
            name, value = (<tuple> field)[0], (<tuple> field)[1]
            if not PyBytes_CheckExact(name) or not PyBytes_CheckExact(value):
                return False
            if not self._add_line(<bytes> name, <bytes> value):
                return False
        self._chunked = self.left < 0
        return True

    cdef bint _add_line(self, bytes name, bytes value) except -1:
        cdef Py_ssize_t name_size = PyBytes_GET_SIZE(name)
        cdef Py_ssize_t value_size = PyBytes_GET_SIZE(value)
        cdef char *line
        if not name_size or not all_of(TOKEN, PyBytes_AS_STRING(name), name_size):
            return False
        if not all_of(VALUE, PyBytes_AS_STRING(value), value_size):
            return False
        if not self._is_passed_on(PyBytes_AS_STRING(name), name_size, value):
            return False
        line = self._lines.room(name_size + value_size + 4)
        memcpy(line, PyBytes_AS_STRING(name), name_size)
        line += name_size
        line[0] = b":"
        line[1] = b" "
        memcpy(line + 2, PyBytes_AS_STRING(value), value_size)
        line += 2 + value_size
        line[0] = b"\r"
        line[1] = b"\n"
        self._lines.size += name_size + value_size + 4
        return True

    cdef bint _is_passed_on(self, const char *name, Py_ssize_t size, bytes value) except -1:
        """Tell whether a field goes out as it is; take note of a Content-Length."""
        if size == 4:
            return not is_same(name, b"date", 4)
        if size == 6:
            return not is_same(name, b"server", 6)
        if size == 10:
            return not is_same(name, b"connection", 10) and not is_same(name, b"keep-alive", 10)
        if size == 17:
            return not is_same(name, b"transfer-encoding", 17)
        if size == 14 and is_same(name, b"content-length", 14):
            if self.left >= 0:
                return False
            self.left = parse_digits(PyBytes_AS_STRING(value), PyBytes_GET_SIZE(value))
            return self.left >= 0
        return True

    cdef int head(self, OutputBuffer out, DefaultFields defaults, bint keep_alive) except -1:
        """Write status line and fields."""
        _add(out, _status_line(self._status))
        _add(out, defaults.block)
        out.add(self._lines.data, self._lines.size)
        self._lines.clear()
        if self._chunked:
            _add(out, _CHUNKED)
        if not keep_alive:
            _add(out, _CLOSE)
        return _add(out, _CRLF)

    cdef int before(self, OutputBuffer out, Py_ssize_t size) except -1:
        """Write what goes before a piece of content."""
        if self._chunked and size:
            _add_hex(out, size)
            _add(out, _CRLF)
        return 0

    cdef int after(self, OutputBuffer out, Py_ssize_t size, bint is_final) except -1:
        """Write what goes after a piece of content."""
        if self._chunked:
            if size:
                _add(out, _CRLF)
            if is_final:
                _add(out, _LAST)
        return 0


cdef int _add(OutputBuffer out, bytes data) except -1:
    return out.add(PyBytes_AS_STRING(data), PyBytes_GET_SIZE(data))


cdef int _add_hex(OutputBuffer out, Py_ssize_t number) except -1:
    cdef char digits[16]
    cdef int position = 16
    while number:
        position -= 1
        digits[position] = b"0123456789abcdef"[number & 15]
        number >>= 4
    return out.add(digits + position, 16 - position)
