"""What differs from run to run by its nature, and is masked."""

from __future__ import annotations

from typing import Any

import pytest

from esg.testing.masking import Mask

SCOPE = {"client": ("127.0.0.1", 50123), "server": ["127.0.0.1", 8001]}


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("http://localhost:8001/a", "http://localhost:<port>/a"),
        ("127.0.0.1:50123", "127.0.0.1:<port>"),
        ("[::1]:8001", "[::1]:<port>"),
        ("example.:8001", "example.:<port>"),
        ("80010 8001 a:80011 a: 8001", "80010 8001 a:80011 a: 8001"),
        ("Sun, 06 Nov 1994 08:49:37 GMT!", "<date>!"),
        ("Sun, 6 Nov 1994", "Sun, 6 Nov 1994"),
        ("scope   Sec-WebSocket-Key: dGhlIHNhbXBsZQ==", "scope   Sec-WebSocket-Key: <key>"),
        ("id 4f2e", "id <masked>"),
    ],
)
def test_masks(text: str, masked: str) -> None:
    mask = Mask(SCOPE, [r"\b[0-9a-f]{4}$"] if text.startswith("id") else ())
    assert mask.text(text) == masked
    assert mask.octets(b"\xe9" + text.encode()) == b"\xe9" + masked.encode()


@pytest.mark.parametrize(
    "scope", [{}, {"client": None, "server": ("/run/app.sock", None)}, {"server": "odd"}]
)
def test_a_scope_without_ports(scope: dict[str, Any]) -> None:
    assert Mask(scope).text("localhost:8001") == "localhost:8001"
