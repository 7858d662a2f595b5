"""Bytes of one connection that are to be written together.

Each connection has its own: with a shared one, an application that calls another request's
send() would have its answer written to the wrong client.
"""

from cpython.bytes cimport PyBytes_FromStringAndSize
from libc.stdlib cimport free, realloc
from libc.string cimport memcpy

cdef enum:
    SMALLEST = 512
    # An idle connection keeps no more than this.
    KEPT = 4096


cdef class OutputBuffer:
    """Join the pieces of responses in memory that is used again."""

    def __dealloc__(self):
        free(self.data)

    cdef char *room(self, Py_ssize_t size) except NULL:
        """Return where `size` more bytes can be put; valid until the next call."""
        cdef Py_ssize_t capacity = self.capacity or SMALLEST
        cdef char *grown
        while capacity < self.size + size:
            capacity *= 2
        if capacity != self.capacity:
            grown = <char *> realloc(self.data, capacity)
            if grown is NULL:
                raise MemoryError
            self.data = grown
            self.capacity = capacity
        return self.data + self.size

    cdef int add(self, const char *data, Py_ssize_t size) except -1:
        """Add bytes; `data` may be NULL where there are none, which memcpy must not be given."""
        if size:
            memcpy(self.room(size), data, size)
            self.size += size
        return 0

    cdef bytes take(self):
        """Take all that was added."""
        cdef bytes taken = PyBytes_FromStringAndSize(self.data, self.size)
        self.clear()
        return taken

    cdef void clear(self) noexcept:
        """Drop all that was added, and memory that has grown large."""
        self.size = 0
        if self.capacity > KEPT:
            free(self.data)
            self.data = NULL
            self.capacity = 0
