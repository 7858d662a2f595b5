"""The fast path over plain heads says what the rule says, or nothing."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esg.errors import RequestRejected

request_parser = pytest.importorskip("esg.accel.request_parser")
request_head = pytest.importorskip("esg.accel.rules.request_head")

LIMITS = request_head.HeadLimits(1024, 8, 64, 1000)
PLAIN = b"GET /a?b=c HTTP/1.1\r\nHost: example.org\r\nX-One: 1\r\n\r\n"

_spaces = st.sampled_from([b"", b" ", b"  ", b"\t", b"\r", b"\n", b"\x00"])
_names = st.sampled_from(
    [
        *(b"Host", b"host", b"X", b"Content-Length", b"Connection", b"Expect"),
        *(b"Transfer-Encoding", b"", b"X Y", b"H\xc3\xb6st", b"Upgrade", b"X" * 1000),
    ]
)
_values = st.sampled_from(
    [
        *(b"example.org", b"example.org:80", b"example.org:99999", b"[::1]", b"a b", b"1", b"01"),
        *(b"-1", b"keep-alive", b"Close", b"close, x", b"chunked", b"100-continue", b"", b"\xff"),
        *(b"\x7f", b"1001", b"9" * 30, b"a\r\n b", b"a\rb", b"x" * 1000),
    ]
)
_ends = st.sampled_from([b"\r\n", b"\r\n", b"\r\n", b"\n", b"\r", b""])
_lines = st.builds(
    lambda *parts: b"".join(parts),
    _names,
    _spaces,
    st.sampled_from([b":", b":", b":", b""]),
    _spaces,
    _values,
    _spaces,
    _ends,
)
_request_lines = st.builds(
    lambda method, gap, target, version, end: method + gap + target + version + end,
    st.sampled_from([b"GET", b"POST", b"OPTIONS", b"get", b"FOO", b"CONNECT", b"", b"\r\nGET"]),
    st.sampled_from([b" ", b" ", b" ", b"  ", b"\t", b""]),
    st.sampled_from(
        [b"/", b"/a?b", b"/a?b?c", b"*", b"http://h/p", b"/#f", b"/\xff", b"/" + b"x" * 64, b""]
    ),
    st.sampled_from([b" HTTP/1.1", b" HTTP/1.1", b" HTTP/1.0", b" HTTP/1.2", b" HTTP/2.0", b""]),
    _ends,
)
_heads = st.builds(
    lambda line, lines, end: line + b"".join(lines) + end,
    _request_lines,
    st.lists(st.one_of(st.just(b"Host: example.org\r\n"), _lines), max_size=10),
    st.sampled_from([b"\r\n", b"\r\n", b"\n", b""]),
)


def contents(head: Any) -> tuple[Any, ...]:
    """Return all that a head says."""
    return (
        head.method,
        head.http_version,
        head.raw_path,
        head.query,
        head.headers,
        head.content_length,
        head.expect_continue,
        head.connection,
    )


def judged(data: bytes) -> tuple[Any, ...] | None:
    """Return what the rule makes of the head at the start of `data`, None for a rejection."""
    end = request_head.find_end(data, 0)
    if end < 0:
        return None
    try:
        return (*contents(request_head.judge(data[:end], LIMITS)), end)
    except RequestRejected:
        return None


def check(data: bytes, previous: tuple[bytes, ...] = ()) -> None:
    """See that the fast path, where it says something, says what the rule says."""
    found = request_parser.read_head(data, LIMITS, previous)
    if found is not None:
        head, taken = found
        assert (*contents(head), taken) == judged(data)


@given(_heads)
def test_agrees_with_the_rule(data: bytes) -> None:
    check(data)


@given(_heads, st.binary(max_size=20))
def test_agrees_with_the_rule_where_more_follows(data: bytes, more: bytes) -> None:
    check(data + more)


@given(st.data())
def test_agrees_with_the_rule_on_plain_heads_with_a_fault(data: st.DataObject) -> None:
    position = data.draw(st.integers(0, len(PLAIN)))
    removed = data.draw(st.integers(0, 2))
    inserted = data.draw(st.binary(max_size=2))
    check(PLAIN[:position] + inserted + PLAIN[position + removed :])


@given(st.lists(_heads, max_size=3), _heads)
def test_earlier_requests_change_nothing(previous: list[bytes], data: bytes) -> None:
    check(data, tuple(previous))


@pytest.mark.parametrize(
    "data",
    [
        PLAIN,
        b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello",
        b"GET / HTTP/1.1\r\nhost:h:1\r\nconnection: Keep-Alive\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: h\r\nA: \t x y\xff \r\nB:\r\n\r\n",
    ],
)
@pytest.mark.parametrize("previous", [(), (PLAIN,), (PLAIN, PLAIN)])
def test_takes_plain_heads(data: bytes, previous: tuple[bytes, ...]) -> None:
    assert request_parser.read_head(data, LIMITS, previous) is not None
    check(data, previous)


def test_headers_are_the_requests_own() -> None:
    first, _ = request_parser.read_head(PLAIN, LIMITS, (PLAIN,))
    first.headers.clear()
    second, _ = request_parser.read_head(PLAIN, LIMITS, (PLAIN,))
    assert len(second.headers) == 2


def test_port_of_too_many_digits_is_left_to_the_rule() -> None:
    """It takes five at most, whatever their value."""
    plain = PLAIN.replace(b"example.org", b"example.org:00080")
    assert request_parser.read_head(plain, LIMITS) is not None
    assert request_parser.read_head(plain.replace(b":0", b":00"), LIMITS) is None


@pytest.mark.parametrize(
    ("field", "forwarded"),
    [
        (b"Forwarded: for=1.2.3.4", True),
        (b"X-FORWARDED-For: 1.2.3.4", True),
        (b"X-Forwarded-: https", True),
        (b"X-Forwarded: 1.2.3.4", False),
        (b"Forwarded-For: 1.2.3.4", False),
    ],
)
def test_fields_of_proxies_are_seen(field: bytes, forwarded: bool) -> None:
    """Again where the section of the head before is repeated."""
    raw = PLAIN[:-2] + field + b"\r\n\r\n"
    assert request_parser.read_head(raw, LIMITS)[0].forwarded is forwarded
    assert request_parser.read_head(raw, LIMITS, [raw])[0].forwarded is forwarded
    assert not request_parser.read_head(PLAIN, LIMITS, [raw])[0].forwarded
