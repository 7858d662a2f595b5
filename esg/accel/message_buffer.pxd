"""C types of message_buffer.pyx."""

from cpython.object cimport PyObject


cdef class MessageBuffer:
    cdef Py_ssize_t size
    # A bytes object that nobody else knows, owned by this one; NULL where it has none.
    cdef PyObject *_bytes
    cdef Py_ssize_t _capacity

    cdef char *room(self, Py_ssize_t size, Py_ssize_t announced) except NULL
    cdef bytes take(self)
    cdef str take_text(self)
    cdef void clear(self) noexcept
