"""What a response carries around the application's content: fields, framing, and the bytes.

`plan` is policy and knows no wire: which fields go out, how the content is framed.
`Http1Response` is the HTTP/1.1 serialisation of such a plan. Must not know sockets, nor the
clock: the Date value arrives in `DefaultFields`.

Obeys RFC 9110 sections 5.5, 5.6.2, 6.6.1, 8.6, 9.3.2, 15 and RFC 9112 sections 4, 6, 7.1, 9.6.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from http import HTTPStatus
from typing import Final

from esg.errors import MessageError
from esg.http import Piece, http_date

# How the content ends (RFC 9112 section 6.3).
NO_CONTENT: Final = 0  # a response to HEAD, 204, 304: whatever the fields say
LENGTH: Final = 1
CHUNKED: Final = 2
UNTIL_CLOSE: Final = 3

MAX_CONTENT_LENGTH: Final = 2**63 - 1

# Content up to this many bytes is joined with what goes before and after it.
JOIN_LIMIT: Final = 65536

# RFC 9110 section 15 renamed four, which the standard library follows from 3.13 on: an answer
# must not depend on the interpreter.
_PHRASES: Final = {status.value: status.phrase.encode("ascii") for status in HTTPStatus} | {
    413: b"Content Too Large",
    414: b"URI Too Long",
    416: b"Range Not Satisfiable",
    422: b"Unprocessable Content",
}
_STATUS_LINES: Final = {
    status: b"HTTP/1.1 %d %s\r\n" % (status, phrase) for status, phrase in _PHRASES.items()
}
_NAME: Final = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_ILLEGAL_IN_VALUE: Final = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
_LENGTH: Final = re.compile(rb"[0-9]{1,19}")
# Fields that the server owns or must look at; every other one is passed on.
_SPECIAL: Final = frozenset(
    (b"connection", b"content-length", b"date", b"server", b"transfer-encoding", b"keep-alive")
)
_NOT_IN_UPGRADE: Final = _SPECIAL - {b"date", b"server"} | {b"upgrade"}
# What frames, routes, authorises or describes a message must be known before its content, and would
# be ignored, or worse not ignored, behind it (RFC 9110 section 6.5.1).
_NOT_IN_TRAILERS: Final = _SPECIAL | frozenset(
    b"host te trailer upgrade proxy-connection authorization proxy-authorization www-authenticate "
    b"proxy-authenticate set-cookie cookie content-encoding content-type content-range "
    b"cache-control expires age pragma vary warning location retry-after expect max-forwards range "
    b"if-match if-none-match if-modified-since if-unmodified-since if-range".split()
)


def format_date(timestamp: int) -> bytes:
    """Format a Date value, an IMF-fixdate (RFC 9110 section 5.6.7).

    Args:
        timestamp: seconds since the epoch.
    """
    return http_date(timestamp).encode("ascii")


def checked_field(name: object, value: object) -> tuple[bytes, bytes]:
    """Return a field that can be sent without changing what is around it.

    Raises:
        TypeError: name or value is not bytes.
        MessageError: a name that is no token, a value with a control octet.
    """
    if not isinstance(name, bytes) or not isinstance(value, bytes):
        raise TypeError(f"header names and values must be bytes, got {name!r}: {value!r}")
    if type(name) is not bytes or type(value) is not bytes:
        # Of a subclass only the octets count, and they are judged: bytes() would ask its methods.
        name, value = b"".join((name,)), b"".join((value,))
    if not _NAME.fullmatch(name):
        raise MessageError(f"invalid header name {name!r}")
    if _ILLEGAL_IN_VALUE.search(value):
        raise MessageError(f"invalid value of header {name!r}: {value!r}")
    return name, value


class DefaultFields:
    """Keep the fields that every response gets unless the application sets them.

    Args:
        server: the Server value, or None for no such field.
        date: whether to send Date.
        extra: further fields, checked already, sent unless the application sets the name; they
            take the place of a Server or Date above.
    """

    __slots__ = ("_date", "block", "date_line", "extra", "server_line")

    def __init__(
        self, server: bytes | None, date: bool, extra: Iterable[tuple[bytes, bytes]] = ()
    ) -> None:
        self.extra = tuple((name.lower(), b"%s: %s\r\n" % (name, value)) for name, value in extra)
        names = {name for name, _ in self.extra}
        self._date = date and b"date" not in names
        sends_server = server is not None and b"server" not in names
        self.server_line = b"server: %s\r\n" % server if sends_server else b""
        self.date_line = b""
        self.block = self.server_line

    def set_time(self, timestamp: int) -> None:
        """Renew the Date value; call it once in a second that has responses."""
        if self._date:
            self.date_line = b"date: %s\r\n" % format_date(timestamp)
            self.block = self.date_line + self.server_line


class ResponsePlan:
    """Hold the checked fields and the framing of one response, before any wire.

    Attributes:
        status: the status code.
        fields: what the application sends, less the fields that the server owns.
        names: the lower-case names in `fields`.
        length: the declared Content-Length, -1 where there is none.
        has_content: False for HEAD, 204 and 304, whose content never goes out.
        close: the application asked to close the connection.
        options: its other Connection options.
        trailers: the application has announced trailers.
    """

    __slots__ = (
        *("close", "fields", "has_content", "length", "names", "options", "status", "trailers"),
    )

    def __init__(self, status: int, has_content: bool) -> None:
        self.status = status
        self.has_content = has_content
        self.fields: list[tuple[bytes, bytes]] = []
        self.names: set[bytes] = set()
        self.length = -1
        self.close = False
        self.options: list[bytes] = []
        self.trailers = False


def plan(method: str, status: object, headers: Iterable[Iterable[object]]) -> ResponsePlan:
    """Check what the application starts a response with.

    Args:
        method: of the request.
        status: a final status code, 200 to 999; an IntEnum will do.
        headers: pairs of bytes; any iterable of iterables.

    Raises:
        MessageError, TypeError: nothing of it may be sent.
    """
    if not isinstance(status, int):
        raise TypeError(f"status must be an int, got {status!r}")
    status = int(status)
    if not 200 <= status <= 999:
        raise MessageError(f"status must be a final status code (200 to 999), got {status}")
    has_content = method != "HEAD" and status not in (204, 304)
    result = ResponsePlan(status, has_content)
    for given_name, given_value in headers:
        name, value = checked_field(given_name, given_value)
        lower = name.lower()
        if lower not in _SPECIAL or not _take_special(result, lower, value):
            result.names.add(lower)
            result.fields.append((name, value))
    return result


def _take_special(result: ResponsePlan, name: bytes, value: bytes) -> bool:
    """Read a field that the server looks at; tell whether the server writes it itself."""
    if name == b"connection":
        for option in (raw.strip(b" \t").lower() for raw in value.split(b",")):
            if option and not _NAME.fullmatch(option):
                raise MessageError(f"invalid connection option {option!r}")
            if option == b"close":
                result.close = True
            elif option and option != b"keep-alive":
                result.options.append(option)
        return True
    if name == b"content-length":
        if result.length >= 0:
            raise MessageError("several content-length headers")
        if not _LENGTH.fullmatch(value) or int(value) > MAX_CONTENT_LENGTH:
            raise MessageError(f"invalid content-length {value!r}")
        result.length = int(value)
        return result.status == 204  # no Content-Length in a 204 (RFC 9110 section 8.6)
    # Transfer-Encoding and Keep-Alive belong to the connection, so to the server.
    return name in (b"transfer-encoding", b"keep-alive")


class Http1Response:
    """Write one response in HTTP/1.1.

    Args:
        http_version: of the request; content without a length is chunked for 1.1 and ends with
            the connection for 1.0 (RFC 9112 section 6.1).
        keep_alive: the connection may persist as far as the request and the server go.
        defaults: the fields to add.
        takes_trailers: the client does.

    Attributes:
        response: what it writes.
        framing: how the content ends.
        trailers_due: trailers end the response.
    """

    __slots__ = (
        "_defaults",
        "_http_version",
        "_in_trailers",
        "_takes_trailers",
        "framing",
        "keep_alive",
        "response",
        "trailers_due",
    )

    def __init__(
        self,
        http_version: str,
        keep_alive: bool,
        defaults: DefaultFields,
        takes_trailers: bool = False,
    ) -> None:
        self._http_version = http_version
        self._defaults = defaults
        self._takes_trailers = takes_trailers
        self._in_trailers = False
        self.trailers_due = False
        self.response = ResponsePlan(0, False)
        self.keep_alive = keep_alive
        self.framing = NO_CONTENT

    def start(self, response: ResponsePlan) -> None:
        """Take a response; a later call replaces one that has not been written."""
        self.response = response
        self.trailers_due = response.trailers and response.has_content and self._takes_trailers
        if not response.has_content:
            self.framing = NO_CONTENT
        elif self.trailers_due:  # only chunks leave room for them
            self.framing = CHUNKED
        elif response.length >= 0:
            self.framing = LENGTH
        elif self._http_version == "1.0":
            self.framing = UNTIL_CLOSE
        else:
            self.framing = CHUNKED

    def declare_length(self, length: int) -> None:
        """Add the Content-Length that the application has left out, where there may be one."""
        if self.response.length < 0 and self.response.status not in (204, 304):
            self.response.length = length
            self.response.fields.append((b"content-length", b"%d" % length))
            self.start(self.response)

    def head(self) -> bytes:
        """Serialise status line and fields, and settle whether the connection persists."""
        response = self.response
        if response.close or self.framing == UNTIL_CLOSE:
            self.keep_alive = False
        lines = [_status_line(response.status), *self._default_lines()]
        fields = response.fields
        if self.trailers_due and response.length >= 0:
            fields = [field for field in fields if field[0].lower() != b"content-length"]
        lines += [b"%s: %s\r\n" % field for field in fields]
        # The answer to HEAD has the fields of GET's (RFC 9110 section 9.3.2).
        may_be_chunked = self._http_version != "1.0" and response.status not in (101, 204, 304)
        if may_be_chunked and (response.length < 0 or self.trailers_due):
            lines.append(b"transfer-encoding: chunked\r\n")
        options = response.options if self.keep_alive else [*response.options, b"close"]
        if options:
            lines.append(b"connection: %s\r\n" % b", ".join(options))
        lines.append(b"\r\n")
        return b"".join(lines)

    def _default_lines(self) -> list[bytes]:
        names = self.response.names
        defaults = self._defaults
        if not names.isdisjoint((b"date", b"server")):
            lines = [] if b"date" in names else [defaults.date_line]
            lines += [] if b"server" in names else [defaults.server_line]
        else:
            lines = [defaults.block]
        lines += [line for name, line in defaults.extra if name not in names]
        return lines

    def frame(self, data: Piece, final: bool) -> list[Piece]:
        """Frame a piece of content; the last piece ends the message (RFC 9112 section 7.1)."""
        if self.framing == NO_CONTENT:
            return []
        if self.framing != CHUNKED:
            return [data] if data else []
        last = b"0\r\n\r\n" if final else b""
        if not data:  # an empty chunk would end the message
            return [last] if last else []
        size = len(data)
        if size > JOIN_LIMIT:
            return [b"%x\r\n" % size, data, b"\r\n" + last]
        return [b"".join((b"%x\r\n" % size, data, b"\r\n", last))]

    def trailers(self, fields: Iterable[Iterable[object]], final: bool) -> bytes:
        """Write trailers behind the last piece of content (RFC 9112 section 7.1.2).

        Raises:
            MessageError, TypeError: a field that may not be sent, or not as a trailer.
        """
        lines = [b"%s: %s\r\n" % _checked_trailer(name, value) for name, value in fields]
        if not self._in_trailers:
            self._in_trailers = True
            lines.insert(0, b"0\r\n")
        if final:
            lines.append(b"\r\n")
        return b"".join(lines)

    def early_hint(self, links: Iterable[object]) -> bytes:
        """Write a 103 (RFC 8297); nothing for HTTP/1.0, which has no interim responses.

        Raises:
            MessageError, TypeError: a link that may not be sent.
        """
        lines = [b"%s: %s\r\n" % checked_field(b"link", link) for link in links]
        if self._http_version == "1.0":
            return b""
        return b"".join((_status_line(103), *lines, b"\r\n"))


def _checked_trailer(name: object, value: object) -> tuple[bytes, bytes]:
    field = checked_field(name, value)
    if field[0].lower() in _NOT_IN_TRAILERS:
        raise MessageError(f"{field[0]!r} is no trailer: it is needed before the content")
    return field


def _status_line(status: int) -> bytes:
    return _STATUS_LINES.get(status) or b"HTTP/1.1 %d \r\n" % status


def error_response(
    method: str,
    status: int,
    defaults: DefaultFields,
    extra: Iterable[tuple[bytes, bytes]] = (),
) -> bytes:
    """Write an answer of the server's own: the reason phrase, and nothing of the request.

    Args:
        method: of the request, "" where it is not known; a HEAD gets no content.
        status: a 4xx or 5xx status code.
        defaults: the fields to add.
        extra: further fields, such as Retry-After.
    """
    content = _PHRASES[status]
    headers = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", b"%d" % len(content)),
        *extra,
    ]
    response = Http1Response("1.1", False, defaults)
    response.start(plan(method, status, headers))
    return response.head() + (b"" if method == "HEAD" else content)


def upgrade_response(
    protocol: bytes,
    fields: Iterable[tuple[bytes, bytes]],
    headers: Iterable[Iterable[object]],
    defaults: DefaultFields,
) -> bytes:
    """Write a 101, behind which the connection speaks another protocol (RFC 9110 section 15.2.2).

    Args:
        protocol: the value of Upgrade.
        fields: of the new protocol.
        headers: of the application; what frames a message or steers the connection is left out.
        defaults: the fields to add.

    Raises:
        MessageError, TypeError: a header that may not be sent.
    """
    switch = ResponsePlan(101, False)
    switch.options.append(b"upgrade")
    switch.fields.append((b"upgrade", protocol))
    switch.fields += fields
    for given_name, given_value in headers:
        name, value = checked_field(given_name, given_value)
        lower = name.lower()
        if lower not in _NOT_IN_UPGRADE:
            switch.names.add(lower)
            switch.fields.append((name, value))
    response = Http1Response("1.1", True, defaults)
    response.start(switch)
    return response.head()
