"""The payload of one message while it comes, in one growing piece of memory.

That is a bytes object from the start, so a large binary message is never copied to become one.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize
from cpython.object cimport PyObject
from cpython.ref cimport Py_XDECREF
from cpython.unicode cimport PyUnicode_DecodeUTF8

cdef extern from "Python.h":
    PyObject *_new_bytes "PyBytes_FromStringAndSize"(const char *data, Py_ssize_t size) except NULL
    # Frees the object where it fails, and sets the pointer to NULL.
    int _PyBytes_Resize(PyObject **data, Py_ssize_t size) except -1
    char *_start "PyBytes_AS_STRING"(PyObject *data)

cdef enum:
    # Memory is taken for at most this many times what has come: a client that announces much and
    # sends little costs little.
    AHEAD = 4


cdef class MessageBuffer:
    """Join the pieces of a message.

    Attributes:
        size: the bytes that have come; the user counts them.
    """

    def __dealloc__(self):
        Py_XDECREF(self._bytes)

    cdef char *room(self, Py_ssize_t size, Py_ssize_t announced) except NULL:
        """Return where `size` more bytes can be put; valid until the next call.

        Args:
            announced: how large the message will be at least, these included.
        """
        cdef Py_ssize_t needed = self.size + size
        cdef Py_ssize_t capacity
        if needed > self._capacity or self._bytes is NULL:
            capacity = max(1, needed, min(announced, needed * AHEAD))
            if self._bytes is NULL:
                self._bytes = _new_bytes(NULL, capacity)
            else:
                self._capacity = 0  # where this fails, the memory is gone
                _PyBytes_Resize(&self._bytes, capacity)
            self._capacity = capacity
        return _start(self._bytes) + self.size

    cdef bytes take(self):
        """Take the message as bytes."""
        cdef bytes taken
        if self._bytes is NULL or not self.size:
            self.clear()
            return b""
        if self.size < self._capacity:
            self._capacity = 0
            _PyBytes_Resize(&self._bytes, self.size)
        taken = <bytes> self._bytes  # one reference more
        self.clear()
        return taken

    cdef str take_text(self):
        """Take the message as text.

        Raises:
            UnicodeDecodeError: it is no UTF-8.
        """
        if self._bytes is NULL:
            return ""
        try:
            return PyUnicode_DecodeUTF8(_start(self._bytes), self.size, NULL)
        finally:
            self.clear()

    cdef void clear(self) noexcept:
        """Drop the message, and its memory."""
        Py_XDECREF(self._bytes)
        self._bytes = NULL
        self._capacity = 0
        self.size = 0
