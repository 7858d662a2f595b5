"""C types of input_buffer.pyx."""


cdef class InputBuffer:
    # The bytes that nobody has taken: in `_own`, or borrowed until `keep`.
    cdef const char *data
    cdef Py_ssize_t size
    # Owned by this object; freed with it, or as it becomes empty.
    cdef char *_own
    cdef Py_ssize_t _capacity
    cdef bint _borrowed

    cdef int add(self, const char *data, Py_ssize_t size) except -1
    cdef int keep(self) except -1
    cdef void skip(self, Py_ssize_t size) noexcept
    cdef void clear(self) noexcept
    cdef bytes take(self, Py_ssize_t limit)
    cdef int _append(self, const char *data, Py_ssize_t size) except -1
    cdef int _join(
        self, const char *first, Py_ssize_t first_size, const char *second, Py_ssize_t second_size
    ) except -1
    cdef bytes first(self, Py_ssize_t limit)
    cdef bytes peek(self)
    cdef int put_back(self, bytes data) except -1
