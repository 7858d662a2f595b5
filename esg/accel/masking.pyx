"""Masking of frame payloads (RFC 6455 section 5.3), a word at a time.

A key is four octets as they lie in memory, read as a number of the machine's own byte order, so
that a word of payload and a word of key meet octet by octet on every machine.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.string cimport memcpy

cdef enum:
    WORD = 8

cdef uint64_t NON_ASCII = 0x8080808080808080


cdef uint64_t unmask(char *to, const char *data, Py_ssize_t size, uint32_t key) noexcept nogil:
    """Put the unmasked octets at `to`, which is `data` itself or does not overlap with it.

    Returns:
        All octets or-ed together, in the lanes of words: what `has_non_ascii` asks for.
    """
    cdef uint64_t keys = (<uint64_t> key << 32) | key
    cdef uint64_t word
    cdef uint64_t seen = 0
    cdef Py_ssize_t at = 0
    # Words lie anywhere, so they are copied, never cast: each memcpy is one instruction, and the
    # compiler joins several into one of its vectors.
    while at + WORD <= size:
        memcpy(&word, data + at, WORD)
        word ^= keys
        seen |= word
        memcpy(to + at, &word, WORD)
        at += WORD
    # At most seven octets are left; `at` is a multiple of four, where the key begins anew.
    if at < size:
        word = 0
        memcpy(&word, data + at, size - at)
        word ^= keys
        memcpy(to + at, &word, size - at)
        seen |= _first(word, size - at)
    return seen


cdef uint64_t _first(uint64_t word, Py_ssize_t size) noexcept nogil:
    """Return a word of the first octets in memory; the others are 0."""
    cdef uint64_t first = 0
    memcpy(&first, &word, size)
    return first


cdef uint32_t rotated(uint32_t key, Py_ssize_t size) noexcept nogil:
    """Return the key for the octets that follow `size` others."""
    cdef uint8_t octets[8]
    memcpy(octets, &key, 4)
    memcpy(octets + 4, &key, 4)
    memcpy(&key, octets + (size & 3), 4)
    return key


cdef bint has_non_ascii(uint64_t octets) noexcept nogil:
    """Tell whether any of the octets that `unmask` has seen is beyond ASCII."""
    return (octets & NON_ASCII) != 0


def unmasked(bytes data, bytes key, Py_ssize_t start=0):
    """Unmask octets of a payload; tell whether any is beyond ASCII; for tests.

    Args:
        data: the masked octets.
        key: of four octets.
        start: how many octets of the payload were before these.
    """
    if len(key) != 4:
        raise ValueError("a key has four octets")
    cdef Py_ssize_t size = PyBytes_GET_SIZE(data)
    cdef bytes made = PyBytes_FromStringAndSize(NULL, size)
    cdef uint32_t number
    memcpy(&number, PyBytes_AS_STRING(key), 4)
    seen = unmask(
        PyBytes_AS_STRING(made), PyBytes_AS_STRING(data), size, rotated(number, start)
    )
    return made, has_non_ascii(seen)
