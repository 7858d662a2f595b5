"""What validation does to a call: how it ends it, whom it blames, and what nobody can swallow."""

from __future__ import annotations

import pickle
from collections.abc import Awaitable, Callable

import anyio
import pytest

from esg.asgi import ASGIApp, Message, Receive, Scope, Send
from esg.testing import ASGIViolation, validate
from esg.testing.violation import collect_violations
from tests.testing.calls import (
    BODY,
    MORE,
    RECEIVE,
    REQUEST,
    START,
    Server,
    call,
    http_scope,
    sending,
    violation,
    websocket_scope,
)

BAD = {"type": "http.response.start", "status": "200"}


def test_a_violation_says_who_what_where_and_why() -> None:
    assert str(violation(sending(BAD), http_scope())) == (
        "the application sent http.response.start: 'status' must be an int, got '200' (GET /é)"
        ' [ASGI HTTP & WebSocket 2.5, HTTP, "Response Start"]'
    )
    assert str(ASGIViolation("server", "did it", "clause")) == "the server did it [clause]"


def test_a_violation_can_be_sent_to_another_process() -> None:
    found = ASGIViolation("server", "did it", "clause", "GET /")
    assert str(pickle.loads(pickle.dumps(found))) == str(found)


def test_what_is_forbidden_does_not_reach_the_server() -> None:
    server = Server()
    with pytest.raises(ASGIViolation):
        server.call(validate(sending(START, BAD)), http_scope())
    assert server.sent == [START]


def test_a_violation_is_the_end_of_its_call() -> None:
    server = Server([REQUEST])

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        with pytest.raises(ASGIViolation) as first:
            await send(BAD)
        for again in (lambda: send(START), receive):
            with pytest.raises(ASGIViolation) as found:
                await again()
            assert found.value is first.value

    validated = validate(app)
    with pytest.raises(ASGIViolation):
        server.call(validated, http_scope())
    assert server.sent == []
    assert len(validated.violations) == 1


def test_other_calls_go_on() -> None:
    validated = validate(lambda *call: (sending(BAD) if call[0]["path"] == "/bad" else GOOD)(*call))
    with pytest.raises(ASGIViolation):
        call(validated, http_scope(path="/bad"))
    assert call(validated, http_scope()) == [START, BODY]


GOOD = sending(START, BODY)


def test_a_swallowed_violation_is_raised_at_the_end() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await send(BAD)
        except Exception:
            return

    assert "'status'" in violation(app, http_scope()).what


def test_an_error_of_the_application_passes() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        raise LookupError("mine")

    validated = validate(app)
    with pytest.raises(LookupError, match="mine"):
        call(validated, http_scope())
    assert validated.violations == []


def test_what_an_application_returns_passes() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> str:
        await GOOD(scope, receive, send)
        return "a value"

    assert Server().call(validate(app), http_scope()) == "a value"


def test_violations_are_collected_whatever_becomes_of_them() -> None:
    with collect_violations() as outer, collect_violations() as inner:
        found = violation(sending(BAD), http_scope())
    violation(sending(BAD), http_scope())
    assert outer == inner == [found]


def test_a_server_that_is_not_to_be_judged() -> None:
    scope = {"type": "http", "method": "get"}
    delivered = ["no message", REQUEST]
    app = validate(sending(RECEIVE, RECEIVE, START, BODY), server=False)
    assert call(app, scope, delivered) == [START, BODY]
    assert app.violations == []
    assert "'status'" in violation(sending(BAD), scope, server=False).what


def test_a_server_that_is_not_to_be_judged_may_make_strange_scopes() -> None:
    assert call(validate(sending(START), server=False), {"kind": "http"}) == [START]


async def _at_once(*calls: Callable[[], Awaitable[object]]) -> None:
    async def run(function: Callable[[], Awaitable[object]]) -> None:
        await function()

    async with anyio.create_task_group() as tasks:
        for function in calls:
            tasks.start_soon(run, function)


def at_once(*messages: Message, before: tuple[Message, ...] = ()) -> ASGIApp:
    """Return an application that sends several messages at once, or receives where RECEIVE is."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await sending(*before)(scope, receive, send)
        steps = [receive if m is RECEIVE else (lambda m=m: send(m)) for m in messages]
        await _at_once(*steps)

    return app


def violation_in_group(app: ASGIApp, scope: Scope, delivered: list[Message]) -> ASGIViolation:
    validated = validate(app, strict=True)
    with pytest.raises(ExceptionGroup):
        call(validated, scope, delivered)
    return validated.violations[0]


def test_two_receives_at_once() -> None:
    found = violation_in_group(at_once(RECEIVE, RECEIVE), http_scope(), [REQUEST, REQUEST])
    assert "called receive() while another receive() waited" in found.what


def test_two_sends_at_once() -> None:
    found = violation_in_group(at_once(MORE, BODY, before=(START,)), http_scope(), [])
    assert "while the send() of http.response.body waits" in found.what


def test_a_receive_beside_a_send() -> None:
    app = validate(at_once(BODY, RECEIVE, before=(START,)), strict=True)
    assert call(app, http_scope(), [{"type": "http.disconnect"}]) == [START, BODY]


CONNECT = {"type": "websocket.connect"}
ACCEPT = {"type": "websocket.accept"}
TEXT = {"type": "websocket.send", "text": "a"}


def test_websocket_messages_at_once() -> None:
    app = at_once(TEXT, TEXT, {"type": "websocket.close"}, before=(RECEIVE, ACCEPT))
    assert len(call(validate(app, strict=True), websocket_scope(), [CONNECT])) == 4


def test_a_websocket_message_beside_its_accept() -> None:
    app = at_once(ACCEPT, TEXT, before=(RECEIVE,))
    found = violation_in_group(app, websocket_scope(), [CONNECT])
    assert "sent websocket.send while the send() of websocket.accept waits" in found.what


def test_receive_may_be_cancelled_and_called_again() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        with anyio.move_on_after(0) as timeout:
            await receive()
        assert timeout.cancelled_caught
        await receive()
        await GOOD(scope, receive, send)

    assert call(validate(app, strict=True), http_scope(), [REQUEST]) == [START, BODY]


def test_only_strict_validation_minds_what_the_specification_leaves_undefined() -> None:
    delivered = [{**REQUEST, "more_body": True}, REQUEST]
    app = at_once(RECEIVE, RECEIVE, before=(START, BODY))
    assert call(validate(app, server=False), http_scope(), delivered) == [START, BODY]
    app = at_once(MORE, MORE, before=(START,))
    validated = validate(app)
    with pytest.raises(ASGIViolation, match="returned after"):
        call(validated, http_scope())
    assert len(validated.violations) == 1


@pytest.mark.parametrize("function", ["receive", "send"])
def test_use_after_the_application_has_returned(function: str) -> None:
    kept: list[tuple[Receive, Send]] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await GOOD(scope, receive, send)
        kept.append((receive, send))

    validated = validate(app)
    call(validated, http_scope())
    receive, send = kept[0]

    async def use() -> None:
        await (receive() if function == "receive" else send(BODY))

    with pytest.raises(ASGIViolation, match=rf"called {function}\(\) after it had returned"):
        anyio.run(use)
    assert len(validated.violations) == 1


def test_one_scope_for_two_calls() -> None:
    scope = http_scope()

    async def app(inner: Scope, receive: Receive, send: Send) -> None:
        await GOOD(inner, receive, send)
        with pytest.raises(ASGIViolation, match="called the application twice with one scope"):
            await validated(scope, receive, send)

    validated = validate(app)
    call(validated, scope)
    assert [found.culprit for found in validated.violations] == ["server"]


@pytest.mark.parametrize("name", ["path", "router", "headers"])
def test_a_changed_scope(name: str) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if name == "headers":
            scope["headers"].append((b"a", b"b"))
        else:
            scope[name] = "/"
        await GOOD(scope, receive, send)

    found = violation(app, http_scope(), strict=True)
    assert found.what == f"changed {name!r} of its scope, not of a copy"
    assert found.clause == 'ASGI 3.0, "Middleware"'
    assert call(validate(app), http_scope()) == [START, BODY]


def test_a_scope_that_is_copied() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        scope["state"]["mine"] = True
        await GOOD({**scope, "path": "/"}, receive, send)

    assert call(validate(app, strict=True), http_scope()) == [START, BODY]
