"""What trusted proxies say of a request: X-Forwarded-* or Forwarded, and what a scope makes of it.

Each proxy adds, behind what its client has sent, whom it speaks to. So the fields are read from
their end: what a trusted proxy has added is believed, up to the first hop that is none; whatever
stands before that is the client's own and is not even parsed. What cannot be read ends the walk
at the hop before, and of a field with one value changes nothing.

A proxy that speaks one family hands a client's fields of the other on as they are: only those
that were asked for are looked at.

Sources: RFC 7239; ASGI HTTP & WebSocket message format 2.5, "HTTP Connection Scope".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from itertools import islice
from typing import Final, Protocol

from esg.asgi import Headers, Scope

FORWARDED: Final = "forwarded"
# What can be believed: X-Forwarded-For and so on; or RFC 7239's field, for the first three of them.
FIELDS: Final = ("for", "proto", "host", "port", "prefix", FORWARDED)

# No chain of proxies is longer; who is told to trust everyone must not parse a whole head of hops.
MOST_HOPS: Final = 32

_FORWARDED: Final = b"forwarded"
_X_FOR: Final = b"x-forwarded-for"
_X_PROTO: Final = b"x-forwarded-proto"
_X_HOST: Final = b"x-forwarded-host"
_X_PORT: Final = b"x-forwarded-port"
_X_PREFIX: Final = b"x-forwarded-prefix"

# An obfuscated port is one that is not told (RFC 7239 section 6.3).
_NODE_PORT: Final = rb"(?::(?:([0-9]{1,5})|_[0-9A-Za-z._\-]+))?"
_BRACKETED: Final = re.compile(rb"\[([0-9A-Fa-f]*:[0-9A-Fa-f:.]+)\]" + _NODE_PORT)
_IPV4: Final = re.compile(rb"([0-9.]+)" + _NODE_PORT)
_IPV6: Final = re.compile(rb"([0-9A-Fa-f.]*:[0-9A-Fa-f.]*:[0-9A-Fa-f:.]*)")
_AUTHORITY: Final = re.compile(
    rb"(\[[0-9A-Fa-f]*:[0-9A-Fa-f:.]+\]|[0-9A-Za-z._\-]+)(?::([0-9]{1,5}))?"
)
# Segments are not empty: a path that begins with two slashes would name another host.
_PREFIX: Final = re.compile(rb"(?:/(?!\.{1,2}(?:/|$))[0-9A-Za-z\-._~!$&'()*+;=:@]+)+/?")
_SCHEMES: Final = {b"http": "http", b"https": "https", b"ws": "http", b"wss": "https"}

# One element of Forwarded, read backwards: quotes are paired from the end, as what stands before
# an element may be a client's, and unbalanced.
_BACKWARDS: Final = re.compile(rb'((?:[^",]|"[^"]*")*)(,|$)')
_TOKEN: Final = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
# A value that should be quoted, for its colon or brackets, is still clear without.
_PAIR: Final = re.compile(
    rb"[ \t]*(?:(" + _TOKEN + rb")=(?:([!#$%&'*+\-.^_`|~0-9A-Za-z:\[\]]+)"
    rb'|"((?:[^"\\]|\\[^"])*)")[ \t]*)?(?:;|$)'
)
_ESCAPE: Final = re.compile(rb"\\(.)", re.DOTALL)


class Trusted(Protocol):
    """What this asks of `trusted_proxies.TrustedProxies`."""

    def covers(self, host: str) -> bool:
        """Tell whether an address is one of a trusted proxy."""
        ...


class ProxyHeaders:
    """Read what trusted proxies say.

    Args:
        trusted: tells which hop is a proxy's.
        fields: a list with commas of those that are believed: "forwarded", or some of the others
            of `FIELDS`.

    Raises:
        ValueError: with what is allowed.
    """

    __slots__ = ("_names", "_trusted")

    def __init__(self, trusted: Trusted, fields: str) -> None:
        words = [word.strip() for word in fields.split(",") if word.strip()]
        if not set(words) <= set(FIELDS) or (FORWARDED in words and len(set(words)) > 1):
            raise ValueError(f"must be {FORWARDED} alone, or some of {', '.join(FIELDS[:-1])}")
        self._trusted = trusted
        self._names = frozenset(
            [_FORWARDED if word == FORWARDED else b"x-forwarded-" + word.encode() for word in words]
        )

    def amend(self, scope: Scope) -> bool:
        """Make a scope tell what the proxies say; the request must have come from a trusted one.

        Its client, scheme, server, path, root_path and the Host among its headers may change, each
        to a new value: nothing that other scopes may share is written to.

        Returns:
            Whether there was any such field.
        """
        said = self._said(scope["headers"])
        if not said:
            return False
        if _FORWARDED in said:
            self._take_forwarded(scope, said[_FORWARDED])
            return True
        if _X_FOR in said:
            self._take_client(scope, said[_X_FOR])
        if _X_PROTO in said:
            _set_scheme(scope, _last(said[_X_PROTO]))
        if _X_HOST in said or _X_PORT in said:
            _set_host(scope, _last(said.get(_X_HOST, [])), _last(said.get(_X_PORT, [])))
        if _X_PREFIX in said:
            _set_prefix(scope, said[_X_PREFIX][-1])
        return True

    def _said(self, headers: Headers) -> dict[bytes, list[bytes]]:
        said: dict[bytes, list[bytes]] = {}
        for name, value in headers:
            if name in self._names:
                said.setdefault(name, []).append(value)
        return said

    def _take_client(self, scope: Scope, lines: list[bytes]) -> None:
        """Find the right-most hop that is no trusted proxy."""
        for text in islice(_members(lines), MOST_HOPS):
            hop = _node(text)
            if hop is None:
                return
            scope["client"] = hop
            if not self._trusted.covers(hop[0]):
                return

    def _take_forwarded(self, scope: Scope, lines: list[bytes]) -> None:
        """Find the right-most element that is not of a trusted proxy's client, and take it whole.

        The proxy that tells of the client tells in the same element how it was asked.
        """
        last: dict[bytes, bytes] = {}
        for text in islice(_elements(lines), MOST_HOPS):
            pairs = _pairs(text)
            if pairs is None:
                break
            last = pairs
            hop = _node(pairs.get(b"for", b""))
            if hop is None:
                break
            scope["client"] = hop
            if not self._trusted.covers(hop[0]):
                break
        _set_scheme(scope, last.get(b"proto", b""))
        _set_host(scope, last.get(b"host", b""), b"")


# Reading fields, from their end.


def _members(lines: list[bytes]) -> Iterator[bytes]:
    """Yield the members of a list, the last first; empty ones do not count."""
    for line in reversed(lines):
        for member in reversed(line.rsplit(b",", MOST_HOPS)):
            stripped = member.strip(b" \t")
            if stripped:
                yield stripped


def _last(lines: list[bytes]) -> bytes:
    """Return the last member: what the proxy has said to us itself."""
    return next(_members(lines), b"")


def _elements(lines: list[bytes]) -> Iterator[bytes]:
    """Yield the elements of Forwarded, the last first; what is no element comes as it is."""
    for line in reversed(lines):
        backwards = line[::-1]
        end = 0
        for _ in range(MOST_HOPS):
            match = _BACKWARDS.match(backwards, end)
            # Without a match there is a quote that has no other before it.
            element = b'"' if match is None else match[1][::-1].strip(b" \t")
            if element:
                yield element
            if match is None or not match[2]:
                break
            end = match.end()


def _pairs(element: bytes) -> dict[bytes, bytes] | None:
    """Split an element of Forwarded; None where it is none (RFC 7239 section 4)."""
    pairs: dict[bytes, bytes] = {}
    position = 0
    while position < len(element):
        match = _PAIR.match(element, position)
        if match is None:
            return None
        name, token, quoted = match.groups()
        if name is not None:
            name = name.lower()
            if name in pairs:
                return None
            pairs[name] = token if quoted is None else _ESCAPE.sub(rb"\1", quoted)
        position = match.end()
    return pairs


def _node(text: bytes) -> tuple[str, int] | None:
    """Read an address, perhaps with a port; None where it is unknown, hidden or malformed.

    Obeys RFC 7239 section 6; X-Forwarded-For also has IPv6 without brackets. A port that is not
    told is 0.
    """
    match = _BRACKETED.fullmatch(text) or _IPV4.fullmatch(text) or _IPV6.fullmatch(text)
    if match is None:
        return None
    host = _address(match[1].decode())
    port = int(match[2] or 0) if match.re is not _IPV6 else 0
    return None if host is None or port > 65535 else (host, port)


def _address(text: str) -> str | None:
    """Return an address in its one form; an IPv4 address within IPv6 by itself."""
    try:
        if ":" not in text:
            return str(IPv4Address(text))
        address = IPv6Address(text)
    except AddressValueError:
        return None
    return str(address.ipv4_mapped or address)


# What a scope makes of it.


def _set_scheme(scope: Scope, proto: bytes) -> None:
    scheme = _SCHEMES.get(proto.lower())
    if scheme is not None:
        websocket = scope["type"] == "websocket"
        scope["scheme"] = scheme.replace("http", "ws") if websocket else scheme


def _set_host(scope: Scope, host: bytes, port: bytes) -> None:
    """Set whom the client has asked: in `server`, and in Host, from which URLs are made."""
    if not host and not port:
        return
    match = _AUTHORITY.fullmatch(host or _host_of(scope["headers"]))
    if match is None:
        return
    name = match[1].decode()
    if name.startswith("["):
        address = _address(name[1:-1])
        if address is None:
            return
    number = _port(port or match[2] or b"")
    if number < 0:
        return
    usual = 443 if scope["scheme"] in ("https", "wss") else 80
    scope["server"] = (name.strip("[]"), number or usual)
    shown = match[1] if number in (0, usual) else b"%s:%d" % (match[1], number)
    others = [field for field in scope["headers"] if field[0] != b"host"]
    scope["headers"] = [(b"host", shown), *others]


def _port(text: bytes) -> int:
    """Read a port; 0 where there is none, -1 where it is malformed."""
    if not text:
        return 0
    if not text.isdigit() or len(text) > 5:
        return -1
    number = int(text)
    return number if 0 < number < 65536 else -1


def _host_of(headers: Headers) -> bytes:
    return dict(headers).get(b"host", b"")


def _set_prefix(scope: Scope, prefix: bytes) -> None:
    """Set the path that a proxy has taken from the front: see `scope.decode_path`."""
    if not _PREFIX.fullmatch(prefix):
        return
    root = prefix.rstrip(b"/").decode()
    path = scope["path"]
    if path not in ("*", root) and not path.startswith(root + "/"):
        scope["path"] = root + path
    scope["root_path"] = root + scope["root_path"]
