"""How trailers and early hints look on the wire, and what may not be one."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest

from esg.errors import MessageError
from tests.rules.responses import defaults
from tests.rules.twins import rule

response_head = rule("response_head")
LENGTH = (b"content-length", b"3")


def started(
    response_head: ModuleType,
    *headers: tuple[bytes, bytes],
    method: str = "GET",
    status: int = 200,
    takes: bool = True,
    http_version: str = "1.1",
) -> Any:
    """Start a response with trailers."""
    response = response_head.Http1Response(http_version, True, defaults(response_head), takes)
    plan = response_head.plan(method, status, headers)
    plan.trailers = True
    response.start(plan)
    return response


def test_trailers(response_head: ModuleType) -> None:
    response = started(response_head, (b"trailer", b"x-sum"))
    assert response.trailers_due
    assert b"transfer-encoding: chunked\r\n" in response.head()
    assert response.trailers([(b"X-Sum", b"9")], False) == b"0\r\nX-Sum: 9\r\n"
    assert response.trailers([], False) == b""
    assert response.trailers([(b"x-b", b"1"), (b"x-c", b"")], True) == b"x-b: 1\r\nx-c: \r\n\r\n"


def test_no_trailers(response_head: ModuleType) -> None:
    assert started(response_head).trailers([], True) == b"0\r\n\r\n"


def test_a_length_gives_way(response_head: ModuleType) -> None:
    head = started(response_head, LENGTH, (b"x-a", b"1")).head()
    assert b"content-length" not in head
    assert b"transfer-encoding: chunked\r\n" in head
    assert b"x-a: 1\r\n" in head


@pytest.mark.parametrize(
    "details",
    [{"takes": False}, {"method": "HEAD"}, {"status": 204}, {"status": 304}],
)
def test_trailers_have_no_place(response_head: ModuleType, details: dict[str, Any]) -> None:
    response = started(response_head, LENGTH, **details)
    assert not response.trailers_due
    assert b"chunked" not in response.head()


@pytest.mark.parametrize(
    "name",
    [b"Content-Length", b"transfer-encoding", b"host", b"Set-Cookie", b"authorization", b"trailer"],
)
def test_what_is_no_trailer(response_head: ModuleType, name: bytes) -> None:
    response = started(response_head)
    with pytest.raises(MessageError, match="is no trailer"):
        response.trailers([(b"x-a", b"1"), (name, b"1")], True)
    assert response.trailers([], True) == b"0\r\n\r\n", "nothing of it was kept"


def test_trailers_are_checked(response_head: ModuleType) -> None:
    response = started(response_head)
    with pytest.raises(MessageError):
        response.trailers([(b"x-a", b"1\r\nx-b: 2")], True)
    with pytest.raises(TypeError):
        response.trailers([("x-a", "1")], True)


def test_early_hint(response_head: ModuleType) -> None:
    response = started(response_head)
    wanted = b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\nlink: </b>\r\n\r\n"
    assert response.early_hint([b"</a>", b"</b>"]) == wanted


def test_early_hint_is_checked(response_head: ModuleType) -> None:
    response = started(response_head)
    with pytest.raises(MessageError):
        response.early_hint([b"</a>\r\nx: y"])
    with pytest.raises(TypeError):
        response.early_hint(["</a>"])


def test_http_1_0_has_no_interim_responses(response_head: ModuleType) -> None:
    assert started(response_head, http_version="1.0").early_hint([b"</a>"]) == b""


def declared(
    response_head: ModuleType,
    *headers: tuple[bytes, bytes],
    method: str = "GET",
    status: int = 200,
    http_version: str = "1.1",
) -> Any:
    """Start a response and declare its length, as for a file."""
    response = response_head.Http1Response(http_version, True, defaults(response_head))
    response.start(response_head.plan(method, status, headers))
    response.declare_length(3)
    return response


@pytest.mark.parametrize("http_version", ["1.0", "1.1"])
def test_a_declared_length_frames(response_head: ModuleType, http_version: str) -> None:
    response = declared(response_head, http_version=http_version)
    head = response.head()
    assert b"\r\ncontent-length: 3\r\n" in head
    assert b"chunked" not in head
    assert response.frame(b"abc", True) == [b"abc"]
    assert response.keep_alive


def test_a_declared_length_of_head(response_head: ModuleType) -> None:
    response = declared(response_head, method="HEAD")
    assert b"\r\ncontent-length: 3\r\n" in response.head()
    assert response.frame(b"abc", True) == []


def test_the_application_s_length_stays(response_head: ModuleType) -> None:
    assert declared(response_head, (b"Content-Length", b"5")).head().lower().count(b"length") == 1


@pytest.mark.parametrize("status", [204, 304])
def test_no_length_is_declared_without_content(response_head: ModuleType, status: int) -> None:
    """RFC 9110 section 8.6: of a 304 only the application knows the length."""
    assert b"length" not in declared(response_head, status=status).head()


def test_a_declared_length_gives_way_to_trailers(response_head: ModuleType) -> None:
    response = started(response_head)
    response.declare_length(3)
    head = response.head()
    assert b"length" not in head
    assert b"transfer-encoding: chunked\r\n" in head
