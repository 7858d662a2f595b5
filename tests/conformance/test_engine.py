"""The suite's own judgement: what it must not let pass, whatever a server answers."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from tests.conformance.cases import ALL_CASES
from tests.conformance.cases.build import RETURNED, START_SENT, ended, received, refused
from tests.conformance.digest import difference, told
from tests.conformance.model import Level, Seen
from tests.conformance.report import visible
from tests.conformance.scope_form import scope_violations
from tests.conformance.trace import Observed, matches
from tests.conformance.wire import Framing, ResponseParser

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nT: 1\r\n\r\n"
SIZED = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc"


def parsed(data: bytes, *methods: str, step: int = 0) -> ResponseParser:
    """Parse octets, all at once or `step` at a time."""
    parser = ResponseParser(list(methods))
    for start in range(0, len(data), step or len(data)):
        parser.feed(data[start : start + (step or len(data))])
    return parser


@pytest.mark.parametrize("step", [0, 1, 2, 7])
def test_responses_are_cut_the_same_in_any_segments(step: int) -> None:
    parser = parsed(b"HTTP/1.1 100 Continue\r\n\r\n" + CHUNKED + SIZED, step=step)
    first, second = parser.responses
    assert (bytes(first.body), first.framing, first.interim) == (b"abc", Framing.CHUNKED, [100])
    assert (bytes(second.body), second.framing, second.interim) == (b"abc", Framing.LENGTH, [])
    assert first.trailers == [(b"T", b"1")]
    assert parser.leftover == b""


def test_a_response_to_head_has_no_content() -> None:
    parser = parsed(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n" + SIZED, "HEAD", "GET")
    assert [bytes(response.body) for response in parser.responses] == [b"", b"abc"]


def test_content_until_close_is_complete_at_the_end() -> None:
    parser = parsed(b"HTTP/1.1 200 OK\r\n\r\nabc")
    assert not parser.responses[0].complete
    parser.feed_eof()
    assert parser.responses[0].complete


@pytest.mark.parametrize("cut", [SIZED[:-1], CHUNKED[:-2], CHUNKED[:-12]])
def test_a_cut_response_is_not_complete(cut: bytes) -> None:
    parser = parsed(cut)
    parser.feed_eof()
    assert not parser.responses[0].complete


@pytest.mark.parametrize(
    "data",
    [
        b"HTTP/2 200 OK\r\n\r\n",
        b"HTTP/1.1  200 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX : 1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: a\x00b\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: a\nb\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: +1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n",
    ],
)
def test_what_is_no_response_is_seen(data: bytes) -> None:
    assert parsed(data).error


def test_octets_behind_a_response_are_seen() -> None:
    assert parsed(SIZED + b"junk").leftover == b"junk"


@pytest.mark.parametrize(
    ("entry", "expected", "result"),
    [
        (Observed("send", "http.response.start"), START_SENT, True),
        (Observed("refused", "http.response.start"), START_SENT, False),
        (Observed("receive", "http.request", b"ab", 2, more=False), received(b"ab", False), True),
        (Observed("receive", "http.request", b"ab", 2, more=True), received(b"ab", False), False),
        (Observed("receive", "http.request", b"a", 1), received(b"ab"), False),
        (
            Observed("refused", "x", family=("ConnectionError", "OSError")),
            refused("x", "OSError"),
            True,
        ),
        (Observed("refused", "x", family=("ValueError",)), refused("x", "OSError"), False),
        (Observed("end", "returned", family=("returned",)), RETURNED, True),
        (
            Observed("end", "KeyError", family=("KeyError", "LookupError")),
            ended("LookupError"),
            True,
        ),
        (Observed("end", "KeyError", family=("KeyError",)), RETURNED, False),
        (Observed("mark", "a"), Seen("mark", "b"), False),
    ],
)
def test_trace_entries_match_what_they_are(entry: Observed, expected: Seen, result: bool) -> None:
    assert matches(entry, expected) is result


def test_scope_violations_are_found() -> None:
    sound = {"type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "headers": []}
    assert not list(scope_violations(sound))
    assert list(scope_violations({**sound, "headers": [(b"Host", b"a")]}))
    assert list(scope_violations({**sound, "headers": [("host", b"a")]}))
    assert list(scope_violations({**sound, "client": ("127.0.0.1", "80")}))
    assert list(scope_violations({**sound, "http_version": "1.2"}))
    assert list(scope_violations({**sound, "extensions": {"tls": {}}}))


def test_violations_of_what_scopes_say_of_tls_are_found() -> None:
    tls: dict[str, object] = {
        "server_cert": "-----BEGIN CERTIFICATE-----\n",
        "client_cert_chain": [],
        "client_cert_name": None,
        "client_cert_error": None,
        "tls_version": 0x0304,
        "cipher_suite": 0x1301,
    }
    scope = {"type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "headers": []}

    def violations(**changed: object) -> list[str]:
        extensions = {"tls": {**tls, **changed}}
        return list(scope_violations({**scope, "extensions": extensions}, secure=True))

    assert violations() == []
    assert violations(server_cert=None, tls_version=None, cipher_suite=None) == []
    for wrong in (
        {"server_cert": b"-----BEGIN CERTIFICATE-----\n"},
        {"client_cert_chain": ["-----BEGIN CERTIFICATE-----\n"]},
        {"client_cert_name": "CN=me"},
        {"client_cert_error": ""},
        {"tls_version": "TLSv1.3"},
        {"cipher_suite": 0x03001301},
    ):
        assert len(violations(**wrong)) == 1, wrong


def test_differences_name_the_lines() -> None:
    assert difference(["a", "b"], ["a", "b"]) == []
    assert difference(["a", "b"], ["a", "c"]) == ["- b", "+ c"]
    assert difference(["a", "b"], ["b", "a"])


def test_what_an_application_is_told_leaves_out_chance() -> None:
    def observed(*records: tuple[Any, ...], **scope: Any) -> Any:
        call = SimpleNamespace(scope={"type": "http", "path": "/", **scope}, records=records)
        return SimpleNamespace(calls={"a": [call]})

    content = ("receive", {"type": "http.request", "body": b"ab"})
    begun = ("receive", {"type": "http.request", "body": b"a", "more_body": True})
    gone = ("receive", {"type": "http.disconnect"})
    whole = told(observed(content, ("send", "http.response.start")))
    assert whole == told(observed(content, gone, client=["::1", 2], REMOTE_ADDR=b"::1:2"))
    assert whole != told(observed())
    assert whole != told(observed(content, method="PUT"))
    assert told(observed()) == told(observed(begun, gone))


def test_controls_are_visible_in_reports() -> None:
    assert visible(b"a\r\nb\x00\t\\") == "a\\r\\n\nb\\x00\\t\\\\"


def test_every_case_names_its_clause_and_level() -> None:
    for case in ALL_CASES:
        assert case.clause, case.id
        assert case.says, case.id
        assert isinstance(case.level, Level), case.id


def test_every_number_of_the_design_has_a_case() -> None:
    assert {case.number for case in ALL_CASES} == set(range(1, 128))
