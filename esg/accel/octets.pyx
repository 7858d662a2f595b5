"""Which octets a field name, field value, request-target or plain host is made of.

The rules say so with regular expressions; this is for the fast paths before them, which decide
only what is lawful beyond doubt and leave the rest to the rules.
"""

cdef bytes _TOKEN = (
    b"!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
)


cdef int _fill() except -1:
    cdef int octet
    for octet in range(256):
        CLASSES[octet] = 0
        if octet in _TOKEN:  # RFC 9110 section 5.6.2
            CLASSES[octet] |= TOKEN
        if octet == 9 or (octet >= 0x20 and octet != 0x7F):  # RFC 9110 section 5.5
            CLASSES[octet] |= VALUE
        if 0x21 <= octet <= 0x7E and octet != ord("#"):
            CLASSES[octet] |= TARGET
        # A reg-name or IPv4 address without escapes and sub-delims; everybody's host.
        if octet < 0x80 and (chr(octet).isalnum() or chr(octet) in "-."):
            CLASSES[octet] |= HOST
    return 0


_fill()


cdef bint all_of(int octet_class, const char *data, Py_ssize_t size) noexcept:
    """Tell whether all octets are of a class."""
    cdef Py_ssize_t i
    for i in range(size):
        if not CLASSES[<unsigned char> data[i]] & octet_class:
            return False
    return True


cdef bint is_same(const char *data, const char *lower, Py_ssize_t size) noexcept:
    """Tell whether a name is `lower`, whatever its case; both have `size` octets."""
    cdef Py_ssize_t i
    for i in range(size):
        if (data[i] | 0x20 if b"A" <= data[i] <= b"Z" else data[i]) != lower[i]:
            return False
    return True


cdef long long parse_digits(const char *data, Py_ssize_t size) noexcept:
    """Return the number that 1 to 18 digits are, -1 for anything else."""
    cdef long long number = 0
    cdef Py_ssize_t i
    if not 1 <= size <= 18:
        return -1
    for i in range(size):
        if not b"0" <= data[i] <= b"9":
            return -1
        number = number * 10 + (data[i] - 0x30)
    return number
