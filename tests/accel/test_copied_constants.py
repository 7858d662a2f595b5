"""Numbers that the fast driver copies from rules, since a .pxd cannot export a Python constant."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path

import pytest

ACCEL = Path(__file__).parents[2] / "esg" / "accel"

# Of which rule each enum of a file has its values.
COPIES = {
    ("http_protocol.pyx", "REUSE"): "persistence",
    ("http_sending.pyx", "AWAITING_START"): "http_exchange",
    ("http_sending.pyx", "UNTIL_CLOSE"): "response_head",
    ("tls_transport.pyx", "HANDSHAKE"): "tls_session",
    ("tls_transport.pyx", "END"): "tls_session",
    ("transport_connection.pxd", "IDLE"): "deadlines",
    ("websocket_codec.pyx", "TEXT"): "websocket_frames",
    ("websocket_frames.pyx", "TEXT"): "websocket_frames",
    ("websocket_sending.pyx", "OPEN"): "websocket_session",
    ("websocket_session.pyx", "CONNECTING"): "websocket_session",
    ("websocket_session.pyx", "NO_TIMER"): "websocket_session",
}
ENUM = re.compile(r"^cdef enum:\n((?:    .*\n)+)", re.MULTILINE)
VALUE = re.compile(r"^    (\w+) = (-?\w+)", re.MULTILINE)


def enums(file: str) -> dict[str, dict[str, int]]:
    """Return the enums of a file by the name of their first value."""
    found = {}
    for match in ENUM.finditer((ACCEL / file).read_text(encoding="utf-8")):
        values = {name: int(value, 0) for name, value in VALUE.findall(match[1])}
        found[next(iter(values))] = values
    return found


@pytest.mark.parametrize(("file", "first", "rule"), [(*key, rule) for key, rule in COPIES.items()])
def test_values(file: str, first: str, rule: str) -> None:
    constants = vars(import_module(f"esg.rules.{rule}"))
    copied = {name: value for name, value in enums(file)[first].items() if name in constants}
    assert first in copied
    assert copied == {name: constants[name] for name in copied}


def test_timers_of_websockets() -> None:
    """No rule knows another: the session's timers have the numbers of the deadlines' too."""
    deadlines = vars(import_module("esg.rules.deadlines"))
    session = vars(import_module("esg.rules.websocket_session"))
    timers = ("ACCEPT", "PING", "PONG", "CLOSE", "ANSWER")
    assert [session[name] for name in timers] == [deadlines[name] for name in timers]
    assert session["NO_TIMER"] == deadlines["NONE"]
