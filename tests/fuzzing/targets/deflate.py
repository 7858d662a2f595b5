"""permessage-deflate: both twins inflate alike and no further than allowed, and undo their own."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from esg.errors import WebSocketFailure
from esg.websocket import DeflateParameters
from tests.conformance.websocket_frames import Deflate, FrameReader, frame
from tests.fuzzing.given import Given
from tests.rules.twins import find_twins

TWINS = find_twins("websocket_deflate")
LIMIT = 2000
BITS = (15, 12, 9, 8)


def check(given: Given) -> None:
    """Inflate what may be deflated; deflate it."""
    bits, alone = given.one_of(BITS), bool(given.number(2))
    parameters = DeflateParameters(alone, alone, bits, bits)
    inflated = [_inflated(rule, parameters, given.pieces) for rule in TWINS.values()]
    deflated = [_deflated(rule, parameters, given.pieces) for rule in TWINS.values()]
    assert all(one == inflated[0] for one in inflated)
    assert all(one == deflated[0] for one in deflated)
    for message in inflated[0]:
        assert message in (1007, 1009) if isinstance(message, int) else len(message) <= LIMIT
    _check_deflated(given.pieces, deflated[0], Deflate(not alone, bits))


def _inflated(rule: ModuleType, parameters: DeflateParameters, pieces: list[bytes]) -> list[Any]:
    """Inflate each piece as a message, and all of them as the pieces of one more."""
    inflater = rule.MessageInflater(parameters, LIMIT)
    found: list[Any] = []
    try:
        found += [inflater.inflate(piece, True) for piece in pieces]
        message = [inflater.inflate(piece, False) for piece in pieces]
        found.append(b"".join([*message, inflater.inflate(b"", True)]))
    except WebSocketFailure as failure:
        found.append(failure.code)
    return found


def _deflated(
    rule: ModuleType, parameters: DeflateParameters, pieces: list[bytes]
) -> list[bytes | None]:
    deflater = rule.MessageDeflater(parameters)
    return [deflater.deflate(piece) for piece in pieces]


def _check_deflated(
    messages: list[bytes], deflated: list[bytes | None], negotiated: Deflate
) -> None:
    """See that a strict client gets the messages back."""
    client = FrameReader(negotiated)
    for message, compressed in zip(messages, deflated, strict=True):
        if compressed is not None:
            client.feed(frame(2, compressed, rsv=0x40, key=None))
            assert client.messages[-1].data == message
