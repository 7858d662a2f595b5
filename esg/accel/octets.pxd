"""C types of octets.pyx."""

cdef enum:
    TOKEN = 1
    VALUE = 2
    TARGET = 4
    HOST = 8

# What each octet may be part of; filled when the module is imported, then only read.
cdef unsigned char CLASSES[256]

cdef bint all_of(int octet_class, const char *data, Py_ssize_t size) noexcept
cdef bint is_same(const char *data, const char *lower, Py_ssize_t size) noexcept
cdef long long parse_digits(const char *data, Py_ssize_t size) noexcept
