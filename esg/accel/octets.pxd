"""C types of octets.pyx."""

from cpython.unicode cimport PyUnicode_CheckExact
from libc.string cimport memcmp

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


cdef extern from "Python.h":
    bint _is_compact_ascii "PyUnicode_IS_COMPACT_ASCII"(object text)
    Py_ssize_t _text_size "PyUnicode_GET_LENGTH"(object text)
    const void *_text_data "PyUnicode_DATA"(object text)


# In a header: it is asked several times a request, by constants that no other module shares.
cdef inline bint is_text(object value, const char *ascii, Py_ssize_t size) noexcept:
    """Tell whether a value is a string of these `size` ASCII characters."""
    if not PyUnicode_CheckExact(value) or not _is_compact_ascii(value):
        return False
    return _text_size(value) == size and not memcmp(_text_data(value), ascii, size)
