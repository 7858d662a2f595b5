"""The fast path before `rules.request_head`: heads that are lawful beyond doubt.

A head that has come whole, whose request line is of the plain form, and whose fields llhttp
places where canonical spacing has them, gets the verdict that the rule would give: these are
nearly all. Whatever else it may be, this says nothing and the rule decides over the raw bytes.

A client that keeps its connection mostly repeats its fields: the section of the head before is
compared first. It is kept per connection, so that no client's values reach another.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from libc.string cimport memchr, memcmp

from esg.accel.llhttp cimport (
    HPE_PAUSED,
    HTTP_REQUEST,
    llhttp_execute,
    llhttp_get_error_pos,
    llhttp_init,
    llhttp_settings_init,
    llhttp_settings_t,
    llhttp_t,
)
from esg.accel.octets cimport HOST, TARGET, TOKEN, VALUE, all_of, is_same, parse_digits
from esg.accel.rules.request_head cimport HeadLimits, RequestHead

cdef enum:
    MOST_PORT_DIGITS = 5

cdef tuple _METHODS = ("GET", "POST", "PUT", "HEAD", "DELETE", "PATCH", "OPTIONS")
cdef tuple _METHODS_RAW = tuple([method.encode() + b" " for method in _METHODS])
cdef bytes _VERSION = b" HTTP/1.1\r\n"
cdef bytes _KEEP_ALIVE = b"keep-alive"
cdef bytes _CLOSE = b"close"
cdef bytes _X_FORWARDED = b"x-forwarded-"
cdef str _HTTP_1_1 = "1.1"

# Shared by all parsers, which only read it; filled once, at the end of this module.
cdef llhttp_settings_t _settings


cdef int _on_header_field(llhttp_t *parser, const char *at, size_t length) except -1:
    cdef RequestParser reader = <RequestParser> parser.data
    if reader._count == MOST_FIELDS:
        return HPE_PAUSED
    reader._spans[reader._count] = Span(at, length, NULL, 0)
    reader._count += 1
    return 0


cdef int _on_header_value(llhttp_t *parser, const char *at, size_t length) except -1:
    cdef Span *span = &(<RequestParser> parser.data)._spans[
        (<RequestParser> parser.data)._count - 1
    ]
    span.value = at
    span.value_size = length
    return 0


cdef int _on_headers_complete(llhttp_t *parser) except -1:
    (<RequestParser> parser.data)._complete = True
    return HPE_PAUSED


cdef class FieldSection:
    """Hold a field section and what it says."""


cdef class RequestParser:
    """Read plain heads; one for all connections of a server, as no call outlives its callback.

    Free-threaded Python needs one for each thread that serves.
    """

    cdef RequestHead read(self, const char *data, Py_ssize_t size, FieldSection known):
        """Read a head that stands at the start of `data`; None where this cannot tell."""
        cdef Py_ssize_t method_size = 0
        cdef int method = _find_method(data, size, &method_size)
        if method < 0 or size == method_size or data[method_size] != b"/":
            return None
        cdef const char *target = data + method_size
        cdef const char *end = <const char *> memchr(target, b" ", size - method_size)
        if end is NULL or end - target > self._limits.target_size:
            return None
        cdef const char *fields = end + PyBytes_GET_SIZE(_VERSION)
        if fields > data + size or memcmp(end, PyBytes_AS_STRING(_VERSION), fields - end):
            return None
        if not all_of(TARGET, target, end - target):
            return None
        cdef FieldSection section = self._repeated(data, size, fields, known)
        if section is None:
            section = self._read_section(data, size, fields)
            if section is None:
                return None
        self.section = section
        self.taken = (fields - data) + PyBytes_GET_SIZE(section.raw)
        if self.taken > self._limits.head_size:
            return None
        return _head(_METHODS[method], target, end - target, section)

    cdef FieldSection _repeated(
        self, const char *data, Py_ssize_t size, const char *fields, FieldSection known
    ):
        """Return the section that is known already, if it stands at `fields`."""
        cdef Py_ssize_t length
        if known is None:
            return None
        length = PyBytes_GET_SIZE(known.raw)
        if size - (fields - data) < length:
            return None
        return None if memcmp(fields, PyBytes_AS_STRING(known.raw), length) else known

    cdef FieldSection _read_section(self, const char *data, Py_ssize_t size, const char *fields):
        """Read field lines up to the blank one; None where the rule is to decide."""
        cdef const char *end = self._find_spans(data, min(size, self._limits.head_size))
        cdef FieldSection section = FieldSection.__new__(FieldSection)
        cdef Py_ssize_t i
        cdef const char *line = fields
        cdef const char *next_line
        if end is NULL or self._count > self._limits.fields:
            return None
        section.headers = []
        section.connection = ()
        section.content_length = -1
        section.forwarded = False
        self._has_host = False
        for i in range(self._count):
            next_line = self._spans[i + 1].name if i + 1 < self._count else end - 2
            if not self._take_line(section, &self._spans[i], line, next_line):
                return None
            line = next_line
        if not self._has_host or memcmp(end - 2, b"\r\n", 2):
            return None
        section.content_length = max(section.content_length, 0)
        if section.content_length > self._limits.body_size > 0:
            return None
        section.raw = PyBytes_FromStringAndSize(fields, end - fields)
        return section

    cdef const char *_find_spans(self, const char *data, Py_ssize_t size) noexcept:
        """Let llhttp find the fields; return where the head ends, NULL if it does not."""
        llhttp_init(&self._parser, HTTP_REQUEST, &_settings)
        # Borrowed: the parser is part of the object that it points to.
        self._parser.data = <void *> self
        self._count = 0
        self._complete = False
        if llhttp_execute(&self._parser, data, size) != HPE_PAUSED or not self._complete:
            return NULL
        return llhttp_get_error_pos(&self._parser)

    cdef bint _take_line(
        self, FieldSection section, Span *span, const char *line, const char *next_line
    ) except -1:
        """Take one field line; False where its spacing is not canonical or its field is special.

        The line is name, colon, value and CRLF, and nothing of it is what another line is.
        """
        cdef const char *value = line + span.name_size + 1
        cdef const char *value_end = next_line - 2
        if span.name != line or value_end < value or line[span.name_size] != b":":
            return False
        if memcmp(value_end, b"\r\n", 2) or not all_of(TOKEN, line, span.name_size):
            return False
        if not all_of(VALUE, value, value_end - value):
            return False
        while value < value_end and (value[0] == b" " or value[0] == b"\t"):
            value += 1
        while value < value_end and (value_end[-1] == b" " or value_end[-1] == b"\t"):
            value_end -= 1
        cdef bytes name = PyBytes_FromStringAndSize(line, span.name_size).lower()
        if not self._take_special(section, name, value, value_end - value):
            return False
        section.headers.append((name, PyBytes_FromStringAndSize(value, value_end - value)))
        return True

    cdef bint _take_special(
        self, FieldSection section, bytes name, const char *value, Py_ssize_t size
    ) except -1:
        """Look at a field that the rule looks at; False where it is not of the plainest form."""
        if name == b"host":
            if self._has_host or not _is_plain_host(value, size):
                return False
            self._has_host = True
        elif name == b"content-length":
            if section.content_length >= 0:
                return False
            section.content_length = parse_digits(value, size)
            return section.content_length >= 0
        elif name == b"connection":
            if section.connection:
                return False
            if size == 10 and is_same(value, b"keep-alive", 10):
                section.connection = (_KEEP_ALIVE,)
            elif size == 5 and is_same(value, b"close", 5):
                section.connection = (_CLOSE,)
            else:
                return False
        elif name == b"transfer-encoding" or name == b"expect" or name == b"te":
            return False
        elif name == b"forwarded" or _begins(name, _X_FORWARDED):
            section.forwarded = True
        return True


cdef int _find_method(const char *data, Py_ssize_t size, Py_ssize_t *method_size) noexcept:
    """Return which of the common methods `data` begins with, -1 for none."""
    cdef int i
    cdef bytes method
    for i in range(7):
        method = <bytes> _METHODS_RAW[i]
        method_size[0] = PyBytes_GET_SIZE(method)
        if size > method_size[0] and not memcmp(data, PyBytes_AS_STRING(method), method_size[0]):
            return i
    return -1


cdef bint _is_plain_host(const char *value, Py_ssize_t size) noexcept:
    """Tell whether a host is a plain name or IPv4 address with, perhaps, a port."""
    cdef const char *colon = <const char *> memchr(value, b":", size)
    cdef Py_ssize_t name_size = colon - value if colon is not NULL else size
    if not name_size or not all_of(HOST, value, name_size):
        return False
    if colon is NULL:
        return True
    cdef Py_ssize_t port_size = size - name_size - 1
    return port_size <= MOST_PORT_DIGITS and 0 <= parse_digits(colon + 1, port_size) <= 65535


cdef bint _begins(bytes name, bytes beginning) noexcept:
    """Tell whether a field's name begins so."""
    cdef Py_ssize_t size = PyBytes_GET_SIZE(beginning)
    return PyBytes_GET_SIZE(name) >= size and not memcmp(
        PyBytes_AS_STRING(name), PyBytes_AS_STRING(beginning), size
    )


cdef RequestHead _head(str method, const char *target, Py_ssize_t size, FieldSection section):
    cdef RequestHead head = RequestHead.__new__(RequestHead)
    cdef const char *query = <const char *> memchr(target, b"?", size)
    cdef Py_ssize_t path_size = query - target if query is not NULL else size
    head.method = method
    head.http_version = _HTTP_1_1
    head.raw_path = PyBytes_FromStringAndSize(target, path_size)
    head.query = b""
    if query is not NULL:
        head.query = PyBytes_FromStringAndSize(query + 1, size - path_size - 1)
    # A list of the request's own: the application may change it.
    head.headers = section.headers.copy()
    head.content_length = section.content_length
    head.expect_continue = False
    head.takes_trailers = False
    head.forwarded = section.forwarded
    head.connection = section.connection
    return head


cdef RequestParser request_parser(HeadLimits limits):
    """Make a parser that keeps to `limits`."""
    cdef RequestParser parser = RequestParser.__new__(RequestParser)
    parser._limits = limits
    return parser


def read_head(bytes data, HeadLimits limits, previous=()):
    """Read a head as the driver does, after those in `previous` on one connection; for tests.

    Returns:
        The head and its size, or None where the rule is to decide.
    """
    cdef RequestParser parser = request_parser(limits)
    cdef FieldSection known = None
    cdef bytes earlier
    for earlier in previous:
        if parser.read(earlier, len(earlier), known) is not None:
            known = parser.section
    head = parser.read(data, len(data), known)
    return None if head is None else (head, parser.taken)


llhttp_settings_init(&_settings)
_settings.on_header_field = _on_header_field
_settings.on_header_value = _on_header_value
_settings.on_headers_complete = _on_headers_complete
