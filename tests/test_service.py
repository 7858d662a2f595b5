"""What a driver is given: limits, default fields, counts, and the wish to stop."""

from __future__ import annotations

import contextvars
import logging
import time
from typing import Any

import pytest

from esg.asgi import Receive, Scope, Send
from esg.config import Config
from esg.service import Service

pytestmark = pytest.mark.anyio


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Do nothing."""


def service(**settings: Any) -> Service:
    return Service(
        app=app,
        config=Config(app, **settings),
        listeners=[],
        state={},
        context=contextvars.copy_context(),
        server_info={},
        on_serving=lambda: None,
    )


def is_saturated(made: Service) -> bool:
    return made.saturated


def is_stopping(made: Service) -> bool:
    return made.stopping


async def test_rules_get_the_settings() -> None:
    made = service(
        limit_head_size=300,
        limit_fields=4,
        limit_target_size=5,
        limit_body_size=6,
        timeout_headers=1,
        timeout_keep_alive=2,
        timeout_body=3,
        timeout_write=4,
    )
    limits, timeouts = made.limits, made.timeouts
    assert (limits.head_size, limits.fields, limits.target_size, limits.body_size) == (300, 4, 5, 6)
    assert (timeouts.head, timeouts.idle, timeouts.body, timeouts.write) == (1, 2, 3, 4)


async def test_concurrency_counts_requests_in_flight() -> None:
    made = service(limit_concurrency=2)
    made.request_started()
    assert not is_saturated(made)
    made.request_started()
    assert is_saturated(made)
    made.request_ended()
    assert not is_saturated(made)


async def test_no_limit_is_never_reached() -> None:
    made = service()
    for _ in range(100):
        made.request_started()
    assert not made.saturated
    assert not made.stopping


async def test_stops_with_the_last_allowed_request(caplog: pytest.LogCaptureFixture) -> None:
    made = service(limit_max_requests=2)
    with caplog.at_level(logging.INFO, "esg"):
        made.request_started()
        assert not is_stopping(made)
        made.request_started()
        assert is_stopping(made)
        made.request_started()
    assert caplog.messages == ["Stopping after 2 requests (--limit-max-requests)"]


async def test_date_is_of_this_second(monkeypatch: pytest.MonkeyPatch) -> None:
    made = service()
    now = 784_111_777.9
    monkeypatch.setattr(time, "time", lambda: now)
    first = made.default_fields()
    assert b"Sun, 06 Nov 1994 08:49:37 GMT" in _bytes(first)
    now += 0.5
    assert b"08:49:38 GMT" in _bytes(made.default_fields())


def _bytes(fields: Any) -> bytes:
    from esg.rules.response_head import error_response  # noqa: PLC0415 - for this check alone

    return bytes(error_response("GET", 500, fields, ()))


async def test_late_messages_are_told_of_once(caplog: pytest.LogCaptureFixture) -> None:
    made = service()
    made.late_message()
    made.late_message()
    assert len(caplog.messages) == 1


async def test_rejections_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    service().rejected(("127.0.0.1", 5), 400, "bad")
    assert caplog.messages == ["127.0.0.1:5 - rejected with 400: bad"]


async def test_who_is_one_of_several_says_that_it_has_had_enough() -> None:
    made = service(limit_max_requests=2)
    reasons: list[str] = []
    made.on_enough = reasons.append
    for _ in range(5):
        made.request_started()
    assert reasons == ["it has had 2 requests (--limit-max-requests)"]
    assert not made.stopping


async def test_the_jitter_is_drawn_for_each() -> None:
    drawn = set()
    for _ in range(50):
        made = service(limit_max_requests=5, limit_max_requests_jitter=3)
        while not is_stopping(made):
            made.request_started()
        drawn.add(made._requests)
    assert drawn <= {5, 6, 7, 8}
    assert len(drawn) > 1


async def test_retirement_is_a_stop_that_leaves_idle_connections() -> None:
    made = service()
    made.retire()
    assert is_stopping(made)
    assert not closes_idle(made)
    made.end_idle()
    assert closes_idle(made)
    assert made.idle_over.is_set()
    made.retire()  # too late
    assert closes_idle(made)


def closes_idle(made: Service) -> bool:
    return made.closes_idle
