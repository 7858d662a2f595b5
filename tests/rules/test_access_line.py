"""The default line of the access log."""

from __future__ import annotations

from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.rules.twins import find_twins, rule

access_line = rule("access_line")

ZONE = "fe80::1%\x1b[2J"  # a name that a peer has chosen


@pytest.mark.parametrize(
    ("client", "shown"),
    [
        (("127.0.0.1", 5), "127.0.0.1:5"),
        (("::1", 5), "[::1]:5"),
        ((ZONE, 5), r"['fe80::1%\x1b[2J']:5"),
        (None, "unix"),
        (("/tmp/forged\nINFO: line", None), "unix"),
    ],
)
def test_shown_address(
    access_line: ModuleType, client: tuple[str, int | None] | None, shown: str
) -> None:
    assert access_line.shown_address(client) == shown


@pytest.mark.parametrize(
    ("target", "shown"),
    [
        (b"/a%20b", "/a%20b"),
        (b"/a?x=1&y", "/a?x=1&y"),
        (b'/a?"200\\', r"/a?\x22200\x5c"),
    ],
)
def test_a_line(access_line: ModuleType, target: bytes, shown: str) -> None:
    line = access_line.access_line(("127.0.0.1", 5), "GET", target, "1.0", 204)
    assert line == f'127.0.0.1:5 - "GET {shown} HTTP/1.0" 204'


@given(st.binary())
def test_what_is_escaped_is_one_line_of_ascii(value: bytes) -> None:
    for twin in find_twins("access_line").values():
        shown = twin.escaped(value)
        assert shown.isascii()
        assert shown.isprintable()
        assert '"' not in shown


def test_escapes(access_line: ModuleType) -> None:
    assert access_line.escaped(b'a"\\\x1b[31m\r\n\xe9 ~') == r"a\x22\x5c\x1b[31m\x0d\x0a\xe9 ~"
