"""Traces in their comparable form."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from esg.asgi import Message
from esg.errors import ClientDisconnected
from esg.testing.trace import SHOWN, Trace
from tests.testing.calls import BODY, DISCONNECT, MORE, REQUEST, START, http_scope

PIECE = {**REQUEST, "body": b"ab", "more_body": True}
LAST = {**REQUEST, "body": b"c", "more_body": False}


def messages(
    received: Sequence[Message] = (),
    sent: Sequence[Message] = (),
    *refused: tuple[Message, Exception],
    end: str | None = "returned",
) -> list[str]:
    """Return the lines that are not the scope's."""
    trace = Trace("GET /", http_scope(), (), list(received), list(sent), list(refused), end)
    return [line for line in trace.lines()[1:] if not line.startswith("  scope")]


def test_the_scope() -> None:
    scope = http_scope("b", "a", state={"pool": object()}, server=("/run/app.sock", None))
    assert Trace("GET /é", scope, end="returned").lines() == [
        "GET /é",
        "  scope asgi: {'version': '3.0', 'spec_version': '2.5'}",
        "  scope client: 127.0.0.1:<port>",
        "  scope extensions: a, b",
        "  scope headers:",
        "  scope   host: localhost",
        "  scope   X-Two: 1",
        "  scope   X-Two: 2",
        "  scope http_version: '1.1'",
        "  scope method: 'GET'",
        "  scope path: '/é'",
        "  scope query_string: b'a=1'",
        "  scope raw_path: b'/%c3%a9'",
        "  scope root_path: ''",
        "  scope scheme: 'http'",
        "  scope server: /run/app.sock:None",
        "  scope state: pool",
        "  scope type: 'http'",
        "  returned",
    ]


def test_an_absent_client_and_no_extensions() -> None:
    lines = Trace("GET /", http_scope(client=None, extensions=None)).lines()
    assert "  scope client: None" in lines
    assert "  scope extensions: " in lines


def test_content_is_joined() -> None:
    pieces = [{**MORE, "body": b"a"}, {**MORE, "body": b""}, {**BODY, "body": b"b"}]
    whole = [{"type": "http.response.body", "body": b"ab"}]
    assert messages([PIECE, PIECE, LAST], [START, *pieces]) == [
        "  received http.request b'ababc'",
        "  sent http.response.start status=200",
        "  sent http.response.body b'ab'",
        "  returned",
    ]
    assert messages([], [START, *pieces]) == messages([], [START, *whole])


def test_content_that_is_not_complete() -> None:
    assert messages([PIECE], [MORE], end=None) == [
        "  received http.request b'ab', incomplete",
        "  sent http.response.body b'x', incomplete",
        "  is still running",
    ]


def test_long_content_is_summed_up() -> None:
    one, other = (messages([], [{**BODY, "body": end + b"x" * SHOWN}])[0] for end in (b"a", b"b"))
    assert one.startswith("  sent http.response.body 401 bytes b'axxx")
    assert "SHA-256" in one
    ends = [messages([], [{**BODY, "body": b"x" * SHOWN + end}])[0] for end in (b"a", b"b")]
    assert ends[0] != ends[1]
    assert one != other


@pytest.mark.parametrize("count", [1, 5])
def test_how_much_got_through_is_chance(count: int) -> None:
    left = messages([PIECE] * count + [DISCONNECT] * count, [START, *[MORE] * count])
    assert left == [
        "  received http.request cut off",
        "  received http.disconnect",
        "  sent http.response.start status=200",
        "  sent http.response.body cut off",
        "  returned",
    ]


@pytest.mark.parametrize("error", [BrokenPipeError("gone"), ClientDisconnected("gone")])
def test_how_a_server_tells_of_a_lost_client_is_its_affair(error: OSError) -> None:
    assert messages([], [START, MORE], (MORE, error), (BODY, error)) == [
        "  sent http.response.start status=200",
        "  sent http.response.body cut off",
        "  send() of a message raised OSError",
        "  returned",
    ]


def test_a_client_that_leaves_after_the_end_cuts_nothing_off() -> None:
    assert messages([LAST, DISCONNECT], [START, BODY])[-2:] == [
        "  sent http.response.body b'x'",
        "  returned",
    ]


def test_a_refused_message() -> None:
    assert messages([], [], (START, ValueError("no")))[0] == (
        "  send() of http.response.start raised ValueError: no"
    )


def test_headers_and_dates() -> None:
    date = (b"date", b"Sun, 06 Nov 1994 08:49:37 GMT")
    start = {**START, "headers": [date, (b"location", b"http://localhost:8000/\xe9")]}
    assert messages([], [start])[:3] == [
        "  sent http.response.start status=200:",
        "  sent   date: <date>",
        "  sent   location: http://localhost:<port>/é",
    ]


def test_websocket_messages_stay_apart() -> None:
    received = [{"type": "websocket.receive", "text": "a", "bytes": None}] * 2
    sent = [{"type": "websocket.send", "bytes": b"b" * 500}]
    lines = messages(received, sent)
    assert lines[:2] == ["  received websocket.receive bytes=None text='a'"] * 2
    assert lines[2].startswith("  sent websocket.send bytes=500 bytes b'bbb")


def test_ports_and_patterns_are_masked_inside_of_content() -> None:
    body = {**BODY, "body": b'{"url": "http://127.0.0.1:8000/", "id": 17}' + b" " * SHOWN}
    other = {**BODY, "body": b'{"url": "http://127.0.0.1:8000/", "id": 42}' + b" " * SHOWN}
    traces = [Trace("GET /", http_scope(), (r'"id": \d+',), [], [m]) for m in (body, other)]
    assert traces[0].lines() == traces[1].lines()
    short = {**BODY, "body": b"at http://127.0.0.1:8000/"}
    assert messages([], [short])[0] == "  sent http.response.body b'at http://127.0.0.1:<port>/'"
