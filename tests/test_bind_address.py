"""What --bind takes."""

from __future__ import annotations

import pytest

from esg.bind_address import BindAddress, parse_bind


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1:80", BindAddress(host="127.0.0.1", port=80)),
        ("localhost:0", BindAddress(host="localhost", port=0)),
        ("[::1]:8000", BindAddress(host="[::1]", port=8000)),
        ("[fe80::1%eth0]:8000", BindAddress(host="[fe80::1%eth0]", port=8000)),
        (":8000", BindAddress(host="", port=8000)),
        ("unix:/run/app.sock", BindAddress(path="/run/app.sock")),
        ("unix:a:b", BindAddress(path="a:b")),
        ("fd://3", BindAddress(fd=3)),
        ("systemd", BindAddress(systemd="")),
        ("systemd:web", BindAddress(systemd="web")),
    ],
)
def test_addresses(text: str, address: BindAddress) -> None:
    assert parse_bind(text) == address


@pytest.mark.parametrize(
    "text",
    [
        *("", "127.0.0.1", "8000", "::1:8000", "[::1]", "[::1:80", "host:", "host:x", "host:65536"),
        *("unix:", "fd://", "fd://x", "fd:3", "fd://-1", "http://host:80", "a@b:80", "host:-1"),
        *("host:80 ", "ho\nst:80", "host:\u0661"),
    ],
)
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(ValueError, match="must be HOST:PORT"):
        parse_bind(text)
