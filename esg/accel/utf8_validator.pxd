"""C types of utf8_validator.pyx."""


cdef class Utf8Validator:
    # What the next octet may be, and how many of the character follow it: none at its start.
    cdef int _missing
    cdef unsigned char _lowest
    cdef unsigned char _highest

    cdef bint take(self, const char *data, Py_ssize_t size) noexcept
    cdef bint between_characters(self) noexcept
    cdef void reset(self) noexcept
    cdef bint _begin(self, unsigned char octet) noexcept
