"""Bytes that have come and that nobody has taken.

Most reads are used up within their callback, so they are borrowed from the transport's memory
first and only what is left at its end is copied.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy


cdef class InputBuffer:
    """Queue the bytes of one connection."""

    def __dealloc__(self):
        free(self._own)

    cdef int add(self, const char *data, Py_ssize_t size) except -1:
        """Add bytes behind the others; until `keep`, they must stay where they are."""
        if self.size:
            return self._append(data, size)
        self.data = data
        self.size = size
        self._borrowed = True
        return 0

    cdef int _append(self, const char *data, Py_ssize_t size) except -1:
        cdef Py_ssize_t end = (self.data - self._own) + self.size
        if self._borrowed or end + size > self._capacity:
            return self._join(self.data, self.size, data, size)
        memcpy(self._own + end, data, size)
        self.size += size
        return 0

    cdef int keep(self) except -1:
        """Copy what is borrowed; its owner may use the memory again."""
        if self._borrowed:
            if self.size:
                return self._join(self.data, self.size, NULL, 0)
            self.clear()
        return 0

    cdef int _join(
        self, const char *first, Py_ssize_t first_size, const char *second, Py_ssize_t second_size
    ) except -1:
        """Own the copy of two pieces; either may lie in what is owned now."""
        cdef Py_ssize_t size = first_size + second_size
        # Room for half as much again, so that many small reads cost O(n).
        cdef char *joined = <char *> malloc(size + size // 2)
        if joined is NULL:
            raise MemoryError
        # memcpy must not be given NULL, even for nothing.
        if first_size:
            memcpy(joined, first, first_size)
        if second_size:
            memcpy(joined + first_size, second, second_size)
        free(self._own)
        self._own = joined
        self._capacity = size + size // 2
        self.data = joined
        self.size = size
        self._borrowed = False
        return 0

    cdef void skip(self, Py_ssize_t size) noexcept:
        """Drop the first bytes; there must be as many."""
        if size == self.size:
            self.clear()
        else:
            self.data += size
            self.size -= size

    cdef void clear(self) noexcept:
        """Drop all bytes."""
        free(self._own)
        self._own = NULL
        self._capacity = 0
        self.data = NULL
        self.size = 0
        self._borrowed = False

    cdef bytes take(self, Py_ssize_t limit):
        """Take up to `limit` bytes."""
        cdef bytes taken = self.first(limit)
        self.skip(PyBytes_GET_SIZE(taken))
        return taken

    cdef bytes first(self, Py_ssize_t limit):
        """Return a copy of up to `limit` bytes."""
        return PyBytes_FromStringAndSize(self.data, min(limit, self.size))

    cdef bytes peek(self):
        """Return a copy of all bytes."""
        return self.first(self.size)

    cdef int put_back(self, bytes data) except -1:
        """Put bytes before the others."""
        return self._join(PyBytes_AS_STRING(data), PyBytes_GET_SIZE(data), self.data, self.size)
