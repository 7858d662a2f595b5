"""The PROXY protocol, versions 1 and 2."""

from __future__ import annotations

import contextlib
import socket
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esg.errors import ProxyHeaderRejected
from tests.rules.twins import rule

proxy_protocol = rule("proxy_protocol")

SIGNATURE = b"\r\n\r\n\x00\r\nQUIT\n"
REST = b"GET / HTTP/1.1\r\n"
CLIENT, SERVER = ("203.0.113.5", 56324), ("198.51.100.1", 443)
CLIENT_6, SERVER_6 = ("2001:db8::5", 56324), ("2001:db8::1", 443)


def version_2(command: int, family: int, addresses: bytes = b"", size: int | None = None) -> bytes:
    """Write a header of version 2."""
    length = len(addresses) if size is None else size
    return SIGNATURE + bytes((command, family)) + length.to_bytes(2, "big") + addresses


def ends(family: int, client: tuple[str, int], server: tuple[str, int]) -> bytes:
    """Write the two ends as version 2 has them."""
    hosts = socket.inet_pton(family, client[0]) + socket.inet_pton(family, server[0])
    return hosts + client[1].to_bytes(2, "big") + server[1].to_bytes(2, "big")


ENDS_4 = ends(socket.AF_INET, CLIENT, SERVER)
ENDS_6 = ends(socket.AF_INET6, CLIENT_6, SERVER_6)
PATHS = b"/client".ljust(108, b"\0") + b"/run/esg.sock".ljust(108, b"\0")

TELLING = {
    "v1 TCP4": (b"PROXY TCP4 203.0.113.5 198.51.100.1 56324 443\r\n", CLIENT, SERVER),
    "v1 TCP6": (b"PROXY TCP6 2001:DB8::5 2001:db8::1 56324 443\r\n", CLIENT_6, SERVER_6),
    "v1 TCP6 of IPv4": (
        b"PROXY TCP6 ::ffff:203.0.113.5 ::ffff:198.51.100.1 56324 443\r\n",
        CLIENT,
        SERVER,
    ),
    "v1 ports": (
        b"PROXY TCP4 203.0.113.5 198.51.100.1 0 65535\r\n",
        ("203.0.113.5", 0),
        ("198.51.100.1", 65535),
    ),
    "v2 TCP4": (version_2(0x21, 0x11, ENDS_4), CLIENT, SERVER),
    "v2 TCP6": (version_2(0x21, 0x21, ENDS_6), CLIENT_6, SERVER_6),
    "v2 TCP6 of IPv4": (
        version_2(
            0x21,
            0x21,
            ends(socket.AF_INET6, ("::ffff:203.0.113.5", 56324), ("::ffff:198.51.100.1", 443)),
        ),
        CLIENT,
        SERVER,
    ),
    "v2 with TLVs": (version_2(0x21, 0x11, ENDS_4 + b"\x01\x00\x02h2" * 10), CLIENT, SERVER),
    "v2 UNIX": (version_2(0x21, 0x31, PATHS), None, ("/run/esg.sock", None)),
    "v2 UNIX without paths": (version_2(0x21, 0x31, bytes(216)), None, None),
}
SILENT = {
    "v1 UNKNOWN": b"PROXY UNKNOWN\r\n",
    "v1 UNKNOWN with anything": b"PROXY UNKNOWN ffff::1 \x00\xff 65536\r\n",
    "v1 of 107 bytes": b"PROXY UNKNOWN " + b"x" * 91 + b"\r\n",
    "v2 LOCAL": version_2(0x20, 0x00),
    "v2 LOCAL, its rest skipped": version_2(0x20, 0x11, b"x" * 5),
    "v2 LOCAL of any family": version_2(0x20, 0xFF),
    "v2 UNSPEC": version_2(0x21, 0x00),
    "v2 UNSPEC with TLVs": version_2(0x21, 0x00, b"x" * 100),
    "v2 of 4096 bytes": version_2(0x20, 0x00, bytes(4080)),
}
MALFORMED = {
    "HTTP": b"GET / HTTP/1.1\r\n",
    "HTTP that begins alike": b"POST / HTTP/1.1\r\n",
    "TLS": b"\x16\x03\x01",
    "nothing like it": b"\x00",
    "an empty line of HTTP": b"\r\nGET / HTTP/1.1\r\n",
    "v1 in lower case": b"Proxy TCP4",
    "v1 without a family": b"PROXY \r\n",
    "v1 of another family": b"PROXY UDP4 203.0.113.5 198.51.100.1 1 2\r\n",
    "v1 with a bare LF": b"PROXY TCP4 203.0.113.5 198.51.100.1 56324 443\n",
    "v1 with two spaces": b"PROXY TCP4  203.0.113.5 198.51.100.1 56324 443\r\n",
    "v1 with a port too few": b"PROXY TCP4 203.0.113.5 198.51.100.1 56324\r\n",
    "v1 with one too many": b"PROXY TCP4 203.0.113.5 198.51.100.1 1 2 3\r\n",
    "v1 with a zero in front": b"PROXY TCP4 203.0.113.5 198.51.100.1 01 2\r\n",
    "v1 with no port": b"PROXY TCP4 203.0.113.5 198.51.100.1 1 65536\r\n",
    "v1 with a sign": b"PROXY TCP4 203.0.113.5 198.51.100.1 +1 2\r\n",
    "v1 with no address": b"PROXY TCP4 203.0.113.256 198.51.100.1 1 2\r\n",
    "v1 with one of the other family": b"PROXY TCP4 2001:db8::5 2001:db8::1 1 2\r\n",
    "v1 TCP6 with IPv4": b"PROXY TCP6 203.0.113.5 198.51.100.1 1 2\r\n",
    "v1 with a zone": b"PROXY TCP6 fe80::1%eth0 fe80::2 1 2\r\n",
    "v1 of 108 bytes": b"PROXY UNKNOWN " + b"x" * 92 + b"\r\n",
    "v1 without an end": b"PROXY UNKNOWN " + b"x" * 93,
    "v2 of another version": version_2(0x31, 0x11, ENDS_4),
    "v2 with another command": version_2(0x22, 0x11, ENDS_4),
    "v2 of another family": version_2(0x21, 0x41, ENDS_4),
    "v2 over UDP": version_2(0x21, 0x12, ENDS_4),
    "v2 too short for its family": version_2(0x21, 0x21, ENDS_4),
    "v2 of 4097 bytes": version_2(0x20, 0x00, size=4081),
}


@pytest.mark.parametrize("name", TELLING)
def test_ends_are_told(proxy_protocol: ModuleType, name: str) -> None:
    raw, client, server = TELLING[name]
    header = proxy_protocol.read(raw + REST)
    assert header.size == len(raw)
    assert header.tells_ends
    assert (header.client, header.server) == (client, server)


@pytest.mark.parametrize("name", SILENT)
def test_ends_are_those_of_the_connection(proxy_protocol: ModuleType, name: str) -> None:
    header = proxy_protocol.read(SILENT[name] + REST)
    assert header.size == len(SILENT[name])
    assert header.is_local == (name.startswith("v2 LOCAL") or name == "v2 of 4096 bytes")
    assert not header.tells_ends


@pytest.mark.parametrize("name", MALFORMED)
def test_what_is_none_is_rejected(proxy_protocol: ModuleType, name: str) -> None:
    with pytest.raises(ProxyHeaderRejected) as rejected:
        proxy_protocol.read(MALFORMED[name])
    assert str(rejected.value)


@pytest.mark.parametrize("name", [*TELLING, *SILENT])
def test_every_beginning_is_incomplete(proxy_protocol: ModuleType, name: str) -> None:
    raw = TELLING[name][0] if name in TELLING else SILENT[name]
    for size in range(len(raw)):
        assert proxy_protocol.read(raw[:size]) is None


@pytest.mark.parametrize("name", MALFORMED)
def test_verdict_does_not_depend_on_the_segments(proxy_protocol: ModuleType, name: str) -> None:
    """No beginning of what is malformed is taken for a whole header."""
    raw = MALFORMED[name]
    for size in range(len(raw)):
        with contextlib.suppress(ProxyHeaderRejected):
            assert proxy_protocol.read(raw[:size]) is None


@given(
    data=st.binary(max_size=300)
    | st.binary(max_size=300).map(lambda rest: SIGNATURE + rest)
    | st.binary(max_size=100).map(lambda rest: b"PROXY TCP4 " + rest + b"\r\n")
    | st.binary(max_size=300).map(lambda rest: SIGNATURE + b"\x21\x11" + rest)
)
def test_anything_has_a_verdict(proxy_protocol: ModuleType, data: bytes) -> None:
    with contextlib.suppress(ProxyHeaderRejected):
        header = proxy_protocol.read(data)
        if header is None:
            assert len(data) < proxy_protocol.LONGEST
        else:
            assert 0 < header.size <= len(data)
            assert proxy_protocol.read(data[: header.size]).client == header.client
