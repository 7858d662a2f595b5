"""Limits, heads that are not complete, and verdicts that no split may change."""

from __future__ import annotations

from time import process_time
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esg.errors import RequestRejected
from tests.rules import grammar
from tests.rules.heads import contents, head, limits, receive
from tests.rules.twins import rule

request_head = rule("request_head")


def status_of(request_head: ModuleType, raw: bytes, **bounds: int) -> int:
    """Return the status of a verdict over a whole head, 0 for a lawful one."""
    try:
        request_head.judge(raw, limits(request_head, **bounds))
    except RequestRejected as rejected:
        return rejected.status
    return 0


def padded(size: int) -> bytes:
    """Write a lawful head of exactly `size` bytes."""
    return head(b"GET / HTTP/1.1", b"X: " + b"x" * (size - len(head()) - 5))


@pytest.mark.parametrize("before", [b"", b"\r\n"], ids=["bare", "after an empty line"])
@pytest.mark.parametrize(("size", "status"), [(100, 0), (101, 431)])
def test_head_size(request_head: ModuleType, before: bytes, size: int, status: int) -> None:
    """RFC 6585 section 5; an empty line in front is not counted."""
    assert status_of(request_head, before + padded(size), head_size=100) == status


@pytest.mark.parametrize(("count", "status"), [(2, 0), (3, 431)])
def test_field_count(request_head: ModuleType, count: int, status: int) -> None:
    raw = head(b"GET / HTTP/1.1", *[b"X: y"] * (count - 1))
    assert status_of(request_head, raw, fields=2) == status
    assert status_of(request_head, b"\r\n" + raw, fields=2) == status


@pytest.mark.parametrize(("size", "status"), [(20, 0), (21, 414)])
def test_target_size(request_head: ModuleType, size: int, status: int) -> None:
    """RFC 9110 section 15.5.15."""
    raw = head(b"GET /%b HTTP/1.1" % (b"a" * (size - 1)))
    assert status_of(request_head, raw, target_size=20) == status
    absolute = head(b"GET http://a/%b HTTP/1.1" % (b"a" * (size - 9)))
    assert status_of(request_head, absolute, target_size=20) == status


@pytest.mark.parametrize(
    ("field", "status"),
    [
        (b"Content-Length: 10", 0),
        (b"Content-Length: 11", 413),
        (b"Transfer-Encoding: chunked", 0),
        (b"Content-Length: 9223372036854775808", 400),
    ],
)
def test_content_size(request_head: ModuleType, field: bytes, status: int) -> None:
    """RFC 9110 section 15.5.14; the size of a chunked content is not known yet."""
    assert status_of(request_head, head(b"GET / HTTP/1.1", field), body_size=10) == status


def test_content_has_no_bound_by_default(request_head: ModuleType) -> None:
    raw = head(b"GET / HTTP/1.1", b"Content-Length: 9223372036854775807")
    assert status_of(request_head, raw) == 0


@pytest.mark.parametrize(
    ("partial", "status"),
    [
        pytest.param(b"", 0, id="nothing yet"),
        pytest.param(b"\r", 0, id="half an empty line"),
        pytest.param(b"\r\n", 0, id="an empty line"),
        pytest.param(b"G", 0, id="a method begins"),
        pytest.param(b"GET  / HTT", 0, id="a fault waits for the end"),
        pytest.param(b"\x16\x03\x01\x02", 400, id="TLS"),
        pytest.param(b" ", 400, id="a space"),
        pytest.param(b"\x00", 400, id="NUL"),
        pytest.param(b"{", 400, id="a delimiter"),
        pytest.param(b"\xef\xbb\xbfGET", 400, id="a byte order mark"),
        pytest.param(b"GET /" + b"a" * 19, 0, id="a target as long as may be"),
        pytest.param(b"GET /" + b"a" * 20, 414, id="a target too long"),
        pytest.param(b"\r\nGET /" + b"a" * 20, 414, id="a target too long, an empty line before"),
        pytest.param(b"GET / HTTP/1.1\r\nX: " + b"a" * 31, 0, id="a head as long as may be"),
        pytest.param(b"GET / HTTP/1.1\r\nX: " + b"a" * 32, 431, id="a head too long"),
        pytest.param(b"A" * 51, 431, id="a method too long"),
        pytest.param(b"GET / HTTP/1.1\r\nX: y " + b"a" * 29, 0, id="a field's words are no target"),
    ],
)
@pytest.mark.parametrize("kind", [bytes, bytearray])
def test_partial_head(request_head: ModuleType, kind: Any, partial: bytes, status: int) -> None:
    bounds = limits(request_head, head_size=50, target_size=20)
    found = 0
    try:
        request_head.check_partial(kind(partial), bounds)
    except RequestRejected as rejected:
        found = rejected.status
    assert found == status


def test_first_octet_is_judged_at_once(request_head: ModuleType) -> None:
    """It begins a method (RFC 9112 section 3) or an empty line (section 2.2)."""
    lawful = {
        octet
        for octet in range(256)
        if receive(request_head, [bytes((octet,))], limits(request_head))[0][0] == -1
    }
    assert lawful == {*grammar.TCHAR, *b"\r\n"}


@pytest.mark.parametrize(
    ("buffer", "end"),
    [
        pytest.param(b"", -1, id="nothing"),
        pytest.param(b"GET / HTTP/1.1\r\nA: b\r\n", -1, id="no empty line yet"),
        pytest.param(b"GET / HTTP/1.1\r\nA: b\r\n\r", -1, id="half an empty line"),
        pytest.param(b"G\r\n\r\nrest\r\n\r\n", 5, id="the first empty line"),
        pytest.param(b"G\n\nrest", 3, id="bare LF"),
        pytest.param(b"G\n\r\nrest", 4, id="bare LF, then CRLF"),
        pytest.param(b"G\r\n\nrest", 4, id="CRLF, then bare LF"),
        pytest.param(b"G\r\rrest", 3, id="bare CR"),
        pytest.param(b"\r\nG\r\n\r\n", 7, id="an empty line in front is none"),
        pytest.param(b"\r\n\r\nG", 4, id="two are"),
    ],
)
def test_end_of_head(request_head: ModuleType, buffer: bytes, end: int) -> None:
    assert request_head.find_end(buffer, 0) == end
    assert request_head.find_end(bytearray(buffer), 0) == end


@given(buffer=grammar.octets(b"\r\nA ", 1, 12), places=grammar.places)
def test_end_of_head_is_found_however_it_arrives(
    request_head: ModuleType, buffer: bytes, places: list[int]
) -> None:
    received = bytearray()
    end = -1
    for piece in grammar.cut(buffer, places):
        scanned = len(received)
        received += piece
        end = request_head.find_end(received, scanned)
        if end >= 0:
            break
    assert end == request_head.find_end(buffer, 0)


# --- Any split, the same verdict --------------------------------------------------------

request_lines = st.builds(
    b"%b %b HTTP/%b".__mod__,
    st.tuples(
        st.sampled_from([b"GET", b"POST", b"OPTIONS", b"FOO"]) | grammar.tokens,
        grammar.origin_forms | st.sampled_from([b"*", b"http://h/p?q", b"/#f", b"/" + b"a" * 30]),
        st.sampled_from([b"1.1", b"1.1", b"1.1", b"1.0", b"2.0", b"1"]),
    ),
)
field_lines = st.sampled_from(
    [
        *(b"Host: a", b"Host: b", b"Content-Length: 3", b"Transfer-Encoding: chunked"),
        *(b"Content-Length: 1, 1", b"Expect: 100-continue", b"Connection: x"),
        *(b" folded", b"X : y", b"X: \x00"),
    ]
) | st.builds(b"%b:%b".__mod__, st.tuples(grammar.tokens, grammar.field_values))
line_ends = st.sampled_from([b"\r\n"] * 12 + [b"\n", b"\r"])


@st.composite
def messages(draw: st.DrawFn) -> bytes:
    """Write a head that is lawful or nearly so, and what follows it."""
    before = draw(st.sampled_from([b"", b"", b"", b"\r\n", b"\n", b"\r\n\r\n"]))
    lines = [draw(request_lines), *draw(st.lists(field_lines, max_size=6)), b""]
    return before + b"".join(line + draw(line_ends) for line in lines) + draw(st.binary(max_size=9))


@given(raw=messages(), places=grammar.places, head_size=st.integers(20, 120))
def test_no_split_changes_the_verdict(
    request_head: ModuleType, raw: bytes, places: list[int], head_size: int
) -> None:
    bounds = limits(request_head, head_size=head_size, target_size=24, fields=5, body_size=2)
    whole = receive(request_head, [raw], bounds)
    assert receive(request_head, grammar.cut(raw, places), bounds) == whole
    assert receive(request_head, [raw[i : i + 1] for i in range(len(raw))], bounds) == whole


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(b"\r\n" + padded(60), id="an empty line before a head at its limit"),
        pytest.param(b"A" * 40 + b" /" + b"a" * 40, id="a method and a target too long together"),
        pytest.param(b"GET /" + b"a" * 100, id="a target longer than a head may be"),
        pytest.param(b"\r\nGET /" + b"a" * 100, id="the same, an empty line before"),
        pytest.param(padded(61), id="a head one byte too long"),
    ],
)
@pytest.mark.parametrize("target_size", [30, 60, 90])
def test_limits_do_not_depend_on_the_split(
    request_head: ModuleType, raw: bytes, target_size: int
) -> None:
    bounds = limits(request_head, head_size=60, target_size=target_size)
    raw = raw if raw.endswith(b"\r\n\r\n") else raw + b" HTTP/1.1\r\nHost: a\r\n\r\n"
    whole = receive(request_head, [raw], bounds)
    for size in range(1, len(raw)):
        pieces = [raw[i : i + size] for i in range(0, len(raw), size)]
        assert receive(request_head, pieces, bounds) == whole, f"in pieces of {size}"


# --- What the grammar allows is taken as it is --------------------------------------------

plain_names = grammar.tokens.map(bytes.lower).filter(
    lambda name: (
        name not in (b"host", b"content-length", b"transfer-encoding", b"connection", b"expect")
    )
)


@given(
    target=grammar.origin_forms,
    fields=st.lists(
        st.tuples(plain_names, grammar.whitespace, grammar.field_values, grammar.whitespace),
        max_size=8,
    ),
)
def test_lawful_head_is_read_as_written(
    request_head: ModuleType, target: bytes, fields: list[tuple[bytes, bytes, bytes, bytes]]
) -> None:
    lines = [name.title() + b":" + left + value + right for name, left, value, right in fields]
    found = request_head.judge(head(b"GET %b HTTP/1.1" % target, *lines), limits(request_head))
    raw_path, _, query = target.partition(b"?")
    expected = [(b"host", b"a"), *((name, value.strip(b" \t")) for name, _, value, _ in fields)]
    assert contents(found) == ("GET", "1.1", raw_path, query, expected, 0, False, ())


@given(raw=st.binary(max_size=60) | messages())
def test_any_bytes_get_a_verdict(request_head: ModuleType, raw: bytes) -> None:
    """Nothing but RequestRejected leaves, and no header holds what could end its line."""
    verdict, _ = receive(request_head, [raw, b"\r\n\r\n"], limits(request_head))
    assert verdict[0] in (0, 400, 501, 505)
    if verdict[1] is not None:
        for name, value in verdict[1][4]:
            assert not set(name + value) & set(grammar.CONTROLS)


# --- Cost -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(head(b"GET / HTTP/1.1", *[b"a:b"] * 40_000, b"bad"), id="many fields"),
        pytest.param(head(b"GET / HTTP/1.1", b"a:" + b" " * 200_000 + b"\x00"), id="whitespace"),
        pytest.param(head(b"GET / HTTP/1.1", b"a" * 200_000), id="a name without a colon"),
        pytest.param(head(b"A" * 200_000), id="a method without an end"),
        pytest.param(head(b"GET " + b"/" * 200_000), id="a target without an end"),
        pytest.param(head(b"GET http://" + b"%61" * 60_000 + b"! HTTP/1.1"), id="a host"),
        pytest.param(
            head(b"GET / HTTP/1.1", b"Connection: " + b"," * 200_000), id="connection options"
        ),
        pytest.param(head(b"GET / HTTP/1.1", *[b"Connection:a"] * 15_000), id="connection fields"),
        pytest.param(
            head(b"GET / HTTP/1.1", b"Transfer-Encoding: " + b"chunked," * 25_000), id="codings"
        ),
    ],
)
def test_judging_costs_what_the_head_is_long(request_head: ModuleType, raw: bytes) -> None:
    """A fifth of a megabyte takes milliseconds; anything quadratic would take minutes."""
    bounds = {"head_size": 10**6, "target_size": 10**6, "fields": 10**6}
    begun = process_time()
    assert status_of(request_head, raw, **bounds) in (0, 400)
    assert process_time() - begun < 5


@pytest.mark.parametrize(
    ("buffer", "begun"),
    [(b"", False), (b"\r", False), (b"\r\n", False), (b"\n", True), (b"\r\nG", True), (b"G", True)],
)
def test_empty_line_begins_no_request(
    request_head: ModuleType, *, buffer: bytes, begun: bool
) -> None:
    """RFC 9112 section 2.2."""
    assert request_head.has_begun(buffer) is begun
    assert request_head.has_begun(bytearray(buffer)) is begun
