"""C types of output_buffer.pyx."""


cdef class OutputBuffer:
    # Owned by this object; freed with it, or when it has grown large.
    cdef char *data
    cdef Py_ssize_t size
    cdef Py_ssize_t capacity

    cdef char *room(self, Py_ssize_t size) except NULL
    cdef int add(self, const char *data, Py_ssize_t size) except -1
    cdef bytes take(self)
    cdef void clear(self) noexcept
