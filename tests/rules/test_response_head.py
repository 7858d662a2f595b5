"""What a response carries around the application's content."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esg.errors import MessageError
from tests.rules import grammar
from tests.rules.responses import CLOSE, LENGTH, Fields, defaults, write
from tests.rules.twins import rule

response_head = rule("response_head")

# --- What may be sent -------------------------------------------------------------------


@pytest.mark.parametrize("status", [200, 204, 299, 304, 404, 500, 599, 600, 999, HTTPStatus.OK])
def test_final_status_is_lawful(response_head: ModuleType, status: int) -> None:
    """RFC 9110 section 15."""
    plan = response_head.plan("GET", status, [])
    assert plan.status == status
    assert type(plan.status) is int


@pytest.mark.parametrize(
    ("status", "error"),
    [
        pytest.param(99, MessageError, id="two digits"),
        pytest.param(1000, MessageError, id="four digits"),
        pytest.param(0, MessageError, id="zero"),
        pytest.param(-200, MessageError, id="negative"),
        pytest.param(2**80, MessageError, id="beyond 64 bits"),
        pytest.param(100, MessageError, id="RFC 9110 15.2: an interim response"),
        pytest.param(101, MessageError, id="RFC 9110 15.2.2: a switch"),
        pytest.param(103, MessageError, id="RFC 8297: early hints"),
        pytest.param(199, MessageError, id="RFC 9110 15.2: the last of them"),
        pytest.param(True, MessageError, id="True, an int"),
        pytest.param("200", TypeError, id="str"),
        pytest.param(b"200", TypeError, id="bytes"),
        pytest.param(200.0, TypeError, id="float"),
        pytest.param(None, TypeError, id="None"),
    ],
)
def test_other_status_is_refused(
    response_head: ModuleType, status: object, error: type[Exception]
) -> None:
    with pytest.raises(error, match="status"):
        response_head.plan("GET", status, [])


@pytest.mark.parametrize(
    ("name", "value", "error"),
    [
        pytest.param(b"", b"x", MessageError, id="RFC 9110 5.1: an empty name"),
        pytest.param(b":status", b"x", MessageError, id="RFC 9110 5.6.2: a pseudo field"),
        pytest.param(b"a b", b"x", MessageError, id="RFC 9110 5.6.2: a space"),
        pytest.param(b"a\n", b"x", MessageError, id="RFC 9110 5.6.2: a trailing LF"),
        pytest.param(b"a\r\nb", b"x", MessageError, id="RFC 9112 2.2: CRLF in a name"),
        pytest.param(b"a:", b"x", MessageError, id="RFC 9112 5: a colon in a name"),
        pytest.param(b"\xe9", b"x", MessageError, id="RFC 9110 5.6.2: not ASCII"),
        pytest.param(b"a", b"x\n", MessageError, id="RFC 9110 5.5: a trailing LF"),
        pytest.param(b"a", b"x\r\nb: y", MessageError, id="RFC 9110 5.5: CRLF"),
        pytest.param(b"a", b"\x00", MessageError, id="RFC 9110 5.5: NUL"),
        pytest.param("a", b"x", TypeError, id="ASGI: a name of str"),
        pytest.param(b"a", "x", TypeError, id="ASGI: a value of str"),
        pytest.param(b"a", None, TypeError, id="ASGI: no value"),
        pytest.param(b"a", 1, TypeError, id="ASGI: a number"),
    ],
)
def test_field_is_refused(
    response_head: ModuleType, name: object, value: object, error: type[Exception]
) -> None:
    with pytest.raises(error):
        response_head.checked_field(name, value)
    with pytest.raises(error):
        response_head.plan("GET", 200, [(b"ok", b"ok"), (name, value)])


def test_octets_that_a_field_may_have(response_head: ModuleType) -> None:
    """RFC 9110 sections 5.5 and 5.6.2."""

    def lawful(form: bytes, octet: int) -> bool:
        name, value = (form % octet).split(b"=", 1) if octet != ord("=") else (b"=", b"=")
        try:
            return bool(response_head.checked_field(name, value))
        except MessageError:
            return False

    every = range(256)
    assert {octet for octet in every if lawful(b"a%ca=x", octet)} == set(grammar.TCHAR)
    values = {octet for octet in every if octet == ord("=") or lawful(b"a=x%cx", octet)}
    assert values == {*every} - {*grammar.CONTROLS}


@given(name=grammar.tokens, value=grammar.field_values)
def test_lawful_field_goes_out_as_it_is(
    response_head: ModuleType, name: bytes, value: bytes
) -> None:
    assert response_head.checked_field(name, value) == (name, value)


@given(name=st.binary(max_size=6), value=st.binary(max_size=6), status=st.integers(200, 999))
def test_no_field_writes_another_line(
    response_head: ModuleType, name: bytes, value: bytes, status: int
) -> None:
    try:
        line, fields, rest, _ = write(response_head, status, [(name, value)], content=b"x")
    except MessageError:
        return
    assert b"\r" not in line + b"".join(fields)
    assert b"\n" not in line + b"".join(fields)
    assert len(fields) <= 2
    assert rest in (b"", b"x", b"1\r\nx\r\n0\r\n\r\n")


@pytest.mark.parametrize(
    ("headers", "error"),
    [
        pytest.param([b"ab"], TypeError, id="bytes for a pair"),
        pytest.param([(b"a",)], ValueError, id="one"),
        pytest.param([(b"a", b"b", b"c")], ValueError, id="three"),
        pytest.param([None], TypeError, id="None for a pair"),
        pytest.param(None, TypeError, id="None"),
        pytest.param([("a", "b")], TypeError, id="str"),
        pytest.param({b"ab": b"cd"}, TypeError, id="a dict"),
    ],
)
def test_headers_are_pairs(response_head: ModuleType, headers: Any, error: type[Exception]) -> None:
    """ASGI headers: "An iterable of [name, value] two-item iterables"."""
    with pytest.raises(error):
        response_head.plan("GET", 200, headers)


PAIRS = ((b"A", b"1"), (b"b", b"2"), (b"A", b"3"))


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda: list(PAIRS), id="list of tuples"),
        pytest.param(lambda: tuple(map(list, PAIRS)), id="tuple of lists"),
        pytest.param(lambda: iter(PAIRS), id="iterator of tuples"),
        pytest.param(lambda: map(iter, PAIRS), id="iterator of iterators"),
    ],
)
def test_fields_go_out_in_order(response_head: ModuleType, make: Callable[[], Fields]) -> None:
    """ASGI headers: "An iterable of [name, value] two-item iterables"."""
    assert write(response_head, 204, make())[1] == [b"A: 1", b"b: 2", b"A: 3"]


# --- Framing ---------------------------------------------------------------------------

CHUNKS = b"5\r\nhello\r\n0\r\n\r\n"
TE = b"transfer-encoding: chunked"
CL = b"Content-Length: 5"


@pytest.mark.parametrize(
    ("change", "fields", "content", "keep_alive"),
    [
        pytest.param({"headers": [LENGTH]}, [CL], b"hello", True, id="RFC 9112 6.2: a length"),
        pytest.param({}, [TE], CHUNKS, True, id="RFC 9112 6.1: chunked without one"),
        pytest.param(
            {"http_version": "1.0", "keep_alive": False},
            [CLOSE],
            b"hello",
            False,
            id="RFC 9112 6.1: 1.0 knows no chunks",
        ),
        pytest.param(
            {"http_version": "1.0"}, [CLOSE], b"hello", False, id="RFC 9112 6.3: until the close"
        ),
        pytest.param(
            {"http_version": "1.0", "keep_alive": False, "headers": [LENGTH]},
            [CL, CLOSE],
            b"hello",
            False,
            id="RFC 9112 6.2: a length in 1.0",
        ),
        pytest.param({"method": "HEAD"}, [TE], b"", True, id="RFC 9110 9.3.2: HEAD as GET"),
        pytest.param(
            {"method": "HEAD", "headers": [LENGTH]}, [CL], b"", True, id="RFC 9110 9.3.2: a length"
        ),
        pytest.param(
            {"method": "HEAD", "http_version": "1.0", "keep_alive": False},
            [CLOSE],
            b"",
            False,
            id="RFC 9112 6.1: HEAD in 1.0",
        ),
        pytest.param({"status": 204}, [], b"", True, id="RFC 9110 8.6: 204"),
        pytest.param(
            {"status": 204, "headers": [LENGTH]}, [], b"", True, id="RFC 9110 8.6: no length in 204"
        ),
        pytest.param(
            {"status": 204, "http_version": "1.0", "keep_alive": False},
            [CLOSE],
            b"",
            False,
            id="204 in 1.0",
        ),
        pytest.param({"status": 304}, [], b"", True, id="RFC 9112 6.3: 304"),
        pytest.param(
            {"status": 304, "headers": [LENGTH]}, [CL], b"", True, id="RFC 9110 8.6: 304's length"
        ),
        pytest.param(
            {"headers": [(b"Transfer-Encoding", b"gzip"), LENGTH]},
            [CL],
            b"hello",
            True,
            id="RFC 9112 6.2: never both",
        ),
        pytest.param(
            {"headers": [(b"transfer-encoding", b"chunked")]}, [TE], CHUNKS, True, id="ours, once"
        ),
        pytest.param(
            {"status": 204, "headers": [(b"transfer-encoding", b"chunked")]},
            [],
            b"",
            True,
            id="RFC 9112 6.1: no transfer coding in 204",
        ),
    ],
)
def test_framing(
    response_head: ModuleType,
    *,
    change: dict[str, Any],
    fields: list[bytes],
    content: bytes,
    keep_alive: bool,
) -> None:
    found = write(response_head, content=b"hello", **change)
    assert found[1:] == (fields, content, keep_alive)


@pytest.mark.parametrize(
    "values",
    [
        *([b""], [b"+5"], [b"-5"], [b"5 "], [b" 5"], [b"5, 5"], [b"5.0"], [b"0x5"], [b"1_0"]),
        *(["\u0665".encode()], [b"\xb2"], [b"5", b"5"], [b"0", b"0"], [b"9" * 20], [b"x"]),
        [b"9223372036854775808"],
    ],
    ids=repr,
)
def test_content_length_is_one_number(response_head: ModuleType, values: list[bytes]) -> None:
    """RFC 9110 section 8.6."""
    with pytest.raises(MessageError, match="content-length"):
        response_head.plan("GET", 200, [(b"content-length", value) for value in values])


@pytest.mark.parametrize("value", [b"0", b"007", b"9223372036854775807"])
def test_content_length(response_head: ModuleType, value: bytes) -> None:
    plan = response_head.plan("GET", 200, [(b"Content-Length", value)])
    assert plan.length == int(value)


@given(pieces=st.lists(st.binary(max_size=20), max_size=6))
def test_chunks_carry_the_content(response_head: ModuleType, pieces: list[bytes]) -> None:
    """RFC 9112 section 7.1; an empty chunk would end the message."""
    response = response_head.Http1Response("1.1", True, defaults(response_head))
    response.start(response_head.plan("GET", 200, []))
    out = b"".join(b"".join(response.frame(piece, False)) for piece in pieces)
    expected = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces if piece)
    assert out == expected
    assert b"".join(response.frame(b"", True)) == b"0\r\n\r\n"


@pytest.mark.parametrize("size", [65535, 65536, 65537, 200_000])
@pytest.mark.parametrize("final", [False, True])
@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_large_chunk_is_framed_as_a_small_one(
    response_head: ModuleType, size: int, final: bool, kind: Any
) -> None:
    response = response_head.Http1Response("1.1", True, defaults(response_head))
    response.start(response_head.plan("GET", 200, []))
    out = response.frame(kind(b"x" * size), final)
    last = b"0\r\n\r\n" if final else b""
    assert b"".join(out) == b"%x\r\n%b\r\n%b" % (size, b"x" * size, last)


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_content_of_a_length_goes_out_as_it_is(response_head: ModuleType, kind: Any) -> None:
    response = response_head.Http1Response("1.1", True, defaults(response_head))
    response.start(response_head.plan("GET", 200, [LENGTH]))
    assert b"".join(response.frame(kind(b"hello"), True)) == b"hello"
    assert response.frame(kind(b""), True) == []


def test_second_start_replaces_the_first(response_head: ModuleType) -> None:
    response = response_head.Http1Response("1.1", True, defaults(response_head))
    response.start(response_head.plan("GET", 200, [(b"connection", b"close"), LENGTH]))
    response.start(response_head.plan("GET", 404, []))
    assert response.head() == b"HTTP/1.1 404 Not Found\r\ntransfer-encoding: chunked\r\n\r\n"
    assert response.keep_alive


def test_upgrade(response_head: ModuleType) -> None:
    """RFC 9110 section 15.2.2: Upgrade is there, and framing is not."""
    headers = [
        (b"X-Mine", b"1"),
        (b"Server", b"mine"),
        *((name, b"5") for name in (b"Content-Length", b"Connection", b"Upgrade", b"Keep-Alive")),
        (b"transfer-encoding", b"chunked"),
    ]
    fields = [(b"sec-websocket-accept", b"key")]
    default = defaults(response_head, b"esg", date=True, extra=((b"X-Frame-Options", b"DENY"),))
    assert response_head.upgrade_response(b"websocket", fields, headers, default).split(
        b"\r\n"
    ) == [
        b"HTTP/1.1 101 Switching Protocols",
        b"date: Fri, 31 Dec 1999 23:59:59 GMT",
        b"X-Frame-Options: DENY",
        b"upgrade: websocket",
        b"sec-websocket-accept: key",
        b"X-Mine: 1",
        b"Server: mine",
        b"connection: upgrade",
        b"",
        b"",
    ]


@pytest.mark.parametrize("header", [(b"a b", b""), (b"a", b"b\r\nc: d"), ("a", b"b")])
def test_upgrade_cannot_be_broken(response_head: ModuleType, header: Any) -> None:
    with pytest.raises((MessageError, TypeError)):
        response_head.upgrade_response(b"websocket", [], [header], defaults(response_head))
