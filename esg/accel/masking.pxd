"""C types of masking.pyx."""

from libc.stdint cimport uint32_t, uint64_t

cdef uint64_t unmask(char *to, const char *data, Py_ssize_t size, uint32_t key) noexcept nogil
cdef uint32_t rotated(uint32_t key, Py_ssize_t size) noexcept nogil
cdef bint has_non_ascii(uint64_t octets) noexcept nogil
