"""What a line of the access log says, and that no client can make it say more."""

from __future__ import annotations

import json
import os
import re
from typing import Any

import pytest

from esg.access_format import PRESETS, AccessEntry, compile_format, header_value

FACTS: dict[str, Any] = {
    "host": "127.0.0.1",
    "peer": "127.0.0.1:5",
    "method": "GET",
    "target": b"/a?x=1",
    "http_version": "1.1",
    "request_headers": [(b"user-agent", b"curl"), (b"referer", b"http://there/")],
    "status": 200,
    "response_headers": [(b"Content-Type", b"text/plain"), (b"x-two", b"a"), (b"X-Two", b"b")],
    "size": 12,
    "duration": 1.5,
    "ended": 1_700_000_000.25,
}


def render(text: str, **facts: Any) -> str:
    return compile_format(text)(AccessEntry(**(FACTS | facts)))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("%(h)s %(l)s %(u)s", "127.0.0.1 - -"),
        ("%(r)s", "GET /a?x=1 HTTP/1.1"),
        ("%(m)s|%(U)s|%(q)s|%(H)s", "GET|/a|x=1|HTTP/1.1"),
        ("%(s)s %(B)s %(b)s", "200 12 12"),
        ("%(f)s %(a)s", "http://there/ curl"),
        ("%(T)s %(M)s %(D)s %(L)s", "1 1500 1500000 1.500000"),
        ("%({User-Agent}i)s %({none}i)s", "curl -"),
        ("%({content-type}o)s %({x-two}o)s", "text/plain a, b"),
        ("100 %% %(s)s", "100 % 200"),
        ('%(client_addr)s - "%(request_line)s" %(status_code)s', None),
        ("default", '127.0.0.1:5 - "GET /a?x=1 HTTP/1.1" 200'),
    ],
)
def test_atoms(text: str, said: str | None) -> None:
    assert render(text) == (said or render("default"))


def test_process_and_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STAGE", "canary")
    assert render("%(p)s %({STAGE}e)s %({ABSENT_HERE}e)s") == f"<{os.getpid()}> canary -"


def test_no_content_is_a_dash_in_the_common_format() -> None:
    assert render("%(b)s %(B)s", size=0) == "- 0"


def test_combined() -> None:
    wanted = (
        r"127\.0\.0\.1 - - \[\d\d/\w{3}/2023:\d\d:\d\d:\d\d [+-]\d{4}\] "
        r'"GET /a\?x=1 HTTP/1\.1" 200 12 "http://there/" "curl"'
    )
    assert re.fullmatch(wanted, render("combined"))


@pytest.mark.parametrize(
    ("value", "user"),
    [
        (b"Basic YW5uYTpzZWNyZXQ=", "anna"),
        (b"basic YW5uYTpzZWNyZXQ=", "anna"),
        (b"Basic YQpiOmM=", "a\\x0ab"),
        (b"Basic OnNlY3JldA==", "-"),
        (b"Basic no base64!", "-"),
        (b"Bearer YW5uYTpzZWNyZXQ=", "-"),
        (b"", "-"),
    ],
)
def test_user(value: bytes, user: str) -> None:
    assert render("%(u)s", request_headers=[(b"authorization", value)]) == user


def test_json() -> None:
    assert json.loads(render("json")) == {
        "time": "2023-11-14T22:13:20.250Z",
        "client": "127.0.0.1:5",
        "request_line": "GET /a?x=1 HTTP/1.1",
        "method": "GET",
        "path": "/a",
        "query_string": "x=1",
        "http_version": "1.1",
        "status": 200,
        "bytes": 12,
        "duration": 1.5,
        "user_agent": "curl",
    }


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "must be one of default, common, combined, json, or have atoms such as %(r)s"),
        ("apache", "must be one of default, common, combined, json, or have atoms"),
        ("%(r)s %(nothing)s", "must not have the unknown atom %(nothing)s; known: h, l, u"),
        ("%(r)s 5 % of", "must have %% for a percent sign that begins no atom"),
        ("%(r)d", "must have %% for a percent sign"),
        ("%h %r", "must have %% for a percent sign"),
    ],
)
def test_wrong_formats(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=re.escape(said)):
        compile_format(text)


def test_header_values_are_escaped_and_joined() -> None:
    assert header_value([(b"A", b"\n"), (b"a", b"x")], b"a") == r"\x0a, x"


@pytest.mark.parametrize("text", [*PRESETS, "json"])
def test_no_format_lets_a_client_forge_a_line(text: str) -> None:
    headers = [(b"user-agent", b"x\r\nforged\x1b"), (b"referer", b"\x00\n")]
    shown = render(text, request_headers=headers)
    assert shown.isprintable()
