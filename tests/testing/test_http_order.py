"""HTTP messages that are out of order or do not fit together; and those that are not."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from esg.asgi import Message
from esg.testing import validate
from tests.testing.calls import (
    BODY,
    DISCONNECT,
    MORE,
    RECEIVE,
    REQUEST,
    START,
    call,
    http_scope,
    sending,
    violation,
)

TRAILERS = {"type": "http.response.trailers", "headers": [(b"a", b"b")]}
WITH_TRAILERS = {**START, "trailers": True}
HINT = {"type": "http.response.early_hint", "links": [b"</a>; rel=preload"]}
DEBUG = {"type": "http.response.debug", "info": {"a": object()}}
PUSH = {"type": "http.response.push", "path": "/b", "headers": [(b"a", b"b")]}
PATH = {"type": "http.response.pathsend", "path": os.path.abspath(__file__)}  # noqa: PTH100
EXTENSIONS = (
    *("http.response.trailers", "http.response.early_hint", "http.response.debug"),
    *("http.response.push", "http.response.pathsend", "http.response.zerocopysend"),
)
FILE = Path(__file__).open("rb")  # noqa: SIM115 - open as long as this module
ZERO_COPY = {"type": "http.response.zerocopysend", "file": FILE}


def with_length(length: int, **keys: Any) -> Message:
    return {**START, "headers": [(b"content-length", b"%d" % length)], **keys}


OUT_OF_ORDER: dict[str, tuple[list[Message], str, str]] = {
    "body first": ([BODY], "sent http.response.body before http.response.start", "Response Body"),
    "start twice": (
        [START, START],
        "sent http.response.start after http.response.start and before the end of the body",
        "Response Start",
    ),
    "start after the end": (
        [START, BODY, START],
        "sent http.response.start after the response was complete",
        "Response Start",
    ),
    "body after the end": (
        [START, BODY, BODY],
        "sent http.response.body after the response was complete",
        "Response Body",
    ),
    "trailers that were not announced": (
        [START, BODY, TRAILERS],
        "sent http.response.trailers after the response was complete",
        "HTTP Trailers",
    ),
    "trailers before the end of the body": (
        [WITH_TRAILERS, MORE, TRAILERS],
        "before the end of the body",
        "HTTP Trailers",
    ),
    "body instead of trailers": (
        [WITH_TRAILERS, BODY, BODY],
        "after the end of the body, where http.response.trailers is due",
        "Response Body",
    ),
    "trailers after the last": (
        [WITH_TRAILERS, BODY, TRAILERS, TRAILERS],
        "after the response was complete",
        "HTTP Trailers",
    ),
    "hint first": ([HINT], "before http.response.start", "Early Hints"),
    "hint last": ([START, BODY, HINT], "after the response was complete", "Early Hints"),
    "push last": ([START, BODY, PUSH], "after the response was complete", "HTTP/2 Server Push"),
    "debug late": ([START, DEBUG], "sent http.response.debug after", "Debug"),
    "debug twice": ([DEBUG, DEBUG], "sent http.response.debug twice", "Debug"),
    "path first": ([PATH], "before http.response.start", "Path Send"),
    "path twice": ([START, PATH, PATH], "after the response was complete", "Path Send"),
    "path after body": ([START, MORE, PATH], "mixed http.response.pathsend", "Path Send"),
    "zero copy after the end": (
        [START, BODY, ZERO_COPY],
        "sent http.response.zerocopysend after the response was complete",
        "Zero Copy Send",
    ),
    "a websocket's message": (
        [{"type": "websocket.send", "text": "a"}],
        "sent websocket.send before http.response.start",
        "Send",
    ),
    "only a start": ([START], "returned after http.response.start", "Response Start"),
    "no end": ([START, MORE], "before the end of the body", "Response Start"),
    "no trailers": ([WITH_TRAILERS, BODY], "where http.response.trailers is due", "Response Start"),
    "nothing": ([], "returned before http.response.start", "Response Start"),
}
CONTENT: dict[str, tuple[list[Message], str]] = {
    "more at once": ([with_length(3), {**BODY, "body": b"1234"}], "1 bytes more than"),
    "more in the end": ([with_length(1), MORE, BODY], "1 bytes more than"),
    "less": ([with_length(3), MORE, BODY], "1 bytes less than"),
    "none": ([with_length(3), {"type": "http.response.body"}], "3 bytes less than"),
    "less by zero copy": (
        [with_length(3), {**ZERO_COPY, "count": 2}],
        "1 bytes less than",
    ),
    "two lengths": (
        [{**START, "headers": [(b"content-length", b"1")] * 2}],
        "several content-length headers",
    ),
    "no length": (
        [{**START, "headers": [(b"content-length", b"+1")]}],
        "invalid content-length b'+1'",
    ),
}
LAWFUL: dict[str, list[Message]] = {
    "whole": [START, BODY],
    "an empty body": [START, {"type": "http.response.body"}],
    "in pieces": [with_length(3), MORE, MORE, BODY],
    "an empty last piece": [START, MORE, {"type": "http.response.body", "body": b""}],
    "trailers": [WITH_TRAILERS, MORE, BODY, {**TRAILERS, "more_trailers": True}, TRAILERS],
    "trailers without headers": [WITH_TRAILERS, BODY, {"type": "http.response.trailers"}],
    "hints": [START, HINT, MORE, HINT, PUSH, BODY],
    "debug": [DEBUG, START, BODY],
    "path": [with_length(10**6), PATH],
    "path and trailers": [WITH_TRAILERS, PATH, TRAILERS],
    "zero copy": [START, ZERO_COPY],
    "zero copy and body": [START, {**ZERO_COPY, "count": 2, "more_body": True}, BODY],
    "zero copy of unknown size": [with_length(10**6), {**ZERO_COPY, "more_body": True}, BODY],
    "zero copy of known size": [with_length(3), {**ZERO_COPY, "count": 2, "more_body": True}, BODY],
    "not modified": [with_length(9, status=304), {"type": "http.response.body"}],
}


@pytest.mark.parametrize("name", OUT_OF_ORDER)
def test_out_of_order(name: str) -> None:
    messages, what, section = OUT_OF_ORDER[name]
    found = violation(sending(*messages), http_scope(*EXTENSIONS))
    assert found.culprit == "application"
    assert what in found.what
    assert f'"{section}"' in found.clause


@pytest.mark.parametrize("name", CONTENT)
def test_content(name: str) -> None:
    messages, what = CONTENT[name]
    found = violation(sending(*messages), http_scope(*EXTENSIONS))
    assert what in found.what
    assert found.clause == "RFC 9110 section 8.6"


@pytest.mark.parametrize("status", [204, 304])
def test_content_where_there_is_none(status: int) -> None:
    found = violation(sending({**START, "status": status}, BODY), http_scope())
    assert found.what == f"sent content with a status of {status}, which has none"
    assert found.clause == "RFC 9110 section 6.4.1"


@pytest.mark.parametrize("name", LAWFUL)
def test_lawful(name: str) -> None:
    messages = LAWFUL[name]
    assert call(validate(sending(*messages)), http_scope(*EXTENSIONS)) == messages


@pytest.mark.parametrize("pieces", [[BODY], [MORE, BODY]])
def test_head_may_have_the_content_of_get(pieces: list[Message]) -> None:
    messages = [with_length(1), *pieces]
    assert call(validate(sending(*messages)), http_scope(method="HEAD")) == messages


PIECE = {**REQUEST, "body": b"x", "more_body": True}


@pytest.mark.parametrize(
    ("delivered", "messages", "what"),
    [
        (
            [REQUEST, REQUEST],
            [RECEIVE, RECEIVE],
            "delivered http.request after the end of the request body",
        ),
        (
            [PIECE, DISCONNECT, PIECE],
            [RECEIVE, RECEIVE, RECEIVE],
            "delivered http.request after http.disconnect",
        ),
        (
            [REQUEST],
            [START, BODY, RECEIVE],
            "delivered http.request after the response was complete",
        ),
        ([{"type": "lifespan.startup"}], [RECEIVE], "lifespan.startup in an http scope"),
    ],
)
def test_what_a_server_delivers(
    delivered: list[Message], messages: list[Message], what: str
) -> None:
    found = violation(sending(*messages), http_scope(), delivered)
    assert found.culprit == "server"
    assert what in found.what


def test_a_whole_exchange() -> None:
    app = validate(sending(RECEIVE, START, RECEIVE, MORE, BODY, RECEIVE, RECEIVE))
    assert call(app, http_scope(), [PIECE, REQUEST, DISCONNECT, DISCONNECT]) == [START, MORE, BODY]


@pytest.mark.parametrize("messages", [[RECEIVE], [RECEIVE, START], [START, MORE, RECEIVE]])
def test_nobody_owes_anything_to_a_client_that_has_left(messages: list[Message]) -> None:
    sent = [message for message in messages if message is not RECEIVE]
    assert call(validate(sending(*messages)), http_scope(), [DISCONNECT]) == sent


def test_a_response_goes_on_after_the_client_has_left() -> None:
    app = validate(sending(RECEIVE, START, BODY))
    assert call(app, http_scope(), [DISCONNECT]) == [START, BODY]


def test_a_send_that_failed_tells_that_the_client_has_left() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send(START)
        with pytest.raises(BrokenPipeError):
            await send(MORE)
        # What had come before the client was lost may still be delivered.
        assert await receive() == REQUEST

    assert call(validate(app), http_scope(), [REQUEST], lost_after=1) == [START]
