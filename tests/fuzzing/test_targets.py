"""Targets notice what is wrong: each is shown a fault of the kind that it is there for."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import pytest

from esg.errors import ProxyHeaderRejected
from tests.fuzzing.given import TAIL, Given, written
from tests.fuzzing.targets import target
from tests.rules.twins import find_twins

pytestmark = pytest.mark.skipif(
    len(find_twins("request_head")) < 2, reason="the fast implementation is not built"
)
GET = b"GET /a HTTP/1.1\r\nHost: a\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"


def module(name: str) -> Any:
    """Import the module of a target."""
    return import_module(f"tests.fuzzing.targets.{name}")


def test_input_is_a_stream_with_cuts_and_decisions() -> None:
    given = Given(written(b"abcdef", [2, 4], 3 + 5 * 7))
    assert given.pieces == [b"ab", b"cd", b"ef"]
    assert given.number(7) == 3
    assert given.one_of("abcdefg") == "f"
    assert given.number(9) == 0


def test_short_input_is_an_empty_stream() -> None:
    given = Given(b"\xff" * (TAIL - 1))
    assert given.stream == b""
    assert given.pieces == [b""]


def test_answer_that_depends_on_the_cuts(monkeypatch: pytest.MonkeyPatch) -> None:
    http_connection = module("http_connection")
    calls = []

    async def differing(receive: Any, send: Any) -> None:
        calls.append(receive)
        await http_connection.hello(receive, send) if len(calls) % 2 else None

    monkeypatch.setattr(http_connection, "BEHAVIOURS", [differing])
    with pytest.raises(AssertionError):
        http_connection.check(Given(written(GET)))


def test_answer_that_is_not_due(monkeypatch: pytest.MonkeyPatch) -> None:
    http_connection = module("http_connection")
    monkeypatch.setattr(http_connection, "READERS", {http_connection.silent: 200})
    monkeypatch.setattr(http_connection, "BEHAVIOURS", [http_connection.silent])
    with pytest.raises(AssertionError):
        http_connection.check(Given(written(POST)))


def test_application_that_never_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    http_connection = module("http_connection")

    async def stubborn(receive: Any, send: Any) -> None:
        await http_connection.SERVER.loop.create_future()

    monkeypatch.setattr(http_connection, "SERVER", http_connection.FastServer(ws="none"))
    monkeypatch.setattr(http_connection, "BEHAVIOURS", [stubborn])
    with pytest.raises(AssertionError, match="is left"):
        http_connection.check(Given(written(GET)))


def test_internal_error_of_the_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    http_connection = module("http_connection")
    fast_connection = import_module("tests.fuzzing.fast_connection")

    class Failing(fast_connection.ScriptedTransport):  # type: ignore[misc, name-defined]
        def write_eof(self) -> None:
            raise ValueError("a transport that fails")

    monkeypatch.setattr(fast_connection, "ScriptedTransport", Failing)
    with pytest.raises(AssertionError, match="a transport that fails"):
        http_connection.check(Given(written(b"\x16\x03\x01")))


class _Broken:
    """A twin that is not one."""

    LONGEST = 4096

    @staticmethod
    def read(data: bytes) -> object:
        raise ProxyHeaderRejected("always")


def test_twins_that_differ(monkeypatch: pytest.MonkeyPatch) -> None:
    proxy_protocol = module("proxy_protocol")
    twins = {**proxy_protocol.TWINS, "compiled": _Broken}
    monkeypatch.setattr(proxy_protocol, "TWINS", twins)
    with pytest.raises(AssertionError):
        proxy_protocol.check(Given(written(b"PROXY UNKNOWN\r\n")))


def test_request_that_was_not_encrypted(monkeypatch: pytest.MonkeyPatch) -> None:
    tls_opening = module("tls_opening")
    plain = import_module("tests.fuzzing.fast_connection").FastServer(ws="none")
    monkeypatch.setattr(tls_opening, "_server", lambda tls, proxied: plain)
    with pytest.raises(AssertionError):
        tls_opening.check(Given(written(GET, decisions=1)))


def test_answer_that_tls_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    tls_opening = module("tls_opening")

    class Deaf(tls_opening.Client):  # type: ignore[misc, name-defined]
        def send(self, data: bytes) -> None:
            super().send(data[:-1])

    monkeypatch.setattr(tls_opening, "Client", Deaf)
    with pytest.raises(AssertionError):
        tls_opening.check(Given(written(GET)))


def test_codec_that_says_something_else(monkeypatch: pytest.MonkeyPatch) -> None:
    frames = module("frames")
    monkeypatch.setattr(frames, "Reference", lambda deflate, limit: frames.OTHERS[0](None, 1))
    with pytest.raises((AssertionError, AttributeError)):
        frames.check(Given(written(b"\x82\x80\0\0\0\0")))


def test_line_that_is_two(monkeypatch: pytest.MonkeyPatch) -> None:
    access_log = module("access_log")
    monkeypatch.setattr(access_log, "shown_address", lambda client: "a\nb")
    with pytest.raises(AssertionError):
        access_log.check(Given(written(b"/")))


def test_unknown_target() -> None:
    with pytest.raises(ModuleNotFoundError):
        target("unknown")
