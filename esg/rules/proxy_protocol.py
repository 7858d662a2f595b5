"""The PROXY protocol: what a proxy says of a connection before the connection's own bytes.

Both versions are read, whichever comes. Neither can be mistaken for the other, nor for HTTP or
TLS; yet a connection has such a header or it has none, and a server must know which: who could
leave it out could also make one up. Must not know who is trusted to send it.

Source: "The PROXY protocol, versions 1 & 2" (HAProxy, doc/proxy-protocol.txt), sections 2.1 to 2.2.
"""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address
from typing import Final, TypeAlias

from esg.errors import ProxyHeaderRejected

_Address: TypeAlias = tuple[str, int | None] | None

# What a version 2 may have behind the addresses is bounded by us alone.
LONGEST: Final = 4096  # bytes

_SIGNATURE_1: Final = b"PROXY "
_LONGEST_1: Final = 107  # bytes, CRLF included
_LINE: Final = re.compile(
    rb"PROXY (?:(TCP4|TCP6) ([0-9A-Fa-f:.]+) ([0-9A-Fa-f:.]+) "
    rb"(0|[1-9][0-9]{0,4}) (0|[1-9][0-9]{0,4})|UNKNOWN(?: [^\r\n]*)?)\r\n"
)

_SIGNATURE_2: Final = b"\r\n\r\n\x00\r\nQUIT\n"
_FIXED: Final = 16  # bytes before the addresses
_LOCAL: Final = 0x20  # version 2, and the command
_PROXY: Final = 0x21
_UNSPECIFIED: Final = 0x00  # address family and transport protocol
_TCP4: Final = 0x11
_TCP6: Final = 0x21
_UNIX: Final = 0x31
_SIZES: Final = {_UNSPECIFIED: 0, _TCP4: 12, _TCP6: 36, _UNIX: 216}  # bytes of both addresses


class ProxyHeader:
    """Hold what a header says.

    Attributes:
        size: of the header, in bytes; what follows is the connection's own.
        tells_ends: whether it tells the ends of the connection. If not, they are those of the
            connection that the header came on: the proxy speaks for itself, or does not know.
        is_local: whether the proxy speaks for itself, as when it asks for the server's health. Only
            then its own word on requests counts: what it does not know it cannot vouch for.
        client, server: the two ends as a scope shows them.
    """

    __slots__ = ("client", "is_local", "server", "size", "tells_ends")

    def __init__(self, size: int) -> None:
        self.size = size
        self.tells_ends = False
        self.is_local = False
        self.client: _Address = None
        self.server: _Address = None


def read(data: bytes) -> ProxyHeader | None:
    """Read the header that a connection begins with.

    Args:
        data: what has come so far.

    Returns:
        None where its end has not come, and all of `data` belongs to it.

    Raises:
        ProxyHeaderRejected: it is none, as soon as that is certain.
    """
    if data[:1] == b"P":
        return _read_1(data)
    return _read_2(data)


def _read_1(data: bytes) -> ProxyHeader | None:
    _check_signature(data, _SIGNATURE_1)
    end = data.find(b"\n", 0, _LONGEST_1) + 1
    if not end:
        if len(data) >= _LONGEST_1:
            raise ProxyHeaderRejected(f"a line of more than {_LONGEST_1} bytes")
        return None
    match = _LINE.fullmatch(data[:end])
    if match is None:
        raise ProxyHeaderRejected(f"malformed {data[:end]!r}")
    header = ProxyHeader(end)
    family, client, server, client_port, server_port = match.groups()
    if family is not None:
        header.tells_ends = True
        header.client = _end_1(family, client, client_port)
        header.server = _end_1(family, server, server_port)
    return header


def _end_1(family: bytes, address: bytes, port: bytes) -> tuple[str, int]:
    number = int(port)
    try:
        text = address.decode()
        host = str(IPv4Address(text) if family == b"TCP4" else _unmapped(IPv6Address(text)))
    except ValueError:
        raise ProxyHeaderRejected(f"no {family.decode()} address: {address!r}") from None
    if number > 65535:
        raise ProxyHeaderRejected(f"no port: {number}")
    return (host, number)


def _read_2(data: bytes) -> ProxyHeader | None:
    _check_signature(data, _SIGNATURE_2)
    if len(data) < _FIXED:
        return None
    command, family = data[12], data[13]
    header = ProxyHeader(_FIXED + int.from_bytes(data[14:16], "big"))
    if command not in (_LOCAL, _PROXY):
        raise ProxyHeaderRejected(f"unknown version and command {command:#04x}")
    if header.size > LONGEST:
        raise ProxyHeaderRejected(f"{header.size} bytes, more than {LONGEST}")
    if command == _PROXY:
        if family not in _SIZES:
            raise ProxyHeaderRejected(f"unknown address family and protocol {family:#04x}")
        if header.size < _FIXED + _SIZES[family]:
            raise ProxyHeaderRejected("too short for its addresses")
    if len(data) < header.size:
        return None
    header.is_local = command == _LOCAL
    if command == _PROXY and family != _UNSPECIFIED:
        header.tells_ends = True
        _read_ends_2(header, family, data[_FIXED : _FIXED + _SIZES[family]])
    return header


def _read_ends_2(header: ProxyHeader, family: int, ends: bytes) -> None:
    if family == _UNIX:
        path = ends[108:].partition(b"\x00")[0]
        header.server = (path.decode("utf-8", "surrogateescape"), None) if path else None
        return
    size = 4 if family == _TCP4 else 16
    header.client = (_host_2(ends[:size]), int.from_bytes(ends[2 * size : 2 * size + 2], "big"))
    header.server = (_host_2(ends[size : 2 * size]), int.from_bytes(ends[2 * size + 2 :], "big"))


def _host_2(address: bytes) -> str:
    return str(IPv4Address(address) if len(address) == 4 else _unmapped(IPv6Address(address)))


def _unmapped(address: IPv6Address) -> IPv4Address | IPv6Address:
    """Return the IPv4 address that a dual-stack proxy shows as ::ffff:a.b.c.d."""
    return address.ipv4_mapped or address


def _check_signature(data: bytes, signature: bytes) -> None:
    if not signature.startswith(data[: len(signature)]):
        raise ProxyHeaderRejected(f"it begins with {data[: len(signature)]!r}")
