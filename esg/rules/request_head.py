"""One verdict over a request's raw head, whichever parser stands behind it.

A driver keeps the bytes of a head until its blank line (`find_end`), asks `check_partial` while
it waits, and hands the whole head to `judge`. The verdict names the status in one order:
limits, request line, fields, framing, Host. Must not know where the bytes come from.

Obeys RFC 9112 sections 2.2, 2.3, 3, 5, 6 and RFC 9110 sections 5.5, 5.6.2, 7.2, 8.6, 9.1, 10.1.1.
"""

from __future__ import annotations

import re
from ipaddress import AddressValueError, IPv6Address
from typing import Final

from esg.asgi import Headers
from esg.errors import RequestRejected

# llhttp's request methods for HTTP, QUERY and SOURCE included. Methods are case-sensitive
# (RFC 9110 section 9.1); another token is answered with 501.
METHODS: Final = frozenset(
    b"ACL BIND CHECKOUT CONNECT COPY DELETE GET HEAD LINK LOCK M-SEARCH MERGE MKACTIVITY "
    b"MKCALENDAR MKCOL MOVE NOTIFY OPTIONS PATCH POST PROPFIND PROPPATCH PURGE PUT QUERY "
    b"REBIND REPORT SEARCH SOURCE SUBSCRIBE TRACE UNBIND UNLINK UNLOCK UNSUBSCRIBE".split()
)

MAX_CONTENT_LENGTH: Final = 2**63 - 1

# The end of a head, lawful or not: what follows decides nothing, so a head that ends its lines
# with a bare LF or CR gets its verdict at once and does not wait for the timeout.
_END: Final = re.compile(rb"\n\r?\n|\r\r")
_TOKEN: Final = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
_REQUEST_LINE: Final = rb"(" + _TOKEN + rb") ([\x21-\x7e]+) HTTP/([0-9])\.([0-9])\r\n"
_FIELD_LINE: Final = _TOKEN + rb":[\t\x20-\x7e\x80-\xff]*\r\n"
_HEAD: Final = re.compile(_REQUEST_LINE + rb"((?:" + _FIELD_LINE + rb")*)\r\n")
_REQUEST_LINE_ONLY: Final = re.compile(_REQUEST_LINE)
_FIELD_LINE_ONLY: Final = re.compile(_FIELD_LINE)
_FIRST_BYTE: Final = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z\r\n]")
_DIGITS: Final = re.compile(rb"[0-9]{1,19}")
_ABSOLUTE_FORM: Final = re.compile(rb"(?i:https?)://([^/?]*)([^?]*)(?:\?(.*))?")
_HOST: Final = re.compile(
    rb"(?:\[([0-9A-Fa-f:.]+)\]|(?:[!$&'()*+,;=\-._~0-9A-Za-z]|%[0-9A-Fa-f]{2})+)(?::([0-9]{0,5}))?"
)


class HeadLimits:
    """Bound what one request may make the server keep.

    Args:
        head_size: bytes of the whole head, blank line included; above it 431.
        fields: number of field lines; above it 431.
        target_size: bytes of the request-target; above it 414.
        body_size: bytes of the content, 0 for no bound; above it 413.
    """

    __slots__ = ("body_size", "fields", "head_size", "target_size")

    def __init__(self, head_size: int, fields: int, target_size: int, body_size: int) -> None:
        self.head_size = head_size
        self.fields = fields
        self.target_size = target_size
        self.body_size = body_size


class RequestHead:
    """Hold what a lawful head says, framing decided.

    Attributes:
        method, http_version: as ASGI wants them ("GET", "1.1"; 1.2 and later minor versions
            are 1.1 to us, RFC 9112 section 2.3).
        raw_path, query: the request-target's two parts, undecoded.
        headers: field lines in order, names in lower case, values without outer whitespace.
        content_length: the declared length, 0 without content, -1 where chunked.
        expect_continue: whether the client waits for 100 (RFC 9110 section 10.1.1).
        connection: the lower-case options of all Connection fields.
        takes_trailers: whether the client takes trailers (RFC 9110 section 6.5.1).
        forwarded: whether there may be fields of proxies, Forwarded or X-Forwarded-*, at all.
    """

    __slots__ = (
        "connection",
        "content_length",
        "expect_continue",
        "forwarded",
        "headers",
        "http_version",
        "method",
        "query",
        "raw_path",
        "takes_trailers",
    )

    def __init__(self, method: str, http_version: str, raw_path: bytes, query: bytes) -> None:
        self.method = method
        self.http_version = http_version
        self.raw_path = raw_path
        self.query = query
        self.headers: Headers = []
        self.content_length = 0
        self.expect_continue = False
        self.connection: tuple[bytes, ...] = ()
        self.takes_trailers = False
        self.forwarded = False


def find_end(buffer: bytes | bytearray, scanned: int) -> int:
    """Find where the head that opens `buffer` ends.

    Args:
        buffer: what has come so far.
        scanned: how much of it an earlier call has seen, so that a dripped head costs O(n).

    Returns:
        The offset just after the blank line, or -1.
    """
    match = _END.search(buffer, max(0, scanned - 2))
    return match.end() if match else -1


def has_begun(buffer: bytes | bytearray) -> bool:
    """Tell whether a request has begun: the empty line that may precede one is none."""
    return buffer not in (b"", b"\r", b"\r\n")


def check_partial(buffer: bytes | bytearray, limits: HeadLimits) -> None:
    """Reject a head that is not complete but can no longer become lawful.

    Only the first byte (TLS spoken to a plain port) and the limits are judged early, so that
    the verdict does not depend on how the bytes were split.

    Raises:
        RequestRejected: 400, 414 or 431.
    """
    if buffer:
        _check_first_byte(buffer)
        _check_sizes(buffer, _request_line_start(buffer), limits)


def judge(raw: bytes, limits: HeadLimits) -> RequestHead:
    """Parse a whole head and decide whether the request may reach the application.

    Args:
        raw: from the first byte to the blank line, as `find_end` cut it.
        limits: the bounds to enforce.

    Raises:
        RequestRejected: with the status and the reason.
    """
    _check_first_byte(raw)
    raw = raw[_request_line_start(raw) :]
    _check_sizes(raw, 0, limits)
    if raw.count(b"\n") - 2 > limits.fields:
        raise RequestRejected(431, f"more than {limits.fields} fields")
    match = _HEAD.fullmatch(raw)
    if match is None:
        raise _diagnose(raw)
    method, target, major, minor, fields = match.groups()
    head = _read_request_line(method, target, major, minor)
    _read_fields(head, fields)
    head.forwarded = b"forwarded" in fields.lower()
    if head.content_length > limits.body_size > 0:
        raise RequestRejected(413, f"content-length exceeds {limits.body_size} bytes")
    return head


def _check_first_byte(raw: bytes | bytearray) -> None:
    if not _FIRST_BYTE.match(raw):
        raise RequestRejected(400, f"a request cannot begin with {bytes(raw[:1])!r}")


def _request_line_start(raw: bytes | bytearray) -> int:
    """Skip the one empty line that may precede (RFC 9112 section 2.2)."""
    return 2 if raw.startswith(b"\r\n") else 0


def _check_sizes(raw: bytes | bytearray, start: int, limits: HeadLimits) -> None:
    size = len(raw) - start
    if size > limits.target_size:
        # What is beyond the limit of a head is not looked at: it would not be there, and the
        # verdict another, had the bytes come one by one.
        end = start + min(size, limits.head_size + 1)
        if _target_size(raw, start, end) > limits.target_size:
            raise RequestRejected(414, f"request-target exceeds {limits.target_size} bytes")
    if size > limits.head_size:
        raise RequestRejected(431, f"head exceeds {limits.head_size} bytes")


def _target_size(raw: bytes | bytearray, start: int, end: int) -> int:
    """Measure the request-target as far as it has come, without a copy of the buffer."""
    newline = raw.find(b"\n", start, end)
    line_end = newline if newline >= 0 else end
    method_end = raw.find(b" ", start, line_end)
    if method_end < 0:
        return 0
    target_end = raw.find(b" ", method_end + 1, line_end)
    return (target_end if target_end >= 0 else line_end) - method_end - 1


def _diagnose(raw: bytes) -> RequestRejected:
    """Name the first fault of a head that does not match the grammar."""
    line = _REQUEST_LINE_ONLY.match(raw)
    if line is None:
        return RequestRejected(400, f"invalid request line {_shown(raw)}")
    try:
        _read_request_line(*line.groups())
    except RequestRejected as rejected:
        return rejected
    position = line.end()
    while match := _FIELD_LINE_ONLY.match(raw, position):
        position = match.end()
    return RequestRejected(400, f"invalid field line {_shown(raw[position:])}")


def _shown(raw: bytes) -> str:
    line = raw.partition(b"\n")[0]
    return repr(line[:80]) + ("..." if len(line) > 80 else "")


def _read_request_line(method: bytes, target: bytes, major: bytes, minor: bytes) -> RequestHead:
    if major != b"1":
        raise RequestRejected(505, f"HTTP version {major.decode()}.{minor.decode()}")
    if method not in METHODS:
        raise RequestRejected(501, f"method {_shown(method)} is not recognised")
    if method == b"CONNECT":
        raise RequestRejected(501, "method CONNECT is not implemented")
    http_version = "1.0" if minor == b"0" else "1.1"
    if b"#" in target:
        raise RequestRejected(400, "request-target has a fragment")
    if target[:1] == b"/":
        raw_path, _, query = target.partition(b"?")
        return RequestHead(method.decode(), http_version, raw_path, query)
    if target == b"*" and method == b"OPTIONS":
        return RequestHead("OPTIONS", http_version, b"*", b"")
    return _read_absolute_form(method, target, http_version)


def _read_absolute_form(method: bytes, target: bytes, http_version: str) -> RequestHead:
    match = _ABSOLUTE_FORM.fullmatch(target)
    if match is None:
        raise RequestRejected(400, f"invalid request-target {_shown(target)}")
    authority, raw_path, query = match.groups()
    if not authority:
        raise RequestRejected(400, "request-target has an empty authority")
    _check_host(authority)
    if not raw_path:
        # OPTIONS without a path means the server itself (RFC 9112 section 3.2.4).
        raw_path = b"*" if method == b"OPTIONS" and query is None else b"/"
    head = RequestHead(method.decode(), http_version, raw_path, query or b"")
    head.headers.append((b"host", authority))
    return head


def _read_fields(head: RequestHead, fields: bytes) -> None:
    """Split the field lines and decide framing, Host, Expect and Connection."""
    # An authority in the request-target replaces the Host field (RFC 9112 section 3.2.2).
    authority = head.headers[0] if head.headers else None
    headers: Headers = []
    hosts: list[bytes] = []
    lengths: list[bytes] = []
    codings: list[bytes] = []
    connection: list[bytes] = []
    for line in fields.split(b"\r\n")[:-1]:
        name, _, value = line.partition(b":")
        name = name.lower()
        value = value.strip(b" \t")
        if name == b"host":
            hosts.append(value)
            if authority is not None:
                value = authority[1]
        elif name == b"content-length":
            lengths.append(value)
        elif name == b"transfer-encoding":
            codings.append(value)
        elif name == b"connection":
            connection += _list_members(value)
        elif name == b"expect" and b"100-continue" in _list_members(value):
            head.expect_continue = True
        elif name == b"te" and b"trailers" in _list_members(value):
            head.takes_trailers = head.http_version != "1.0"
        headers.append((name, value))
    if authority is not None and not hosts:
        headers.insert(0, authority)
    head.headers = headers
    head.connection = tuple(connection)
    if codings or lengths:
        head.content_length = _read_framing(head.http_version, lengths, codings)
    _check_hosts(head.http_version, hosts)
    if head.content_length == 0 or head.http_version == "1.0":
        head.expect_continue = False


def _list_members(value: bytes) -> list[bytes]:
    """Split a list in lower case; empty members do not count (RFC 9110 section 5.6.1)."""
    return [stripped for member in value.lower().split(b",") if (stripped := member.strip(b" \t"))]


def _read_framing(http_version: str, lengths: list[bytes], codings: list[bytes]) -> int:
    """Decide how the content ends (RFC 9112 section 6): its length, or -1 for chunked."""
    if codings:
        _check_transfer_codings(http_version, lengths, codings)
        return -1
    if len(lengths) > 1:
        raise RequestRejected(400, "several Content-Length fields")
    if not _DIGITS.fullmatch(lengths[0]) or int(lengths[0]) > MAX_CONTENT_LENGTH:
        raise RequestRejected(400, f"invalid Content-Length {_shown(lengths[0])}")
    return int(lengths[0])


def _check_transfer_codings(http_version: str, lengths: list[bytes], lines: list[bytes]) -> None:
    if http_version == "1.0":
        raise RequestRejected(400, "Transfer-Encoding in HTTP/1.0")
    if lengths:
        raise RequestRejected(400, "both Transfer-Encoding and Content-Length")
    codings = [c.strip(b" \t").lower() for c in b",".join(lines).split(b",")]
    if codings[-1] != b"chunked" or codings.count(b"chunked") > 1 or b"" in codings:
        raise RequestRejected(400, f"invalid Transfer-Encoding {_shown(b', '.join(lines))}")
    if len(codings) > 1:
        raise RequestRejected(501, f"transfer coding {_shown(codings[0])} is not implemented")


def _check_hosts(http_version: str, hosts: list[bytes]) -> None:
    if len(hosts) > 1:
        raise RequestRejected(400, "several Host fields")
    if hosts:
        if hosts[0]:  # empty is lawful where the target has no authority (RFC 9112 section 3.2)
            _check_host(hosts[0])
    elif http_version != "1.0":
        raise RequestRejected(400, "no Host field")


def _check_host(host: bytes) -> None:
    match = _HOST.fullmatch(host)
    if match is None:
        raise RequestRejected(400, f"invalid host {_shown(host)}")
    ipv6, port = match.groups()
    if ipv6 is not None:
        try:
            IPv6Address(ipv6.decode())
        except AddressValueError:
            raise RequestRejected(400, f"invalid host {_shown(host)}") from None
    if port and int(port) > 65535:
        raise RequestRejected(400, f"invalid port in host {_shown(host)}")
