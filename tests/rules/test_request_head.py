"""Verdicts over whole heads, clause by clause."""

from __future__ import annotations

from types import ModuleType

import pytest

from esg.errors import RequestRejected
from tests.rules.heads import head, judged, limits
from tests.rules.twins import rule

request_head = rule("request_head")

METHODS = (
    *("DELETE", "GET", "HEAD", "POST", "PUT", "OPTIONS", "TRACE", "COPY", "LOCK", "MKCOL"),
    *("MOVE", "PROPFIND", "PROPPATCH", "SEARCH", "UNLOCK", "BIND", "REBIND", "UNBIND", "ACL"),
    *("REPORT", "MKACTIVITY", "CHECKOUT", "MERGE", "M-SEARCH", "NOTIFY", "SUBSCRIBE"),
    *("UNSUBSCRIBE", "PATCH", "PURGE", "MKCALENDAR", "LINK", "UNLINK", "SOURCE", "QUERY"),
)

LONG = b"a" * 300
CR = b"\r"

REJECTED_LINES = [
    pytest.param(b"GET /", 400, id="RFC 9112 3: no version"),
    pytest.param(b"GET", 400, id="RFC 9112 3: a method alone"),
    pytest.param(b"", 400, id="RFC 9112 2.2: an empty line and nothing before it"),
    pytest.param(b"GET  / HTTP/1.1", 400, id="RFC 9112 3: two spaces before the target"),
    pytest.param(b"GET /  HTTP/1.1", 400, id="RFC 9112 3: two spaces after the target"),
    pytest.param(b"GET\t/ HTTP/1.1", 400, id="RFC 9112 3: a tab for a space"),
    pytest.param(b"GET / HTTP/1.1 ", 400, id="RFC 9112 3: a trailing space"),
    pytest.param(b" GET / HTTP/1.1", 400, id="RFC 9112 3: a leading space"),
    pytest.param(b"GET /a b HTTP/1.1", 400, id="RFC 9112 3.2: a space in the target"),
    pytest.param(b"GET /\xc3\xa9 HTTP/1.1", 400, id="RFC 9112 3.2: a non-ASCII target"),
    pytest.param(b"GET /\x7f HTTP/1.1", 400, id="RFC 9112 3.2: DEL in the target"),
    pytest.param(b"GET /\x00 HTTP/1.1", 400, id="RFC 9112 3.2: NUL in the target"),
    pytest.param(b"GET /\rHTTP/1.1", 400, id="RFC 9112 2.2: a bare CR"),
    pytest.param(b"GET / HTTP/1.1\r", 400, id="RFC 9112 2.2: CR CR LF"),
    pytest.param(b"GE(T / HTTP/1.1", 400, id="RFC 9110 9.1: a method that is no token"),
    pytest.param(b"G\xc3T / HTTP/1.1", 400, id="RFC 9110 9.1: a method that is not ASCII"),
    pytest.param(b"\x16\x03\x01 / HTTP/1.1", 400, id="TLS spoken to a plain port"),
    pytest.param(b"GET / http/1.1", 400, id="RFC 9112 2.3: the version is case-sensitive"),
    pytest.param(b"GET / HTTP/1", 400, id="RFC 9112 2.3: a version without a minor"),
    pytest.param(b"GET / HTTP/1.10", 400, id="RFC 9112 2.3: a minor of two digits"),
    pytest.param(b"GET / HTTP/11.1", 400, id="RFC 9112 2.3: a major of two digits"),
    pytest.param("GET / HTTP/1.\u0661".encode(), 400, id="RFC 9112 2.3: an Arabic digit"),
    pytest.param(b"GET / HTTP/1.\xb9", 400, id="RFC 9112 2.3: a Latin-1 superscript digit"),
    pytest.param(b"GET / HTTPS/1.1", 400, id="RFC 9112 2.3: another protocol's name"),
    pytest.param(b"GET / HTTP/0.9", 505, id="RFC 9110 15.6.6: version 0.9"),
    pytest.param(b"GET / HTTP/2.0", 505, id="RFC 9110 15.6.6: version 2.0"),
    pytest.param(b"PRI * HTTP/2.0", 505, id="RFC 9113 3.4: HTTP/2's preface"),
    pytest.param(b"FOO x HTTP/3.0", 505, id="the version is judged before the method"),
    pytest.param(b"get / HTTP/1.1", 501, id="RFC 9110 9.1: methods are case-sensitive"),
    pytest.param(b"FOO / HTTP/1.1", 501, id="RFC 9110 15.6.2: an unrecognised method"),
    pytest.param(b"A" * 99 + b" / HTTP/1.1", 501, id="an unrecognised long method"),
    pytest.param(b"FOO #x HTTP/1.1", 501, id="the method is judged before the target"),
    pytest.param(b"CONNECT a:443 HTTP/1.1", 501, id="RFC 9110 9.3.6: CONNECT"),
    pytest.param(b"DESCRIBE / HTTP/1.1", 501, id="a method of RTSP"),
    pytest.param(b"GET /#f HTTP/1.1", 400, id="RFC 9112 3.2: a fragment"),
    pytest.param(b"GET /?q#f HTTP/1.1", 400, id="RFC 9112 3.2: a fragment after a query"),
    pytest.param(b"GET * HTTP/1.1", 400, id="RFC 9112 3.2.4: asterisk-form is for OPTIONS"),
    pytest.param(b"OPTIONS ** HTTP/1.1", 400, id="RFC 9112 3.2.4: asterisk-form is one octet"),
    pytest.param(b"GET a HTTP/1.1", 400, id="RFC 9112 3.2: a path without a slash"),
    pytest.param(b"GET ?q HTTP/1.1", 400, id="RFC 9112 3.2.1: a query alone"),
    pytest.param(b"GET a:80 HTTP/1.1", 400, id="RFC 9112 3.2.3: authority-form is CONNECT's"),
    pytest.param(b"GET ftp://a/ HTTP/1.1", 400, id="RFC 9110 4.2: another scheme"),
    pytest.param(b"GET http:/a HTTP/1.1", 400, id="RFC 9110 4.2.1: http without an authority"),
    pytest.param(b"GET http:///a HTTP/1.1", 400, id="RFC 9110 4.2.1: an empty host"),
    pytest.param(b"GET http://:80/a HTTP/1.1", 400, id="RFC 9110 4.2.1: a port alone"),
    pytest.param(b"GET http://u@a/ HTTP/1.1", 400, id="RFC 9110 4.2.4: userinfo"),
    pytest.param(b"GET http://a:b/ HTTP/1.1", 400, id="RFC 3986 3.2.3: a port of letters"),
    pytest.param(b"GET http://[::1/ HTTP/1.1", 400, id="RFC 3986 3.2.2: an open bracket"),
]


@pytest.mark.parametrize(("line", "status"), REJECTED_LINES)
def test_request_line_is_rejected(request_head: ModuleType, line: bytes, status: int) -> None:
    with pytest.raises(RequestRejected) as rejected:
        judged(request_head, line)
    assert rejected.value.status == status


@pytest.mark.parametrize("method", METHODS)
def test_method_is_recognised(request_head: ModuleType, method: str) -> None:
    assert judged(request_head, method.encode() + b" / HTTP/1.1").method == method


def test_methods_are_llhttps(request_head: ModuleType) -> None:
    methods: frozenset[bytes] = request_head.METHODS
    assert methods == frozenset(m.encode() for m in (*METHODS, "CONNECT"))


@pytest.mark.parametrize(
    ("version", "meaning"),
    [
        pytest.param(b"1.0", "1.0", id="1.0"),
        pytest.param(b"1.1", "1.1", id="1.1"),
        pytest.param(b"1.2", "1.1", id="RFC 9112 2.3: 1.2 is 1.1 to us"),
        pytest.param(b"1.9", "1.1", id="RFC 9112 2.3: 1.9 is 1.1 to us"),
    ],
)
def test_version(request_head: ModuleType, version: bytes, meaning: str) -> None:
    assert judged(request_head, b"GET / HTTP/" + version).http_version == meaning


@pytest.mark.parametrize(
    ("line", "raw_path", "query"),
    [
        pytest.param(b"GET /p?q", b"/p", b"q", id="RFC 9112 3.2.1: origin-form"),
        pytest.param(b"GET /p", b"/p", b"", id="RFC 9112 3.2.1: no query"),
        pytest.param(b"GET /p?", b"/p", b"", id="RFC 9112 3.2.1: an empty query"),
        pytest.param(b"GET /p?a?b", b"/p", b"a?b", id="RFC 3986 3.4: a query holds ?"),
        pytest.param(b"GET //h/p", b"//h/p", b"", id="RFC 9112 3.2.1: no authority in a path"),
        pytest.param(b"GET /a%20b?x=%20y", b"/a%20b", b"x=%20y", id="undecoded"),
        pytest.param(b"GET /http://h/", b"/http://h/", b"", id="a path that holds a URI"),
        pytest.param(b'GET /"<>\\^`{|}', b'/"<>\\^`{|}', b"", id="what browsers leave unescaped"),
        pytest.param(b"OPTIONS *", b"*", b"", id="RFC 9112 3.2.4: asterisk-form"),
        pytest.param(b"OPTIONS /p", b"/p", b"", id="RFC 9112 3.2.1: OPTIONS of a path"),
        pytest.param(b"GET http://h/p?q", b"/p", b"q", id="RFC 9112 3.2.2: absolute-form"),
        pytest.param(b"GET HTTPS://h/p", b"/p", b"", id="RFC 3986 3.1: the scheme in any case"),
        pytest.param(b"GET http://h", b"/", b"", id="RFC 9110 4.2.3: an empty path is /"),
        pytest.param(b"GET http://h?q", b"/", b"q", id="RFC 9110 4.2.3: a query, no path"),
        pytest.param(b"GET http://h?", b"/", b"", id="RFC 9110 4.2.3: an empty query, no path"),
        pytest.param(b"GET http://h/p?a/b?c", b"/p", b"a/b?c", id="RFC 3986 3.4: / in a query"),
        pytest.param(b"OPTIONS http://h", b"*", b"", id="RFC 9112 3.2.4: OPTIONS, no path"),
        pytest.param(b"OPTIONS http://h?q", b"/", b"q", id="RFC 9112 3.2.4: OPTIONS with a query"),
        pytest.param(b"OPTIONS http://h/", b"/", b"", id="RFC 9112 3.2.4: OPTIONS of /"),
    ],
)
def test_target(request_head: ModuleType, line: bytes, raw_path: bytes, query: bytes) -> None:
    found = judged(request_head, line + b" HTTP/1.1")
    assert (found.raw_path, found.query) == (raw_path, query)


@pytest.mark.parametrize(
    ("fields", "headers"),
    [
        pytest.param([b"Host: a"], [(b"host", b"h:8")], id="RFC 9112 3.2.2: Host is replaced"),
        pytest.param(
            [b"X: 1", b"HOST:a", b"Y: 2"],
            [(b"x", b"1"), (b"host", b"h:8"), (b"y", b"2")],
            id="RFC 9112 3.2.2: replaced where it stood",
        ),
        pytest.param([b"Host:"], [(b"host", b"h:8")], id="RFC 9112 3.2.2: an empty Host too"),
    ],
)
def test_authority_of_the_target_replaces_host(
    request_head: ModuleType, fields: list[bytes], headers: list[tuple[bytes, bytes]]
) -> None:
    assert judged(request_head, b"GET http://h:8/ HTTP/1.1", *fields, host=b"").headers == headers


def test_authority_becomes_the_host_of_an_http_1_0_request(request_head: ModuleType) -> None:
    found = judged(request_head, b"GET http://h/ HTTP/1.0", b"X: 1", host=b"")
    assert found.headers == [(b"host", b"h"), (b"x", b"1")]


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(b"\r\n" + head(), id="RFC 9112 2.2: one empty line before"),
        pytest.param(head(), id="none"),
    ],
)
def test_empty_line_before_the_request_line_is_ignored(
    request_head: ModuleType, raw: bytes
) -> None:
    assert request_head.judge(raw, limits(request_head)).raw_path == b"/"


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(b"\r\n\r\n" + head(), id="two empty lines before"),
        pytest.param(b"\n" + head(), id="a bare LF before"),
        pytest.param(b"\r" + head(), id="a bare CR before"),
        pytest.param(b"\r\n\n" + head(), id="CRLF LF before"),
        pytest.param(head().replace(b"\r\n", b"\n"), id="bare LF everywhere"),
        pytest.param(head().replace(b"\r\n", b"\r"), id="bare CR everywhere"),
        pytest.param(head().replace(b"\r\n", b"\n", 1), id="bare LF after the request line"),
        pytest.param(head()[:-2] + b"\n", id="bare LF at the end"),
        pytest.param(head()[:-4] + b"\n\r\n", id="bare LF after the last field"),
        pytest.param(head()[:-4] + b"\r\r\n", id="bare CR before the end"),
        pytest.param(head() + b"X", id="more than a head"),
        pytest.param(head()[:-2], id="less than a head"),
        pytest.param(b"", id="nothing"),
    ],
)
def test_line_ends_are_crlf(request_head: ModuleType, raw: bytes) -> None:
    """RFC 9112 section 2.2."""
    with pytest.raises(RequestRejected) as rejected:
        request_head.judge(raw, limits(request_head))
    assert rejected.value.status == 400


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        pytest.param(head(b"GET /\x00"), r"invalid request line b'GET /\x00\r'", id="escaped"),
        pytest.param(head(b"\x1b[31m"), r"a request cannot begin with b'\x1b'", id="first byte"),
        pytest.param(
            head(b"GET / HTTP/1.1", b"X Y: z"), r"invalid field line b'X Y: z\r'", id="field"
        ),
        pytest.param(
            head(b"(" + LONG), f"a request cannot begin with {b'('!r}", id="first octet alone"
        ),
        pytest.param(
            head(b"G" * 79), f"invalid request line {b'G' * 79 + CR!r}", id="as long as is shown"
        ),
        pytest.param(
            head(b"G" + LONG), f"invalid request line {b'G' + LONG[:79]!r}...", id="shortened"
        ),
    ],
)
def test_reason_names_the_fault_and_cannot_forge_a_log_line(
    request_head: ModuleType, raw: bytes, reason: str
) -> None:
    with pytest.raises(RequestRejected) as rejected:
        request_head.judge(raw, limits(request_head))
    assert rejected.value.reason == reason
    assert reason.isascii()
    assert reason.isprintable()
