"""UTF-8 that comes in pieces, refused at the first octet that cannot be part of it.

RFC 6455 section 8.1 asks for failure on text that is no UTF-8; a message may be long and its
fragments slow, so it is refused where it stops being UTF-8 and not at its end. What UTF-8 is:
RFC 3629 section 4, neither surrogates nor overlong forms nor anything beyond U+10FFFF.

    first octet    characters' next octet    octets after that
    00..7F         (none)
    C2..DF         80..BF                    0
    E0             A0..BF                    1
    E1..EC EE EF   80..BF                    1
    ED             80..9F                    1
    F0             90..BF                    2
    F1..F3         80..BF                    2
    F4             80..8F                    2
"""

from libc.stdint cimport uint64_t
from libc.string cimport memcpy

cdef enum:
    WORD = 8

cdef uint64_t NON_ASCII = 0x8080808080808080


cdef class Utf8Validator:
    """Follow one text from its start to its end."""

    cdef bint take(self, const char *data, Py_ssize_t size) noexcept:
        """Take the next octets; tell whether all so far may begin a text in UTF-8.

        After a refusal, only `reset` may follow.
        """
        cdef Py_ssize_t at = 0
        cdef unsigned char octet
        cdef uint64_t word
        while at < size:
            octet = <unsigned char> data[at]
            if self._missing:
                if not self._lowest <= octet <= self._highest:
                    return False
                self._missing -= 1
                self._lowest = 0x80
                self._highest = 0xBF
            elif octet >= 0x80:
                if not self._begin(octet):
                    return False
            elif at + WORD <= size:
                memcpy(&word, data + at, WORD)
                if not word & NON_ASCII:
                    at += WORD
                    continue
            at += 1
        return True

    cdef bint _begin(self, unsigned char octet) noexcept:
        """Begin a character of several octets; tell whether there is one that begins so."""
        self._lowest = 0x80
        self._highest = 0xBF
        if 0xC2 <= octet <= 0xDF:
            self._missing = 1
        elif 0xE0 <= octet <= 0xEF:
            self._missing = 2
            if octet == 0xE0:
                self._lowest = 0xA0
            elif octet == 0xED:
                self._highest = 0x9F
        elif 0xF0 <= octet <= 0xF4:
            self._missing = 3
            if octet == 0xF0:
                self._lowest = 0x90
            elif octet == 0xF4:
                self._highest = 0x8F
        else:
            return False
        return True

    cdef bint between_characters(self) noexcept:
        """Tell whether a text may end here."""
        return self._missing == 0

    cdef void reset(self) noexcept:
        """Begin another text."""
        self._missing = 0


def first_refused(list pieces):
    """Tell which octet of a text in pieces is refused, and whether it may end there; for tests.

    Returns:
        The number of the piece that is refused, None where all may begin a text; and whether
        the text is complete.
    """
    cdef Utf8Validator validator = Utf8Validator.__new__(Utf8Validator)
    for number, piece in enumerate(pieces):
        if not validator.take(<bytes?> piece, len(piece)):
            return number, False
    return None, validator.between_characters()
