"""A client's frames: the same events from every codec, and from the rules, however they are cut."""

from __future__ import annotations

from typing import Any

from esg.websocket import Close, DeflateParameters, Failure, Ping, Pong
from esg.websocket_codecs.choice import resolve
from tests.accel.frame_reference import Reference, decoded
from tests.conformance.websocket_frames import cut_all
from tests.fuzzing.fast import fast
from tests.fuzzing.given import Given

websocket_codec = fast("websocket_codec")
OTHERS = [resolve("wsproto"), resolve("websockets")]
LIMITS = (300, 1000)
DEFLATE = (None, DeflateParameters(False, False, 15, 15), DeflateParameters(True, True, 9, 9))


def check(given: Given) -> None:
    """Decode by every codec."""
    deflate, limit = given.one_of(DEFLATE), given.one_of(LIMITS)
    codec, reference = websocket_codec.codec(deflate, limit), Reference(deflate, limit)
    found = []
    for piece in given.pieces:
        events = decoded(codec, piece)
        assert events == reference.events(piece)
        found += events
    if found and isinstance(found[-1], Close | Failure):
        assert codec.buffered == 0
        assert decoded(codec, given.stream) == []
    for factory in OTHERS:
        assert factory is not None
        theirs = decoded(factory(deflate, limit), given.stream)
        assert theirs == found or _fails_later(theirs, found, given.stream, deflate is not None)
    for event in found:
        _check_event(event, limit)


def _fails_later(theirs: list[Any], ours: list[Any], stream: bytes, compressed: bool) -> bool:
    """Tell whether a codec only says later what is wrong.

    Some libraries show nothing of a frame that has not come whole. And what is inflated to no text
    before it turns out to be not deflated has two faults: which is named depends on the cuts.
    """
    if not (ours and isinstance(ours[-1], Failure)):
        return False
    if theirs == ours[:-1]:
        return bool(cut_all(stream)[1])
    both_fail = bool(theirs) and isinstance(theirs[-1], Failure)
    return compressed and both_fail and theirs[:-1] == ours[:-1]


def _check_event(event: Any, limit: int) -> None:
    if isinstance(event, str):
        assert len(event.encode()) <= limit  # a surrogate raises
    elif isinstance(event, bytes):
        assert len(event) <= limit
    elif isinstance(event, Ping | Pong):
        assert len(event.payload) <= 125
    elif isinstance(event, Close):
        assert event.code == 1005 or 1000 <= event.code <= 4999
        assert len(event.reason.encode()) <= 123
    else:
        assert event.code in (1002, 1007, 1009)
