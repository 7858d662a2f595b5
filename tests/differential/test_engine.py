"""What finds differences: it can fail, and says where."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from esg.rules.request_head import HeadLimits
from tests.conformance.cases.websocket_build import handshake, ping
from tests.differential import rows
from tests.differential.example import Example
from tests.differential.report import complaints, disagreement
from tests.differential.rows import LIMITS, Answer, Rows, rows_here
from tests.differential.walk import walk, walk_session

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n"
CHUNKED = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.fixture(scope="module")
def unequal() -> Iterator[Rows]:
    """Return two rows of which one lacks a field in its answers."""
    first, second = rows_here()[:2]
    running = Rows([first, replace(second, command=(*second.command, "--no-server-header"))])
    yield running
    running.close()


def test_difference_of_bytes_is_found(unequal: Rows) -> None:
    example = Example(GET)
    report = disagreement(example, unequal.answers(example))
    assert report
    assert "server: esg" in report
    assert r"GET / HTTP/1.1\r\n" in report
    assert Example.of_word(report.partition(" again ")[2].split()[0]) == example


def test_difference_from_the_rules_is_found(unequal: Rows, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "LIMITS", HeadLimits(512, 10, 100, 0))
    example = Example(GET[:-2] + b"X: " + b"x" * 600 + b"\r\n\r\n", ends=False)
    report = complaints(example, unequal.answers(example))
    assert report
    assert "the responses are [200, 200], by the rules [431]" in report


def test_answers_alike_have_no_report() -> None:
    example = Example(GET)
    assert disagreement(example, {"a": Answer(["200"]), "b": Answer(["200"])}) is None
    assert complaints(example, {"a": Answer(["200"])}) is None


def test_example_is_one_word() -> None:
    example = Example(b"\x00\r\n\xff", (1, 2), ("hello", "echo"), False)
    assert Example.of_word(example.word()) == example
    assert len(example.word().split()) == 1
    assert example.pieces == [b"\x00", b"\r", b"\n\xff"]


@pytest.mark.parametrize(
    ("data", "heads", "rejected", "in_content", "unfinished"),
    [
        (b"", 0, 0, False, False),
        (b"\r\n", 0, 0, False, False),
        (GET * 3, 3, 0, False, False),
        (GET + POST + b"abc" + GET, 3, 0, False, False),
        (GET + b"GET /", 1, 0, False, True),
        (POST + b"ab", 1, 0, True, True),
        (CHUNKED + b"3\r\nabc\r\n0\r\n\r\n" + GET, 2, 0, False, False),
        (CHUNKED + b"3\r\nab", 1, 0, True, True),
        (CHUNKED + b"x\r\n" + GET, 1, 400, True, False),
        (GET + b"GET / HTTP/2.0\r\n\r\n" + GET, 1, 505, False, False),
        (GET.replace(b"1.1", b"1.0") + GET, 1, 0, False, False),
        (GET[:-2] + b"Connection: x, Close\r\n\r\n" + GET, 1, 0, False, False),
    ],
)
def test_walk(data: bytes, heads: int, rejected: int, in_content: bool, unfinished: bool) -> None:
    found = walk(data, LIMITS)
    assert len(found.heads) == heads
    assert (found.rejected, found.in_content) == (rejected, in_content)
    assert found.unfinished == unfinished


@pytest.mark.parametrize(
    ("data", "heads", "unfinished"),
    [
        (handshake(), 1, False),
        (handshake() + ping(b"a") * 2, 1, False),
        (handshake() + ping(b"a")[:-1], 1, True),
        (handshake()[:-1], 0, True),
        (b"\r", 0, True),
    ],
)
def test_walk_over_a_session(data: bytes, heads: int, unfinished: bool) -> None:
    found = walk_session(data, LIMITS)
    assert (len(found.heads), found.unfinished) == (heads, unfinished)
