"""Verdicts over the fields of a head: syntax, framing, Host, Connection, Expect."""

from __future__ import annotations

from types import ModuleType

import pytest

from esg.errors import RequestRejected
from tests.rules.heads import head, judged, limits
from tests.rules.twins import rule

request_head = rule("request_head")

POST = b"POST / HTTP/1.1"
GET = b"GET / HTTP/1.1"


def status_of(request_head: ModuleType, *arguments: bytes, host: bytes = b"Host: a") -> int:
    """Return the status of a verdict, 0 for a lawful head."""
    try:
        judged(request_head, *arguments, host=host)
    except RequestRejected as rejected:
        return rejected.status
    return 0


@pytest.mark.parametrize(
    "line",
    [
        pytest.param(b"X : y", id="RFC 9112 5.1: a space before the colon"),
        pytest.param(b"X\t: y", id="RFC 9112 5.1: a tab before the colon"),
        pytest.param(b" X: y", id="RFC 9112 5.2: a space at the start"),
        pytest.param(b"X: y\r\n z", id="RFC 9112 5.2: obs-fold"),
        pytest.param(b"X: y\r\n\tz", id="RFC 9112 5.2: obs-fold by a tab"),
        pytest.param(b"X: y\r\n ", id="RFC 9112 5.2: a line of a space"),
        pytest.param(b": y", id="RFC 9110 5.1: an empty name"),
        pytest.param(b"X", id="RFC 9112 5: no colon"),
        pytest.param(b"X Y: z", id="RFC 9110 5.1: a space in the name"),
        pytest.param(b"X\xe9: z", id="RFC 9110 5.1: a name that is not ASCII"),
        pytest.param(b"(X): z", id="RFC 9110 5.6.2: delimiters in the name"),
        pytest.param(b"X\x00: z", id="RFC 9110 5.1: NUL in the name"),
        pytest.param(b"X: y\nZ: z", id="RFC 9112 2.2: a bare LF"),
        pytest.param(b"X: y\rZ: z", id="RFC 9112 2.2: a bare CR"),
    ],
)
def test_field_line_is_rejected(request_head: ModuleType, line: bytes) -> None:
    assert status_of(request_head, GET, b"A: b", line, b"C: d") == 400
    assert status_of(request_head, GET, line) == 400


def test_control_octets_in_a_value_are_rejected(request_head: ModuleType) -> None:
    """RFC 9110 section 5.5: HTAB is the one that may stand there."""
    lawful = {
        octet for octet in range(256) if status_of(request_head, GET, b"X: a%cb" % octet) == 0
    }
    assert lawful == {0x09, *range(0x20, 0x7F), *range(0x80, 0x100)}


def test_octets_of_a_name_are_token_characters(request_head: ModuleType) -> None:
    """RFC 9110 section 5.6.2."""
    lawful = {octet for octet in range(256) if status_of(request_head, GET, b"%c: y" % octet) == 0}
    tchar = b"!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
    assert lawful == set(tchar)


def test_fields_keep_order_case_and_repetition(request_head: ModuleType) -> None:
    """ASGI headers: names in lower case; RFC 9110 section 5.3: the order of values matters."""
    found = judged(request_head, GET, b"A: 1", b"X-Y:z", b"a:\t 2 3\t ", b"Empty:", b"L: \xe9")
    assert found.headers == [
        (b"host", b"a"),
        (b"a", b"1"),
        (b"x-y", b"z"),
        (b"a", b"2 3"),
        (b"empty", b""),
        (b"l", b"\xe9"),
    ]


@pytest.mark.parametrize(
    ("fields", "length"),
    [
        pytest.param([], 0, id="RFC 9112 6.3: no field, no content"),
        pytest.param([b"Content-Length: 0"], 0, id="RFC 9112 6.3: zero"),
        pytest.param([b"CONTENT-LENGTH:7"], 7, id="RFC 9112 6.3: a length"),
        pytest.param([b"Content-Length: 007"], 7, id="RFC 9110 8.6: 1*DIGIT, zeros in front"),
        pytest.param([b"Content-Length: 9223372036854775807"], 2**63 - 1, id="the largest"),
        pytest.param([b"Transfer-Encoding: chunked"], -1, id="RFC 9112 6.1: chunked"),
        pytest.param([b"transfer-encoding:\tCHUNKED "], -1, id="RFC 9112 7: case-insensitive"),
    ],
)
def test_framing(request_head: ModuleType, fields: list[bytes], length: int) -> None:
    assert judged(request_head, POST, *fields).content_length == length
    assert judged(request_head, GET, *fields).content_length == length


BAD_LENGTHS = [
    *(b"", b"+5", b"-5", b"5 6", b"5,5", b"5, 5", b"0x5", b"5;", b"5.0", b"1_0", b"5\t5", b"a"),
    *("\u0665".encode(), b"\xb2", b'"5"', b"9223372036854775808", b"9" * 19, b"1" * 20, b"0" * 20),
    *(b"9" * 5000, b"5\x0b", b"5\x0c", b"5\xa0", b"5\x85"),
]


@pytest.mark.parametrize("value", BAD_LENGTHS, ids=lambda value: repr(value[:24]))
def test_content_length_is_digits(request_head: ModuleType, value: bytes) -> None:
    """RFC 9110 section 8.6, RFC 9112 section 6.3: else the request's end is a matter of taste."""
    assert status_of(request_head, POST, b"Content-Length: " + value) == 400


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        pytest.param([b"Content-Length: 5", b"Content-Length: 5"], 400, id="RFC 9110 8.6: twice"),
        pytest.param([b"Content-Length: 5", b"content-length: 6"], 400, id="RFC 9112 6.3: differ"),
        pytest.param([b"Content-Length: 5", b"Content-Length:"], 400, id="one empty"),
        pytest.param(
            [b"Content-Length: 5", b"Transfer-Encoding: chunked"], 400, id="RFC 9112 6.1: CL, TE"
        ),
        pytest.param(
            [b"Transfer-Encoding: chunked", b"Content-Length: 5"], 400, id="RFC 9112 6.1: TE, CL"
        ),
        pytest.param(
            [b"Transfer-Encoding: gzip, chunked", b"Content-Length: 5"], 400, id="TE, CL, 501"
        ),
    ],
)
def test_framing_is_said_once(request_head: ModuleType, fields: list[bytes], status: int) -> None:
    assert status_of(request_head, POST, *fields) == status


@pytest.mark.parametrize(
    ("values", "status"),
    [
        pytest.param([b"xchunked"], 400, id="RFC 9112 6.3: xchunked"),
        pytest.param([b"identity"], 400, id="RFC 9112 6.3: identity"),
        pytest.param([b"gzip"], 400, id="RFC 9112 6.3: chunked is not last"),
        pytest.param([b"chunked, gzip"], 400, id="RFC 9112 6.3: chunked comes first"),
        pytest.param([b"chunked, chunked"], 400, id="RFC 9112 6.1: chunked twice"),
        pytest.param([b"chunked", b"chunked"], 400, id="RFC 9112 6.1: twice in two fields"),
        pytest.param([b"chunked", b"identity"], 400, id="RFC 9112 6.3: a second field"),
        pytest.param([b"chunked, gzip, chunked"], 400, id="RFC 9112 6.1: first and last"),
        pytest.param([b""], 400, id="empty"),
        pytest.param([b"", b"chunked"], 400, id="an empty field before"),
        pytest.param([b"chunked", b""], 400, id="an empty field after"),
        pytest.param([b"chunked,"], 400, id="an empty element after"),
        pytest.param([b",chunked"], 400, id="an empty element before"),
        pytest.param([b"chunked;q=1"], 400, id="RFC 9112 7: chunked has no parameter"),
        pytest.param([b'"chunked"'], 400, id="quoted"),
        pytest.param([b"'chunked'"], 400, id="in apostrophes"),
        pytest.param([b"chunked\x0b"], 400, id="a vertical tab after"),
        pytest.param([b"\x0cchunked"], 400, id="a form feed before"),
        pytest.param([b"chunked\xa0"], 400, id="a no-break space after"),
        pytest.param([b"chun ked"], 400, id="a space within"),
        pytest.param([b"chun\xe2\x84\xaaed"], 400, id="the Kelvin sign, k in lower case"),
        pytest.param([b"gzip, chunked"], 501, id="RFC 9112 6.1: a coding before chunked"),
        pytest.param([b"gzip", b"chunked"], 501, id="RFC 9112 6.1: in two fields"),
        pytest.param([b"gzip\t, ChunKed "], 501, id="RFC 9112 6.1: whitespace and case"),
    ],
)
def test_transfer_coding(request_head: ModuleType, values: list[bytes], status: int) -> None:
    fields = [b"Transfer-Encoding: " + value for value in values]
    assert status_of(request_head, POST, *fields) == status


@pytest.mark.parametrize("name", [b"Transfer_Encoding", b"Transfer-Encoding-", b"X-Content-Length"])
def test_similar_names_mean_nothing(request_head: ModuleType, name: bytes) -> None:
    assert judged(request_head, POST, name + b": chunked").content_length == 0


@pytest.mark.parametrize("value", [b"chunked", b"gzip, chunked", b"identity"])
def test_http_1_0_has_no_transfer_coding(request_head: ModuleType, value: bytes) -> None:
    """RFC 9112 section 6.1."""
    assert status_of(request_head, b"POST / HTTP/1.0", b"Transfer-Encoding: " + value) == 400


LAWFUL_HOSTS = [
    *(b"a", b"A.Example", b"a:80", b"a:", b"a:0", b"a:65535", b"127.0.0.1:8000", b"[::1]"),
    *(b"[::1]:8000", b"[2001:DB8::1.2.3.4]", b"xn--nxasmq6b", b"a%20b", b"!$&'()*+,;=-._~", b""),
    *(b" a\t", b"a_b"),
]
BAD_HOSTS = [
    *(b"a b", b"a/b", b"a?b", b"a#b", b"a@b", b"u@a", b"a\\b", b'a"', b"<a>", b"a^", b"a|b"),
    *(b"a:b", b"a:8:8", b"a:65536", b"a:99999", b"a:123456", b"a:-1", b"a:+1", b"a: 1", b":80"),
    *(b"a:\xb2", b"a:\xd9\xa1", b"\xc3\xa9", b"a%", b"a%2", b"a%zz", b"[", b"[]", b"[::1", b"::1"),
    *(b"::1]", b"[::1]a", b"[::1]:b", b"[::1]:65536", b"[:::]", b"[1.2.3.4]", b"[::g]", b"[a]"),
    *(b"[::1%25eth0]", b"[::1%eth0]", b"[::1/64]", b"[v1.a]", b"[1:2:3:4:5:6:7:8:9]", b"[12345::]"),
    *(b"a\t:80", b"a, b", b"[::1.2.3.256]"),
]


@pytest.mark.parametrize("value", LAWFUL_HOSTS, ids=repr)
def test_host_is_lawful(request_head: ModuleType, value: bytes) -> None:
    """RFC 9110 section 7.2, RFC 3986 section 3.2.2."""
    found = judged(request_head, GET, host=b"Host: " + value)
    assert found.headers == [(b"host", value.strip())]


@pytest.mark.parametrize("value", BAD_HOSTS, ids=repr)
def test_host_is_rejected(request_head: ModuleType, value: bytes) -> None:
    """RFC 9112 section 3.2, in a field of either version and in an absolute-form target."""
    assert status_of(request_head, GET, host=b"Host: " + value) == 400
    assert status_of(request_head, b"GET / HTTP/1.0", host=b"Host: " + value) == 400
    assert status_of(request_head, b"GET http://a/ HTTP/1.1", host=b"Host: " + value) == 400
    if b"/" not in value and b"?" not in value:  # there they end the authority
        assert status_of(request_head, b"GET http://%b/ HTTP/1.1" % value) == 400


@pytest.mark.parametrize(
    ("line", "fields", "status"),
    [
        pytest.param(GET, [], 400, id="RFC 9112 3.2: none in 1.1"),
        pytest.param(b"GET / HTTP/1.2", [], 400, id="RFC 9112 3.2: none in 1.2"),
        pytest.param(b"GET http://a/ HTTP/1.1", [], 400, id="RFC 9112 3.2.2: none, absolute-form"),
        pytest.param(b"GET / HTTP/1.0", [], 0, id="RFC 9112 3.2: none in 1.0"),
        pytest.param(GET, [b"Host: a", b"Host: a"], 400, id="RFC 9112 3.2: two alike"),
        pytest.param(GET, [b"Host: a", b"host:"], 400, id="RFC 9112 3.2: a second, empty"),
        pytest.param(b"GET / HTTP/1.0", [b"Host: a", b"Host: b"], 400, id="two in 1.0"),
        pytest.param(
            b"GET http://a/ HTTP/1.1", [b"Host: a", b"Host: a"], 400, id="two, absolute-form"
        ),
    ],
)
def test_there_is_one_host(
    request_head: ModuleType, line: bytes, fields: list[bytes], status: int
) -> None:
    assert status_of(request_head, line, *fields, host=b"") == status


@pytest.mark.parametrize(
    ("fields", "options"),
    [
        pytest.param([], (), id="none"),
        pytest.param([b"Connection: close"], (b"close",), id="one"),
        pytest.param([b"connection: Keep-Alive,\tTE"], (b"keep-alive", b"te"), id="a list"),
        pytest.param([b"Connection: a", b"Connection: CLOSE"], (b"a", b"close"), id="two fields"),
        pytest.param([b"Connection: , close,,"], (b"close",), id="RFC 9110 5.6.1: empty elements"),
        pytest.param([b"Connection:"], (), id="RFC 9110 5.6.1: an empty list"),
        pytest.param([b"Connection: closed"], (b"closed",), id="not close"),
    ],
)
def test_connection_options(
    request_head: ModuleType, fields: list[bytes], options: tuple[bytes, ...]
) -> None:
    """RFC 9110 section 7.6.1."""
    assert judged(request_head, GET, *fields).connection == options


CONTENT = b"Content-Length: 5"
CHUNKED = b"Transfer-Encoding: chunked"


@pytest.mark.parametrize(
    ("line", "fields", "expected"),
    [
        pytest.param(POST, [CONTENT, b"Expect: 100-continue"], True, id="a length"),
        pytest.param(POST, [b"Expect: 100-Continue", CHUNKED], True, id="in any case, chunked"),
        pytest.param(POST, [CONTENT], False, id="no Expect"),
        pytest.param(POST, [CONTENT, b"Expect: 200-ok"], False, id="another expectation"),
        pytest.param(POST, [CONTENT, b"Expect: 100-continued"], False, id="a longer word"),
        pytest.param(POST, [CONTENT, b"Expect: x, 100-continue"], True, id="a list"),
        pytest.param(
            POST, [CONTENT, b"Expect: 100-continue", b"Expect: x"], True, id="another field after"
        ),
        pytest.param(
            POST, [CONTENT, b"Expect: x", b"Expect: 100-continue"], True, id="another field before"
        ),
        pytest.param(POST, [b"Expect: 100-continue"], False, id="no content"),
        pytest.param(POST, [b"Content-Length: 0", b"Expect: 100-continue"], False, id="length 0"),
        pytest.param(
            b"POST / HTTP/1.0", [CONTENT, b"Expect: 100-continue"], False, id="ignored in 1.0"
        ),
    ],
)
def test_expectation(
    request_head: ModuleType, line: bytes, fields: list[bytes], expected: bool
) -> None:
    """RFC 9110 section 10.1.1."""
    assert judged(request_head, line, *fields).expect_continue is expected


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        pytest.param(head(b"FOO / HTTP/2.0", b"X :", host=b""), 505, id="version first"),
        pytest.param(head(b"FOO / HTTP/1.1", b"X :", host=b""), 501, id="method before fields"),
        pytest.param(
            head(POST, b"Transfer-Encoding: gzip, chunked", b"X :"), 400, id="fields before framing"
        ),
        pytest.param(
            head(POST, b"Transfer-Encoding: gzip, chunked", host=b""),
            501,
            id="framing before Host",
        ),
        pytest.param(head(POST, b"Content-Length: 11", host=b""), 400, id="Host before content"),
        pytest.param(head(POST, b"Content-Length: 11"), 413, id="content last"),
        pytest.param(head(b"FOO /%b HTTP/2.0" % (b"a" * 40), host=b""), 414, id="target limit"),
        pytest.param(head(b"FOO / HTTP/2.0", *[b"X :"] * 9, host=b""), 431, id="field limit"),
    ],
)
def test_verdicts_come_in_one_order(request_head: ModuleType, raw: bytes, status: int) -> None:
    """Limits, request line, fields, framing, Host, content."""
    bounds = limits(request_head, head_size=400, fields=8, target_size=40, body_size=10)
    with pytest.raises(RequestRejected) as rejected:
        request_head.judge(raw, bounds)
    assert rejected.value.status == status


@pytest.mark.parametrize(
    ("field", "forwarded"),
    [
        (b"Forwarded: for=1.2.3.4", True),
        (b"X-Forwarded-For: 1.2.3.4", True),
        (b"x-forwarded-proto:https", True),
        (b"X_Forwarded_Fo: 1.2.3.4", True),
        (b"X-Forward: 1.2.3.4", False),
    ],
)
def test_fields_of_proxies_are_seen(
    request_head: ModuleType, field: bytes, forwarded: bool
) -> None:
    assert judged(request_head, b"GET / HTTP/1.1", field).forwarded is forwarded


@pytest.mark.parametrize(
    ("line", "fields", "taken"),
    [
        (b"GET / HTTP/1.1", [b"TE: trailers"], True),
        (b"GET / HTTP/1.1", [b"te: gzip;q=0.5 , Trailers"], True),
        (b"GET / HTTP/1.1", [b"TE: gzip", b"TE: trailers"], True),
        (b"GET / HTTP/1.1", [b"TE: gzip"], False),
        (b"GET / HTTP/1.1", [b"TE: nottrailers"], False),
        (b"GET / HTTP/1.1", [], False),
        (b"GET / HTTP/1.0", [b"TE: trailers"], False),
    ],
)
def test_trailers_are_taken(
    request_head: ModuleType, line: bytes, fields: list[bytes], taken: bool
) -> None:
    assert judged(request_head, line, *fields).takes_trailers is taken
