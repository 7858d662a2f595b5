"""What a client may send on one connection: requests of RFC 9112's grammar and close to it.

Every part is drawn from its grammar most of the time and from the forms that implementations are
known to read in two ways some of the time. The limits of the servers under test are small
(`rows.OPTIONS`), so that what lies around them is cheap.
"""

from __future__ import annotations

from typing import TypeVar

from hypothesis import strategies as st

from tests.rules.grammar import (
    OBS_TEXT,
    VCHAR,
    chunk_extensions,
    field_values,
    octets,
    origin_forms,
    tokens,
    trailers,
    whitespace,
)

HEAD_LIMIT = 2048
FIELDS_LIMIT = 12
TARGET_LIMIT = 200
BODY_LIMIT = 150_000

T = TypeVar("T")
Octets = st.SearchStrategy[bytes]

# What content looks like to a server that has lost the framing.
_SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: s\r\n\r\n0\r\n\r\n5;x=y\r\n"


@st.composite
def mostly(
    draw: st.DrawFn, usual: st.SearchStrategy[T], odd: st.SearchStrategy[T], times: int = 15
) -> T:
    """Draw from `usual`, and one in `times` + 1 times from `odd`."""
    return draw(usual if draw(st.integers(0, times)) else odd)


def one_in(count: int, odd: list[T], usual: T) -> st.SearchStrategy[T]:
    """Draw `usual`, and about one in `count` times one of `odd`."""
    return st.sampled_from([usual] * (count - 1) * len(odd) + odd)


def filler(size: int) -> bytes:
    """Make content of `size` bytes."""
    return (_SMUGGLED * (size // len(_SMUGGLED) + 1))[:size]


def around(*marks: int) -> st.SearchStrategy[int]:
    """Draw a size at one of the marks or next to it."""
    return st.builds(lambda mark, off: mark + off, st.sampled_from(marks), st.integers(-2, 2))


# The request line

_METHODS = mostly(
    st.sampled_from([b"GET", b"POST", b"PUT", b"HEAD", b"OPTIONS", b"DELETE", b"PATCH"]),
    st.one_of(
        st.sampled_from([b"CONNECT", b"TRACE", b"QUERY", b"M-SEARCH", b"PRI", b"get", b"GETT"]),
        tokens,
    ),
)
_HOSTS = mostly(
    st.sampled_from([b"example.org", b"a", b"example.org:80", b"127.0.0.1:8000", b"[::1]:80"]),
    st.one_of(
        st.sampled_from(
            [
                *(b"", b"a b", b"a,b", b"a:", b":80", b"a:65536", b"a:65535", b"a:000080", b"a:-1"),
                *(b"[::1", b"[::1]x", b"[1]", b"[::ffff:1.2.3.4]", b"[fe80::1%25e]", b"u@a"),
                *(b"%41", b"%4", b"a/b", b"a_b", b"b\xc3\xbc", b"a:80:80", b"a:8x", b"[v1.a]"),
            ]
        ),
        octets(VCHAR, 1),
    ),
)
_ABSOLUTE_FORMS = st.builds(
    lambda scheme, host, rest: scheme + b"://" + host + rest,
    st.sampled_from([b"http", b"https", b"HTTP", b"ftp", b"http:"]),
    _HOSTS,
    st.one_of(st.just(b""), origin_forms, st.sampled_from([b"?q", b"#f", b"*", b"/a?b?c"])),
)
_TARGETS = mostly(
    st.one_of(origin_forms, st.sampled_from([b"/", b"/a/b?c=d", b"/%41%zz%c3%a9", b"//h/p"])),
    st.one_of(
        _ABSOLUTE_FORMS,
        around(TARGET_LIMIT).map(lambda size: b"/" + b"t" * (size - 1)),
        st.sampled_from(
            [b"*", b"*?", b"a", b"", b"a:80", b"/a b", b"/\xff", b"/#f", b"/\t", b"?a"]
        ),
        octets(VCHAR + OBS_TEXT + b" \t"),
    ),
    9,
)
_VERSIONS = one_in(
    12,
    [
        *(b"HTTP/1.0", b"HTTP/1.0", b"HTTP/1.0", b"HTTP/1.2", b"HTTP/1.9", b"HTTP/2.0"),
        *(b"HTTP/0.9", b"HTTP/1", b"HTTP/1.", b"HTTP/11", b"HTTP/1.10", b"http/1.1", b""),
        *(b"HTTP/3.1", b"HTTP /1.1", b"ICE/1.0", b"RTSP/1.0", b"HTTP/1,1", b"HTTP/\xb2.0"),
    ],
    b"HTTP/1.1",
)
_GAPS = one_in(60, [b"", b"  ", b"\t", b" \t", b"\x0b", b"\xa0"], b" ")
_LINE_ENDS = one_in(150, [b"\n", b"\r", b"", b"\r\r\n", b"\n\r", b"\r\n\r\n"], b"\r\n")
_REQUEST_LINES = st.builds(
    lambda *parts: b"".join(parts), _METHODS, _GAPS, _TARGETS, _GAPS, _VERSIONS, _LINE_ENDS
)

# Fields

_NAMES = mostly(
    tokens, st.sampled_from([b"", b"X Y", b"X ", b" X", b"X\t", b"X\x00", b"X\xff", b"(X)"]), 60
)
_CONNECTION = st.sampled_from(
    [
        *(b"close", b"keep-alive", b"Close", b"Keep-Alive", b"close, x", b"x,\tCLOSE", b"", b","),
        *(b"upgrade", b"keep-alive, close", b"keep-alive,Upgrade", b"TE", b"clos", b"close;q=1"),
        *(b'"close"', b"close close", b"transfer-encoding", b"host, content-length"),
    ]
)
_EXPECT = mostly(
    st.sampled_from([b"100-continue", b"100-Continue"]),
    st.sampled_from([b"", b"100-continue, x", b"x", b"100", b'100-continue="a"', b"200-ok"]),
    3,
)
_UPGRADE = st.sampled_from([b"h2c", b"TLS/1.0", b"foo/2", b"", b"websocket/1"])


def _long_values(size: int) -> Octets:
    return st.integers(size, size + 100).map(lambda count: b"x" * count)


_OTHER_FIELDS = st.one_of(
    st.tuples(_NAMES, mostly(field_values, st.binary(max_size=8), 60)),
    st.tuples(st.sampled_from([b"Connection", b"connection", b"Proxy-Connection"]), _CONNECTION),
    st.tuples(st.just(b"Expect"), _EXPECT),
    st.tuples(st.just(b"Upgrade"), _UPGRADE),
    st.tuples(st.sampled_from([b"TE", b"Trailer", b"Keep-Alive"]), field_values),
    st.tuples(st.just(b"X"), st.sampled_from([0, HEAD_LIMIT - 100]).flatmap(_long_values)),
)
_COLONS = mostly(st.just(b": "), st.builds(lambda a, b: a + b":" + b, whitespace, whitespace), 30)


def field_lines(fields: st.SearchStrategy[tuple[bytes, bytes]]) -> Octets:
    """Write one field line."""
    return st.builds(
        lambda field, colon, space, end: field[0] + colon + field[1] + space + end,
        fields,
        _COLONS,
        mostly(st.just(b""), whitespace, 15),
        _LINE_ENDS,
    )


_HOST_LINES = mostly(
    st.just(b"Host: example.org\r\n"),
    st.one_of(
        st.just(b""),
        field_lines(st.tuples(st.sampled_from([b"Host", b"host", b"HOST", b"Host "]), _HOSTS)),
        _HOSTS.map(lambda host: b"Host: a\r\nHost: " + host + b"\r\n"),
        st.just(b"Host: example.org\r\n folded\r\n"),
    ),
    15,
)
_FIELD_LINES = field_lines(_OTHER_FIELDS)
_FIELD_COUNTS = mostly(st.integers(0, 3), st.integers(FIELDS_LIMIT - 3, FIELDS_LIMIT - 1))

# Content

_SIZES = mostly(
    st.one_of(st.sampled_from([0, 1, 5]), st.integers(0, 200)),
    mostly(
        around(1024, 4096, 8192, 16384),
        around(32768, 65536, 2 * 65536, BODY_LIMIT, BODY_LIMIT + 70_000),
        3,
    ),
)
_LENGTH_FORMS = st.sampled_from(
    [
        *(b"%d", b"0%d", b"+%d", b"-%d", b"%d,%d", b"%d, %d", b"%d %d", b"%d,", b"0x%x", b"%d.0"),
        *(b" %d\t", b'"%d"', b"%d;a", b"1%d", b"%d_0", b"%d\xb2", b"%d\x00", b"%d\x0b", b""),
        *(b"%dL", b"%s" + b"9" * 19, b"0" * 18 + b"%d", b"0" * 30 + b"%d", b"9223372036854775808"),
    ]
)
_CODINGS = mostly(
    st.sampled_from([b"chunked", b"Chunked", b"CHUNKED"]),
    st.sampled_from(
        [
            *(b"", b"chunked, chunked", b"gzip, chunked", b"chunked, gzip", b"identity", b"gzip"),
            *(b"xchunked", b"chunkedx", b"chunked,", b",chunked", b"chunked;a=b", b'"chunked"'),
            *(b"chunked\x0b", b"\x0bchunked", b"chunked identity", b"identity, chunked", b"chu"),
        ]
    ),
    9,
)
_CODING_NAMES = mostly(
    st.just(b"Transfer-Encoding"),
    st.sampled_from([b"transfer-encoding", b"Transfer-Encoding ", b"Transfer_Encoding", b"TE"]),
)


def _length_form(form: bytes, size: int) -> bytes:
    # As text: bytes have no %-format that takes a number for every form.
    return (
        form.decode("latin-1")
        .replace("%s", "%d")
        .replace("%x", "%d")
        .replace("%d", str(size))
        .encode("latin-1")
    )


_ODD_LENGTHS = st.builds(
    lambda form, size: b"Content-Length: " + _length_form(form, size) + b"\r\n",
    _LENGTH_FORMS,
    st.integers(0, 40),
)

_CHUNK_SIZES = mostly(
    st.integers(1, 40), mostly(around(255, 1024, 4096), around(16384, 65536), 3), 6
)
_SIZE_FORMS = one_in(
    12,
    ["%X", "0%x", "%015x", "%016x", "+%x", "-%x", "0x%x", "%x ", " %x", "%x\t", "%xg", "", "_%x"],
    "%x",
)
_EXTENSIONS = mostly(
    st.just(b""),
    mostly(
        chunk_extensions,
        st.one_of(
            st.sampled_from(
                [b";", b"; a", b" ;a", b";a =b", b';a="', b';a="\n"', b';a="\\', b";a=\xff", b";=b"]
            ),
            around(1024 - 4).map(lambda size: b";" + b"e" * size),
        ),
        2,
    ),
    5,
)
_CHUNKS = st.builds(
    lambda size, form, extension, end, data_end: (
        (form % size if form else "").encode() + extension + end + filler(size) + data_end
    ),
    _CHUNK_SIZES,
    _SIZE_FORMS,
    _EXTENSIONS,
    _LINE_ENDS,
    _LINE_ENDS,
)
_LAST_CHUNKS = one_in(9, [b"000", b"0" * 15, b"0" * 16, b"-0", b""], b"0")
_TRAILERS = mostly(
    st.just(b""),
    st.one_of(
        trailers,
        st.sampled_from(
            [
                *(b"Content-Length: 5\r\n", b"Transfer-Encoding: chunked\r\n", b"Host: x\r\n"),
                *(b" folded\r\n", b"a : b\r\n", b"a\r\n", b"a: b\n", b"a: \x00\r\n", b": b\r\n"),
                *(b"a: b\r\n" * FIELDS_LIMIT, b"a: b\r\n" * (FIELDS_LIMIT + 1)),
            ]
        ),
        around(HEAD_LIMIT).map(lambda size: b"a:" + b"t" * (size - 4) + b"\r\n"),
    ),
    4,
)
chunked_contents: Octets = st.builds(
    lambda chunks, last, extension, end, trailer, blank: (
        b"".join(chunks) + last + extension + end + trailer + blank
    ),
    st.lists(_CHUNKS, max_size=4),
    _LAST_CHUNKS,
    _EXTENSIONS,
    _LINE_ENDS,
    _TRAILERS,
    _LINE_ENDS,
)
"""The chunked coding of some content, RFC 9112 section 7.1."""


_FRAMINGS = st.sampled_from([*["none", "length", "chunked"] * 4, "odd"])
_ODD_FRAMINGS = st.lists(
    st.one_of(_ODD_LENGTHS, _CODINGS.map(lambda coding: b"Transfer-Encoding: " + coding + b"\r\n")),
    min_size=1,
    max_size=2,
).map(b"".join)
_ODD_CONTENTS = st.one_of(chunked_contents, st.integers(0, 40).map(filler))


def _draw_framed_content(draw: st.DrawFn) -> tuple[bytes, bytes]:
    """Draw what frames the content, field lines, and the content as it is on the wire."""
    match draw(_FRAMINGS):
        case "none":
            return b"", b""
        case "length":
            size = draw(_SIZES)
            return b"Content-Length: %d\r\n" % size, filler(size)
        case "chunked":
            name = draw(_CODING_NAMES)
            return name + b": " + draw(_CODINGS) + b"\r\n", draw(chunked_contents)
    return draw(_ODD_FRAMINGS), draw(_ODD_CONTENTS)


# Requests

_BEFORE = one_in(30, [b"\r\n", b"\r\n\r\n", b"\n", b"\r", b" ", b"\x16\x03\x01"], b"")


def _draw_head(draw: st.DrawFn, framing: bytes) -> bytes:
    """Draw a head; `framing` is the field lines that say how content follows."""
    line = draw(_BEFORE) + draw(_REQUEST_LINES)
    fields = [draw(_FIELD_LINES) for _ in range(draw(_FIELD_COUNTS))]
    fields[draw(st.integers(0, len(fields))) : 0] = [draw(_HOST_LINES), framing]
    return line + b"".join(fields) + draw(_LINE_ENDS)


@st.composite
def requests(draw: st.DrawFn) -> bytes:
    """Draw a request."""
    framing, content = _draw_framed_content(draw)
    return _draw_head(draw, framing) + content


pipelines: Octets = st.lists(
    mostly(requests(), st.just(b"GET /plain HTTP/1.1\r\nHost: h\r\n\r\n"), 3),
    min_size=1,
    max_size=4,
).map(b"".join)
"""Requests one after the other, without waiting for their answers (RFC 9112 section 9.3.2)."""
