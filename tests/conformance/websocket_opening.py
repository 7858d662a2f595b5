"""What no server may answer to an opening handshake (RFC 6455 section 4.2.2, RFC 7692).

Applied to every 101 that any case brings about, beside what the case itself expects.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from tests.conformance.websocket_frames import Deflate

if TYPE_CHECKING:
    from tests.conformance.wire import WireResponse

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
WINDOW_BITS = re.compile(r"8|9|1[0-5]")
NO_VALUE = ("server_no_context_takeover", "client_no_context_takeover")
BITS = ("server_max_window_bits", "client_max_window_bits")

Parameters = dict[str, str | None]
Extension = tuple[str, Parameters]


def accept_of(key: bytes) -> str:
    """Return the Sec-WebSocket-Accept of a Sec-WebSocket-Key."""
    return base64.b64encode(hashlib.sha1(key + GUID).digest()).decode()


def listed(values: list[str]) -> list[str]:
    """Return the members of a list that may be spread over several field lines."""
    return [member.strip() for value in values for member in value.split(",") if member.strip()]


def extensions(values: list[str]) -> list[Extension]:
    """Parse Sec-WebSocket-Extensions; a parameter that occurs twice gets the value "twice"."""
    found: list[Extension] = []
    for member in listed(values):
        name, *rest = (part.strip() for part in member.split(";"))
        parameters: Parameters = {}
        for part in rest:
            key, equals, value = part.partition("=")
            given = value.strip().strip('"') if equals else None
            parameters[key.strip()] = "twice" if key.strip() in parameters else given
        found.append((name, parameters))
    return found


def negotiated(response: WireResponse) -> Deflate | None:
    """Return what a 101 says of permessage-deflate; None where it says nothing usable."""
    for name, parameters in extensions(response.values("sec-websocket-extensions")):
        if name == "permessage-deflate":
            bits = parameters.get("server_max_window_bits") or "15"
            takeover = "server_no_context_takeover" not in parameters
            return Deflate(takeover, int(bits) if WINDOW_BITS.fullmatch(bits) else 15)
    return None


def split_opening(sent: bytes) -> tuple[bytes, bytes]:
    """Split what a client has sent behind the opening handshake, which other requests may precede.

    Without an end of the handshake nothing is behind it.
    """
    key = sent.lower().find(b"\r\nsec-websocket-key:")
    if key < 0:
        return b"", sent
    head, end, rest = sent[key:].partition(b"\r\n\r\n")
    return sent[:key] + head + end, rest


def request_values(request: bytes, name: bytes) -> list[str]:
    """Return the values of a field in the last of these request heads."""
    lines = request.removesuffix(b"\r\n\r\n").rpartition(b"\r\n\r\n")[2].split(b"\r\n")[1:]
    fields = (line.partition(b":") for line in lines)
    return [value.strip().decode("latin-1") for key, _, value in fields if key.lower() == name]


def opening_violations(request: bytes, response: WireResponse) -> Iterator[str]:
    """Yield every rule that a 101 breaks.

    Args:
        request: what the client has sent, up to the end of the handshake.
        response: the 101.
    """
    keys = request_values(request, b"sec-websocket-key")
    accepts = response.values("sec-websocket-accept")
    if accepts != [accept_of(keys[0].encode())] if keys else True:
        yield f"Sec-WebSocket-Accept {accepts} for the key {keys}"
    if [value.lower() for value in response.values("upgrade")] != ["websocket"]:
        yield f"Upgrade {response.values('upgrade')}"
    if "upgrade" not in [option.lower() for option in listed(response.values("connection"))]:
        yield f"Connection {response.values('connection')}"
    for name in ("content-length", "transfer-encoding"):
        if response.values(name):
            yield f"{name} in a 101"
    yield from _subprotocol(request, response)
    yield from _extensions(request, response)


def _subprotocol(request: bytes, response: WireResponse) -> Iterator[str]:
    offered = listed(request_values(request, b"sec-websocket-protocol"))
    chosen = response.values("sec-websocket-protocol")
    if len(chosen) > 1 or any(name not in offered for name in chosen):
        yield f"Sec-WebSocket-Protocol {chosen}, offered were {offered}"


def _extensions(request: bytes, response: WireResponse) -> Iterator[str]:
    chosen = extensions(response.values("sec-websocket-extensions"))
    offers = extensions(request_values(request, b"sec-websocket-extensions"))
    if len(chosen) > 1:
        yield f"extensions {chosen}: at most one was offered"
    for name, parameters in chosen:
        if not any(name == offer and _answers(parameters, asked) for offer, asked in offers):
            yield f"extension {name} {parameters} answers none of the offers {offers}"


def _answers(given: Parameters, asked: Parameters) -> bool:
    """Tell whether the parameters of a 101 answer this offer (RFC 7692 section 7.1)."""
    if not set(given) <= {*NO_VALUE, *BITS}:
        return False
    if any(given.get(name) is not None for name in NO_VALUE):
        return False
    if any(not WINDOW_BITS.fullmatch(given[name] or "") for name in BITS if name in given):
        return False
    if "client_max_window_bits" in given and "client_max_window_bits" not in asked:
        return False
    if "server_no_context_takeover" in asked and "server_no_context_takeover" not in given:
        return False
    return all(_within(given, asked, name) for name in BITS)


def _within(given: Parameters, asked: Parameters, name: str) -> bool:
    limit = asked.get(name)
    if limit is None or not limit.isdecimal():
        return True
    if name == "server_max_window_bits" and name not in given:
        return False
    return int(given.get(name) or "0") <= int(limit)
