"""The fields and the status line that the server writes of itself."""

from __future__ import annotations

from email.utils import formatdate
from http import HTTPStatus
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esg.errors import MessageError
from tests.rules.responses import CLOSE, LENGTH, defaults, write
from tests.rules.twins import rule

response_head = rule("response_head")

DATE = b"date: Fri, 31 Dec 1999 23:59:59 GMT"


@pytest.mark.parametrize(
    ("values", "keep_alive", "fields", "persists"),
    [
        pytest.param([], True, [], True, id="RFC 9112 9.3: nothing to say"),
        pytest.param([], False, [CLOSE], False, id="RFC 9112 9.6: the server closes"),
        pytest.param([b"close"], True, [CLOSE], False, id="RFC 9112 9.6: the application does"),
        pytest.param([b"Close"], False, [CLOSE], False, id="RFC 9110 7.6.1: both do, said once"),
        pytest.param([b"close", b"close"], True, [CLOSE], False, id="twice, said once"),
        pytest.param([b"keep-alive"], True, [], True, id="keep-alive is the server's"),
        pytest.param([b"keep-alive"], False, [CLOSE], False, id="keep-alive does not win"),
        pytest.param(
            [b"X, close ,,Y"], True, [b"connection: x, y, close"], False, id="other options stay"
        ),
        pytest.param([b"x"], True, [b"connection: x"], True, id="another option alone"),
        pytest.param([b"x", b"y"], True, [b"connection: x, y"], True, id="in two fields"),
        pytest.param([b"closed"], True, [b"connection: closed"], True, id="not close"),
        pytest.param([b" ,"], True, [], True, id="RFC 9110 5.6.1: an empty list"),
    ],
)
def test_connection(
    response_head: ModuleType,
    *,
    values: list[bytes],
    keep_alive: bool,
    fields: list[bytes],
    persists: bool,
) -> None:
    headers = [(b"Connection", value) for value in values]
    found = write(response_head, 204, headers, keep_alive=keep_alive)
    assert (found[1], found[3]) == (fields, persists)


def test_keep_alive_field_is_the_servers(response_head: ModuleType) -> None:
    assert write(response_head, 204, [(b"Keep-Alive", b"timeout=9")])[1] == []


@pytest.mark.parametrize(
    ("server", "date", "headers", "fields"),
    [
        pytest.param(b"esg", True, [], [DATE, b"server: esg"], id="RFC 9110 6.6.1: both"),
        pytest.param(None, True, [], [DATE], id="no Server"),
        pytest.param(b"esg", False, [], [b"server: esg"], id="no Date"),
        pytest.param(None, False, [], [], id="neither"),
        pytest.param(b"esg", True, [(b"Date", b"d")], [b"server: esg", b"Date: d"], id="own Date"),
        pytest.param(b"esg", True, [(b"SERVER", b"s")], [DATE, b"SERVER: s"], id="own Server"),
        pytest.param(
            b"esg",
            True,
            [(b"server", b"s"), (b"date", b"d")],
            [b"server: s", b"date: d"],
            id="both its own",
        ),
        pytest.param(None, False, [(b"date", b"d")], [b"date: d"], id="its own where ours is off"),
        pytest.param(b"esg", True, [(b"dates", b"d")], [DATE, b"server: esg", b"dates: d"], id="x"),
    ],
)
def test_default_fields(
    response_head: ModuleType,
    *,
    server: bytes | None,
    date: bool,
    headers: list[tuple[bytes, bytes]],
    fields: list[bytes],
) -> None:
    found = write(response_head, 204, headers, server=server, date=date)
    assert sorted(found[1]) == sorted(fields)


@pytest.mark.parametrize(
    ("extra", "headers", "fields"),
    [
        pytest.param(
            [(b"X-A", b"1"), (b"X-B", b"2")],
            [],
            [DATE, b"server: esg", b"X-A: 1", b"X-B: 2"],
            id="further fields",
        ),
        pytest.param(
            [(b"X-A", b"1"), (b"X-B", b"2")],
            [(b"x-a", b"3")],
            [DATE, b"server: esg", b"X-B: 2", b"x-a: 3"],
            id="the application's wins",
        ),
        pytest.param(
            [(b"X-A", b"1"), (b"x-a", b"2")],
            [],
            [DATE, b"server: esg", b"X-A: 1", b"x-a: 2"],
            id="a repeated field",
        ),
        pytest.param([(b"Server", b"s")], [], [DATE, b"Server: s"], id="another Server"),
        pytest.param([(b"DATE", b"d")], [], [b"server: esg", b"DATE: d"], id="another Date"),
        pytest.param(
            [(b"Server", b"s"), (b"Date", b"d")],
            [(b"server", b"a"), (b"date", b"b")],
            [b"server: a", b"date: b"],
            id="the application's wins over both",
        ),
    ],
)
def test_further_default_fields(
    response_head: ModuleType,
    extra: list[tuple[bytes, bytes]],
    headers: list[tuple[bytes, bytes]],
    fields: list[bytes],
) -> None:
    found = write(response_head, 204, headers, server=b"esg", date=True, extra=tuple(extra))
    assert found[1] == fields


def test_date_is_renewed(response_head: ModuleType) -> None:
    fields = defaults(response_head, b"esg", True)
    fields.set_time(946684800)
    assert fields.block == b"date: Sat, 01 Jan 2000 00:00:00 GMT\r\nserver: esg\r\n"


@given(timestamp=st.integers(0, 253402300799))
def test_date_is_an_imf_fixdate(response_head: ModuleType, timestamp: int) -> None:
    """RFC 9110 section 5.6.7."""
    assert response_head.format_date(timestamp).decode() == formatdate(timestamp, usegmt=True)


# Where Python's names are older than RFC 9110's, or younger.
PHRASES = {
    413: "Content Too Large",
    414: "URI Too Long",
    416: "Range Not Satisfiable",
    422: "Unprocessable Content",
}


@pytest.mark.parametrize("status", [status.value for status in HTTPStatus if status >= 200])
def test_status_line_has_the_phrase(response_head: ModuleType, status: int) -> None:
    """RFC 9112 section 4; the same on every version of Python."""
    phrase = PHRASES.get(status) or HTTPStatus(status).phrase
    assert write(response_head, status)[0] == f"HTTP/1.1 {status} {phrase}".encode()


@pytest.mark.parametrize("status", [299, 599, 600, 999])
def test_status_line_keeps_its_space_without_a_phrase(
    response_head: ModuleType, status: int
) -> None:
    """RFC 9112 section 4."""
    assert write(response_head, status)[0] == b"HTTP/1.1 %d " % status


@pytest.mark.parametrize("method", ["", "GET", "HEAD"])
@pytest.mark.parametrize(
    ("status", "phrase"), [(400, b"Bad Request"), (413, b"Content Too Large"), (505, None)]
)
def test_error_response(
    response_head: ModuleType, method: str, status: int, phrase: bytes | None
) -> None:
    """The reason phrase, a length, a Date and a close (RFC 9112 section 9.6)."""
    phrase = phrase or HTTPStatus(status).phrase.encode()
    fields = defaults(response_head, b"esg", True)
    head, _, content = response_head.error_response(method, status, fields).partition(b"\r\n\r\n")
    assert head.split(b"\r\n") == [
        b"HTTP/1.1 %d %b" % (status, phrase),
        DATE,
        b"server: esg",
        b"content-type: text/plain; charset=utf-8",
        b"content-length: %d" % len(phrase),
        CLOSE,
    ]
    assert content == (b"" if method == "HEAD" else phrase)


def test_error_response_has_further_fields(response_head: ModuleType) -> None:
    fields = defaults(response_head)
    found = response_head.error_response("GET", 503, fields, [(b"retry-after", b"1")])
    assert b"\r\nretry-after: 1\r\n" in found


def test_plan_says_what_is_in_it(response_head: ModuleType) -> None:
    plan = response_head.plan("GET", 200, [LENGTH, (b"X-Y", b"z"), (b"connection", b"x, close")])
    assert plan.fields == [LENGTH, (b"X-Y", b"z")]
    assert plan.names == {b"content-length", b"x-y"}
    assert (plan.length, plan.has_content, plan.close, plan.options) == (5, True, True, [b"x"])


@pytest.mark.parametrize("value", [b"x y", b"close;now", b"\xff", b"a, b c"])
def test_connection_options_are_tokens(response_head: ModuleType, value: bytes) -> None:
    """RFC 9110 section 7.6.1."""
    with pytest.raises(MessageError, match="connection option"):
        response_head.plan("GET", 200, [(b"connection", value)])


def test_subclass_of_bytes_is_sent_as_bytes(response_head: ModuleType) -> None:
    class Shouting(bytes):
        def lower(self) -> bytes:
            return self.upper()

        def __bytes__(self) -> bytes:
            return b"b\r\nset-cookie: c"

    plan = response_head.plan("GET", 200, [(Shouting(b"X-A"), Shouting(b"b"))])
    assert plan.fields == [(b"X-A", b"b")]
    assert {type(part) for part in plan.fields[0]} == {bytes}
    assert plan.names == {b"x-a"}


def test_status_is_judged_as_it_is_sent(response_head: ModuleType) -> None:
    class Odd(int):
        def __int__(self) -> int:
            return 100

    with pytest.raises(MessageError, match="final status code"):
        response_head.plan("GET", Odd(200), [])
