"""The lines for responses and for rejected requests."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import pytest

from esg.access_format import JSON
from esg.access_log import AccessLog, RejectionLog
from esg.logs import access_logger, configure, logger
from esg.rules.request_head import RequestHead
from esg.rules.scope import Address

CLIENT = ("127.0.0.1", 5)
HEAD = RequestHead("GET", "1.1", b"/", b"")


def test_a_response(caplog: pytest.LogCaptureFixture) -> None:
    """The record's arguments are what formatters made for uvicorn's access log take apart."""
    access_log = AccessLog()
    assert not access_log.detailed
    with caplog.at_level(logging.INFO, "esg.access"):
        access_log.log(CLIENT, RequestHead("GET", "1.0", b"/a", b"x=1"), Answered(204))
    assert caplog.messages == ['127.0.0.1:5 - "GET /a?x=1 HTTP/1.0" 204']
    assert caplog.records[0].args == ("127.0.0.1:5", "GET", "/a?x=1", "1.0", 204)


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
    assert record.args == ("127.0.0.1:5", "GET", "/", "1.1", 200)
    assert (record.status, record.bytes) == (200, 7)  # type: ignore[attr-defined]
    assert record.user_agent == "curl\\x1b"  # type: ignore[attr-defined]
    assert record.duration >= 0.25  # type: ignore[attr-defined]


@pytest.fixture
def written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], list[str]]]:
    """Return what tells the lines that ESG's own handlers have written; `configure` makes those."""
    before = [(g, g.handlers, g.level, g.propagate) for g in (logger, access_logger)]
    with (tmp_path / "log").open("w", encoding="utf-8") as stream:
        monkeypatch.setattr("esg.logs.sys", SimpleNamespace(stderr=stream, stdout=stream))
        yield lambda: (tmp_path / "log").read_text("utf-8").splitlines()
    for target, handlers, level, propagate in before:
        target.handlers = handlers
        target.setLevel(level)
        target.propagate = propagate


LINE = 'INFO:     127.0.0.1:5 - "GET / HTTP/1.1" 200'


def test_a_line_without_a_record(
    written: Callable[[], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    configure("info", access_log=True, use_colors=False)
    monkeypatch.setattr(access_logger, "makeRecord", None)
    AccessLog().log(CLIENT, HEAD, Answered())
    AccessLog(JSON).log(CLIENT, HEAD, Answered())
    assert written()[0] == LINE
    assert '"path": "/"' in written()[1]


def test_the_same_line_by_a_record(written: Callable[[], list[str]]) -> None:
    configure("info", access_log=True, use_colors=False)
    seen: list[logging.LogRecord] = []

    def see(record: logging.LogRecord) -> bool:
        seen.append(record)
        return True

    access_logger.addFilter(see)
    try:
        AccessLog().log(CLIENT, HEAD, Answered())
    finally:
        access_logger.removeFilter(see)
    assert len(seen) == 1
    assert written() == [LINE]


def test_lines_that_are_held(written: Callable[[], list[str]]) -> None:
    configure("info", access_log=True, use_colors=False)
    access_log = AccessLog()
    assert access_log.holds_lines
    held = access_log.hold()
    assert held is not None
    held.extend(["one", "two"])
    assert written() == []
    access_log.log(CLIENT, HEAD, Answered())
    assert written() == ["INFO:     one", "INFO:     two", LINE], "what came first is first"
    held.append("three")
    access_log.write_held()
    access_log.write_held()
    assert written()[3:] == ["INFO:     three"]


def test_no_lines_are_held_where_records_are_looked_at(caplog: pytest.LogCaptureFixture) -> None:
    assert AccessLog().hold() is None
    AccessLog().write_held()
    assert caplog.messages == []


@pytest.mark.parametrize("log", [AccessLog(JSON), AccessLog(exclude=["/x"]), AccessLog("%(h)s")])
def test_formats_whose_lines_are_not_held(log: AccessLog) -> None:
    assert not log.holds_lines


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
