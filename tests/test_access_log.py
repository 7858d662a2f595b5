"""The lines for responses and for rejected requests."""

from __future__ import annotations

import logging

import pytest

from esg.access_log import RejectionLog, log_access, shown_address
from esg.rules.request_head import RequestHead
from esg.rules.scope import Address


@pytest.mark.parametrize(
    ("client", "shown"),
    [
        (("127.0.0.1", 5), "127.0.0.1:5"),
        (("::1", 5), "[::1]:5"),
        (None, "unix"),
        (("/tmp/forged\nINFO: line", None), "unix"),
    ],
)
def test_shown_address(client: Address, shown: str) -> None:
    assert shown_address(client) == shown


@pytest.mark.parametrize(
    ("query", "target"), [(b"", "/a%20b"), (b"x=1&y", "/a%20b?x=1&y"), (b"?", "/a%20b??")]
)
def test_a_response(query: bytes, target: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "esg.access"):
        log_access(("127.0.0.1", 5), RequestHead("GET", "1.0", b"/a%20b", query), 204)
    assert caplog.messages == [f'127.0.0.1:5 - "GET {target} HTTP/1.0" 204']


def test_no_response_is_logged_where_nobody_wants_it(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "esg.access"):
        log_access(None, RequestHead("GET", "1.1", b"/", b""), 200)
    assert caplog.messages == []


def test_a_rejection(caplog: pytest.LogCaptureFixture) -> None:
    RejectionLog().log(("::1", 5), 400, "two Host fields")
    assert caplog.record_tuples == [
        ("esg", logging.WARNING, "[::1]:5 - rejected with 400: two Host fields")
    ]


def test_rejections_are_bounded_by_the_second(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 100.0
    monkeypatch.setattr("esg.access_log.time.monotonic", lambda: now)
    rejections = RejectionLog()
    for _ in range(RejectionLog.LINES_PER_SECOND + 7):
        rejections.log(None, 400, "bad")
    assert len(caplog.messages) == RejectionLog.LINES_PER_SECOND
    caplog.clear()
    now += 1
    rejections.log(None, 400, "bad")
    assert caplog.messages == [
        "7 more requests were rejected within one second",
        "unix - rejected with 400: bad",
    ]
