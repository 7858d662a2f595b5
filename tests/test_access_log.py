"""The lines for responses and for rejected requests."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from esg.access_log import AccessLog, RejectionLog, shown_address
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


CLIENT = ("127.0.0.1", 5)
HEAD = RequestHead("GET", "1.1", b"/", b"")


@pytest.mark.parametrize(
    ("query", "target"),
    [
        (b"", "/a%20b"),
        (b"x=1&y", "/a%20b?x=1&y"),
        (b"?", "/a%20b??"),
        (b'"200\\', r"/a%20b?\x22200\x5c"),
    ],
)
def test_a_response(query: bytes, target: str, caplog: pytest.LogCaptureFixture) -> None:
    access_log = AccessLog()
    assert not access_log.detailed
    with caplog.at_level(logging.INFO, "esg.access"):
        access_log.log(CLIENT, RequestHead("GET", "1.0", b"/a%20b", query), Answered(204))
    assert caplog.messages == [f'127.0.0.1:5 - "GET {target} HTTP/1.0" 204']


@dataclass
class Answered:
    """A response that is over."""

    status: int = 200
    sent: int = 7


def log_details(access_log: AccessLog, client: Address = CLIENT, path: bytes = b"/") -> None:
    head = RequestHead("GET", "1.1", path, b"")
    head.headers = [(b"user-agent", b"curl\x1b")]
    began = time.perf_counter() - 0.25
    access_log.log(client, head, Answered(), [(b"X-Answer", b"42")], began)


@pytest.mark.parametrize(("client", "host"), [(CLIENT, "127.0.0.1"), (None, "unix")])
def test_a_response_in_a_format_of_ones_own(
    client: Address, host: str, caplog: pytest.LogCaptureFixture
) -> None:
    access_log = AccessLog("%(h)s %(B)s %(T)s %({X-Answer}o)s %(a)s")
    assert access_log.detailed
    with caplog.at_level(logging.INFO, "esg.access"):
        log_details(access_log, client)
    assert caplog.messages == [f"{host} 7 0 42 curl\\x1b"]


def test_a_record_has_its_fields(caplog: pytest.LogCaptureFixture) -> None:
    access_log = AccessLog(with_fields=True)
    assert access_log.detailed
    with caplog.at_level(logging.INFO, "esg.access"):
        log_details(access_log)
    (record,) = caplog.records
    assert record.getMessage() == '127.0.0.1:5 - "GET / HTTP/1.1" 200'
    assert (record.status, record.bytes) == (200, 7)  # type: ignore[attr-defined]
    assert record.user_agent == "curl\\x1b"  # type: ignore[attr-defined]
    assert record.duration >= 0.25  # type: ignore[attr-defined]


def test_excluded_paths(caplog: pytest.LogCaptureFixture) -> None:
    access_log = AccessLog("%(U)s", exclude=["/health", "/static/*"])
    with caplog.at_level(logging.INFO, "esg.access"):
        for path in (b"/health", b"/healthy", b"/static/a/b.css", b"/static", b"/x/health"):
            log_details(access_log, path=path)
            access_log.log(CLIENT, RequestHead("GET", "1.1", path, b""), Answered())
    assert caplog.messages[::2] == ["/healthy", "/static", "/x/health"]
    assert len(caplog.messages) == 6


@pytest.mark.parametrize("log", [log_details, lambda access: access.log(None, HEAD, Answered())])
def test_no_response_is_logged_where_nobody_wants_it(
    log: Callable[[AccessLog], None], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "esg.access"):
        log(AccessLog())
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
