"""The opening handshake of a WebSocket: the verdict on it, and what an acceptance must say.

It is judged after `request_head`, over the fields that made it through there. Must not know
sockets, nor how a response is written.

Obeys RFC 6455 sections 4.2.1, 4.2.2, 4.4, 9.1, 11.3 and RFC 7692 sections 5, 7.1; RFC 9110
section 7.8: an Upgrade in HTTP/1.0, or without its connection option, is ignored.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Sequence
from hashlib import sha1
from typing import Final, Protocol

from esg.asgi import Headers
from esg.errors import MessageError, RequestRejected
from esg.websocket import DeflateParameters

_GUID: Final = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_VERSION: Final = b"13"
_TOKEN: Final = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
_TOKEN_ONLY: Final = re.compile(_TOKEN)
_KEY: Final = re.compile(rb"[+/0-9A-Za-z]{22}==")  # 16 octets in base64
_PARAMETER: Final = re.compile(
    rb"[ \t]*;[ \t]*(" + _TOKEN + rb")(?:[ \t]*=[ \t]*(?:(" + _TOKEN + rb')|"(' + _TOKEN + rb')"))?'
)
_EXTENSION: Final = re.compile(
    rb"[ \t]*(" + _TOKEN + rb")((?:" + _PARAMETER.pattern + rb")*)[ \t]*"
)
_WINDOW_BITS: Final = re.compile(rb"[89]|1[0-5]")

# What deflate works with unless the client asks for less: a sixth of the memory of 15 bits, for
# messages that are little larger.
_PREFERRED_WINDOW_BITS: Final = 12
_LARGEST_WINDOW_BITS: Final = 15

# Fields of an acceptance that the server alone writes.
_RESERVED: Final = frozenset(
    b"sec-websocket-" + name for name in (b"accept", b"extensions", b"key", b"protocol", b"version")
)


class Head(Protocol):
    """What the handshake needs of a judged request head."""

    method: str
    http_version: str
    headers: Headers
    content_length: int
    connection: tuple[bytes, ...]


class OpeningHandshake:
    """Hold what a lawful opening handshake asks for.

    Attributes:
        subprotocols: those offered, in the client's order.
        deflate: what permessage-deflate works with, None where it is not used.
    """

    __slots__ = ("_accept", "deflate", "subprotocols")

    def __init__(
        self, key: bytes, subprotocols: list[str], deflate: DeflateParameters | None
    ) -> None:
        self._accept = b64encode(sha1(key + _GUID, usedforsecurity=False).digest())
        self.subprotocols = subprotocols
        self.deflate = deflate

    def accept_fields(
        self, subprotocol: object, headers: Sequence[tuple[object, object]]
    ) -> Headers:
        """Return the WebSocket fields of the 101 response (RFC 6455 section 4.2.2).

        Args:
            subprotocol: what the application chose, or None.
            headers: what the application adds to the response.

        Raises:
            MessageError: a subprotocol that was not offered, or a header that only the server
                may write.
        """
        for name, _ in headers:
            if isinstance(name, bytes) and name.lower() in _RESERVED:
                raise MessageError(f"header {name!r} cannot be set by the application")
        fields = [(b"sec-websocket-accept", self._accept)]
        if subprotocol is not None:
            # What the client has written goes out: str() of an Enum's member is another text.
            chosen = [name for name in self.subprotocols if name == subprotocol]
            if not chosen:
                raise MessageError(f"subprotocol {subprotocol!r} was not offered by the client")
            fields.append((b"sec-websocket-protocol", chosen[0].encode("ascii")))
        if self.deflate is not None:
            fields.append((b"sec-websocket-extensions", _deflate_field(self.deflate)))
        return fields


def is_opening(head: Head) -> bool:
    """Tell whether a request asks for a WebSocket, lawfully or not."""
    if b"upgrade" not in head.connection or head.http_version == "1.0":
        return False
    return b"websocket" in _members(head, b"upgrade", lower=True)


def judge(head: Head, offer_deflate: bool) -> OpeningHandshake:
    """Decide whether the application may be asked to accept a request that `is_opening`.

    Args:
        head: of the request.
        offer_deflate: compress where the client can.

    Raises:
        RequestRejected: 400, or 426; the answer has the fields that `rejection_fields` gives.
    """
    if head.method != "GET":
        raise RequestRejected(400, "a WebSocket's opening handshake must be a GET")
    if head.content_length:
        raise RequestRejected(400, "a WebSocket's opening handshake has no content")
    if _single(head, b"sec-websocket-version") != _VERSION:
        raise RequestRejected(426, "Sec-WebSocket-Version is not 13")
    key = _single(head, b"sec-websocket-key")
    if not _KEY.fullmatch(key):
        raise RequestRejected(400, "Sec-WebSocket-Key is not 16 octets in base64")
    subprotocols = _members(head, b"sec-websocket-protocol")
    if not all(map(_TOKEN_ONLY.fullmatch, subprotocols)):
        raise RequestRejected(400, "invalid Sec-WebSocket-Protocol")
    deflate = _negotiate(_members(head, b"sec-websocket-extensions"))
    return OpeningHandshake(
        key, [name.decode("ascii") for name in subprotocols], deflate if offer_deflate else None
    )


def rejection_fields(status: int) -> tuple[tuple[bytes, bytes], ...]:
    """Return what the answer to a rejected handshake tells of the version that we speak.

    RFC 6455 section 4.4; a 426 must also name the protocol (RFC 9110 section 15.5.22).
    """
    if status != 426:
        return ()
    return (
        (b"upgrade", b"websocket"),
        (b"connection", b"upgrade"),
        (b"sec-websocket-version", _VERSION),
    )


def _values(head: Head, name: bytes) -> list[bytes]:
    return [value for field_name, value in head.headers if field_name == name]


def _single(head: Head, name: bytes) -> bytes:
    values = _values(head, name)
    if len(values) != 1:
        raise RequestRejected(400, f"{len(values)} fields {name.decode()}, there must be one")
    return values[0]


def _members(head: Head, name: bytes, lower: bool = False) -> list[bytes]:
    """Split a list that may span several fields; empty members do not count."""
    joined = b",".join(_values(head, name))
    members = (joined.lower() if lower else joined).split(b",")
    return [stripped for member in members if (stripped := member.strip(b" \t"))]


# permessage-deflate (RFC 7692 section 7.1).


def _negotiate(offers: list[bytes]) -> DeflateParameters | None:
    """Take the first offer that can be kept; extensions that are unknown are declined."""
    chosen: DeflateParameters | None = None
    for offer in offers:
        match = _EXTENSION.fullmatch(offer)
        if match is None:  # RFC 6455 section 9.1: not to be passed over
            raise RequestRejected(400, "invalid Sec-WebSocket-Extensions")
        if chosen is None and match[1].lower() == b"permessage-deflate":
            # Not findall: on PyPy it gives a str for a value that is missing.
            found = [parameter.groups(b"") for parameter in _PARAMETER.finditer(match[2])]
            chosen = _deflate_parameters(found)
    return chosen


def _deflate_parameters(
    parameters: list[tuple[bytes, ...]],
) -> DeflateParameters | None:
    """Read one offer; None where it is to be declined: an unknown, repeated or invalid parameter."""
    given: dict[bytes, bytes] = {}
    for name, token, quoted in parameters:
        if name.lower() in given:
            return None
        given[name.lower()] = token or quoted
    server_alone = given.pop(b"server_no_context_takeover", None)
    client_alone = given.pop(b"client_no_context_takeover", None)
    server_bits = given.pop(b"server_max_window_bits", None)
    client_bits = given.pop(b"client_max_window_bits", None)
    if given or server_alone or client_alone:
        return None
    if server_bits is not None and not _WINDOW_BITS.fullmatch(server_bits):
        return None
    if client_bits and not _WINDOW_BITS.fullmatch(client_bits):
        return None
    return DeflateParameters(
        server_no_context_takeover=server_alone is not None,
        client_no_context_takeover=client_alone is not None,
        server_max_window_bits=min(
            _PREFERRED_WINDOW_BITS, int(server_bits or _LARGEST_WINDOW_BITS)
        ),
        # A client that does not mention its window cannot be asked for a smaller one.
        client_max_window_bits=_LARGEST_WINDOW_BITS
        if client_bits is None
        else min(_PREFERRED_WINDOW_BITS, int(client_bits or _LARGEST_WINDOW_BITS)),
    )


def _deflate_field(deflate: DeflateParameters) -> bytes:
    parts = [b"permessage-deflate"]
    if deflate.server_no_context_takeover:
        parts.append(b"server_no_context_takeover")
    if deflate.client_no_context_takeover:
        parts.append(b"client_no_context_takeover")
    parts.append(b"server_max_window_bits=%d" % deflate.server_max_window_bits)
    if deflate.client_max_window_bits != _LARGEST_WINDOW_BITS:
        parts.append(b"client_max_window_bits=%d" % deflate.client_max_window_bits)
    return b"; ".join(parts)
