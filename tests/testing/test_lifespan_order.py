"""Lifespan messages that are out of order, and requests that come at the wrong time."""

from __future__ import annotations

from typing import Any

import anyio
import pytest

from esg.asgi import Message, Receive, Scope, Send
from esg.testing import ASGIViolation, validate
from tests.testing.calls import (
    BODY,
    RECEIVE,
    START,
    Server,
    call,
    http_scope,
    lifespan_scope,
    sending,
    violation,
)

STARTUP = {"type": "lifespan.startup"}
SHUTDOWN = {"type": "lifespan.shutdown"}
STARTED = {"type": "lifespan.startup.complete"}
FAILED = {"type": "lifespan.startup.failed", "message": "no database"}
STOPPED = {"type": "lifespan.shutdown.complete"}

APPLICATION: dict[str, tuple[list[Message], str, str]] = {
    "complete first": ([STARTED], "before lifespan.startup was received", "Startup Complete"),
    "complete twice": (
        [RECEIVE, STARTED, STARTED],
        "sent lifespan.startup.complete before lifespan.shutdown was received",
        "Startup Complete",
    ),
    "failed after complete": ([RECEIVE, STARTED, FAILED], "before lifespan", "Startup Failed"),
    "complete after failed": (
        [RECEIVE, FAILED, STARTED],
        "after its lifespan was over",
        "Startup Complete",
    ),
    "shutdown answered too early": (
        [RECEIVE, STOPPED],
        "sent lifespan.shutdown.complete where the end of the start-up is due",
        "Shutdown Complete",
    ),
    "start-up answered at shutdown": (
        [RECEIVE, STARTED, RECEIVE, STARTED],
        "where the end of the shutdown is due",
        "Startup Complete",
    ),
    "start-up not answered": ([RECEIVE], "returned where the end of the start-up is due", "Scope"),
    "shutdown not answered": (
        [RECEIVE, STARTED, RECEIVE],
        "returned where the end of the shutdown is due",
        "Scope",
    ),
    "message as bytes": (
        [RECEIVE, {**FAILED, "message": b""}],
        "'message' must be a Unicode string",
        "Startup Failed",
    ),
    "an HTTP message": ([RECEIVE, START], "sent http.response.start where", "Response Start"),
}


@pytest.mark.parametrize("name", APPLICATION)
def test_out_of_order(name: str) -> None:
    messages, what, section = APPLICATION[name]
    found = violation(sending(*messages), lifespan_scope(), [STARTUP, SHUTDOWN])
    assert found.culprit == "application"
    assert what in found.what
    assert f'"{section}"' in found.clause


@pytest.mark.parametrize(
    "messages",
    [
        [],
        [RECEIVE, STARTED],
        [RECEIVE, STARTED, RECEIVE, STOPPED],
        [RECEIVE, STARTED, RECEIVE, {"type": "lifespan.shutdown.failed"}],
        [RECEIVE, FAILED],
    ],
)
def test_lawful(messages: list[Message]) -> None:
    sent = [message for message in messages if message is not RECEIVE]
    assert call(validate(sending(*messages)), lifespan_scope(), [STARTUP, SHUTDOWN]) == sent


@pytest.mark.parametrize(
    ("delivered", "messages", "what"),
    [
        ([SHUTDOWN], [RECEIVE], "lifespan.shutdown before lifespan.startup was received"),
        ([STARTUP, STARTUP], [RECEIVE, RECEIVE], "lifespan.startup where the end of the start-up"),
        ([STARTUP, STARTUP], [RECEIVE, STARTED, RECEIVE], "lifespan.startup before lifespan.shut"),
        ([{"type": "http.request"}], [RECEIVE], "delivered http.request before"),
    ],
)
def test_what_a_server_delivers(
    delivered: list[Message], messages: list[Message], what: str
) -> None:
    found = violation(sending(*messages), lifespan_scope(), delivered)
    assert found.culprit == "server"
    assert what in found.what


def test_an_application_without_lifespan_raises_what_it_likes() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        raise NotImplementedError(scope["type"])

    with pytest.raises(NotImplementedError, match="lifespan"):
        call(validate(app), lifespan_scope())


def requesting(after: int, **scope: Any) -> str:
    """Call for a request inside of a lifespan; return whom that offends, and how.

    Args:
        after: how many messages the application sends in its lifespan before.
        **scope: changes of the request's.
    """
    answered: list[str] = []

    async def app(outer: Scope, receive: Receive, send: Send) -> None:
        if outer["type"] == "http":
            await sending(START, BODY)(outer, receive, send)
            return
        for number, message in enumerate([STARTED, STOPPED, None]):
            if number == after:
                await request()
            if message is not None:
                await receive()
                await send(message)

    validated = validate(app)

    async def request() -> None:
        server = Server()
        try:
            await validated(http_scope(**scope), server.receive, server.send)
        except ASGIViolation as found:
            answered.append(f"{found.culprit} {found.what} [{found.clause}]")

    server = Server([STARTUP, SHUTDOWN])
    anyio.run(validated, lifespan_scope(state=STATE), server.receive, server.send)
    return "; ".join(answered)


STATE: dict[str, Any] = {"pool": "open"}


def test_a_request_before_the_start_up_is_complete() -> None:
    assert "server called the application before lifespan.startup.complete" in requesting(0)


def test_a_request_while_the_application_is_up() -> None:
    assert requesting(1, state=dict(STATE)) == ""


def test_a_request_after_shutdown() -> None:
    assert "called the application after lifespan.shutdown" in requesting(2)


def test_a_request_that_gets_no_copy_of_the_state() -> None:
    assert "gave a request the lifespan's state itself" in requesting(1, state=STATE)


def test_a_request_after_a_failed_start_up() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send(FAILED)
        with pytest.raises(ASGIViolation, match=r"after lifespan\.startup\.failed"):
            await validated(http_scope(), receive, send)

    validated = validate(app)
    assert call(validated, lifespan_scope(), [STARTUP]) == [FAILED]
