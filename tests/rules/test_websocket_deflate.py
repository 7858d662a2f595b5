"""permessage-deflate: RFC 7692 section 7.2."""

from __future__ import annotations

import random
import zlib
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esg.errors import WebSocketFailure
from esg.websocket import DeflateParameters
from tests.rules.twins import rule

websocket_deflate = rule("websocket_deflate")

TAIL = b"\x00\x00\xff\xff"
SENTENCE = b"It was the best of times, it was the worst of times. "


def parameters(**given: Any) -> DeflateParameters:
    """Write parameters that differ from the plainest ones."""
    return DeflateParameters(False, False, 15, 15)._replace(**given)


class Peer:
    """A client that compresses and inflates with zlib alone."""

    def __init__(self, window_bits: int = 15) -> None:
        self.deflater = zlib.compressobj(wbits=-window_bits)
        self.inflater = zlib.decompressobj(-window_bits)

    def deflate(self, message: bytes) -> bytes:
        data = self.deflater.compress(message) + self.deflater.flush(zlib.Z_SYNC_FLUSH)
        assert data.endswith(TAIL)
        return data[:-4]

    def inflate(self, data: bytes) -> bytes:
        return self.inflater.decompress(data + TAIL)


def inflater(websocket_deflate: ModuleType, max_size: int = 100_000, **given: Any) -> Any:
    return websocket_deflate.MessageInflater(parameters(**given), max_size)


@given(messages=st.lists(st.binary(max_size=300), max_size=5), cut=st.integers(0, 300))
def test_messages_of_a_client(
    websocket_deflate: ModuleType, messages: list[bytes], cut: int
) -> None:
    """With context from one to the next, in one or two pieces."""
    peer = Peer()
    ours = inflater(websocket_deflate)
    for message in messages:
        data = peer.deflate(message)
        assert ours.inflate(data[:cut], False) + ours.inflate(data[cut:], True) == message


def test_context_is_kept_only_where_agreed(websocket_deflate: ModuleType) -> None:
    peer = Peer()
    first, second = peer.deflate(SENTENCE), peer.deflate(SENTENCE)
    ours = inflater(websocket_deflate)
    assert [ours.inflate(first, True), ours.inflate(second, True)] == [SENTENCE] * 2
    ours = inflater(websocket_deflate, client_no_context_takeover=True)
    assert ours.inflate(first, True) == SENTENCE
    with pytest.raises(WebSocketFailure):
        ours.inflate(second, True)


def test_a_message_as_large_as_allowed(websocket_deflate: ModuleType) -> None:
    ours = inflater(websocket_deflate, 1000)
    peer = Peer()
    for _ in range(2):
        assert ours.inflate(peer.deflate(bytes(1000)), True) == bytes(1000)
    data = peer.deflate(bytes(1001))
    with pytest.raises(WebSocketFailure) as failure:
        ours.inflate(data, True)
    assert failure.value.code == 1009


def test_pieces_count_together(websocket_deflate: ModuleType) -> None:
    ours = inflater(websocket_deflate, 1000)
    peer = Peer()
    first, second = peer.deflate(bytes(600)), peer.deflate(bytes(401))
    assert ours.inflate(first + TAIL, False) == bytes(600)
    with pytest.raises(WebSocketFailure) as failure:
        ours.inflate(second, True)
    assert failure.value.code == 1009


def test_a_message_may_come_byte_by_byte(websocket_deflate: ModuleType) -> None:
    ours = inflater(websocket_deflate, 1000)
    pieces = [ours.inflate(bytes((byte,)), False) for byte in Peer().deflate(SENTENCE)]
    assert b"".join(pieces) + ours.inflate(b"", True) == SENTENCE


def test_a_bomb_is_not_inflated(websocket_deflate: ModuleType) -> None:
    """A thousandfold: 64 MiB in 64 KiB."""
    deflater = zlib.compressobj(9, zlib.DEFLATED, -15)
    megabyte = bytes(2**20)
    bomb = b"".join(deflater.compress(megabyte) for _ in range(64)) + deflater.flush()
    ours = inflater(websocket_deflate, 1000)
    tracemalloc = pytest.importorskip("tracemalloc", exc_type=ImportError)  # not on PyPy
    tracemalloc.start()
    try:
        with pytest.raises(WebSocketFailure) as failure:
            ours.inflate(bomb, True)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert failure.value.code == 1009
    assert peak < 500_000


@pytest.mark.parametrize("data", [b"\xff", b"\xff\xff\xff\xff", b"\x07", SENTENCE])
def test_data_that_is_not_deflated(websocket_deflate: ModuleType, data: bytes) -> None:
    with pytest.raises(WebSocketFailure) as failure:
        inflater(websocket_deflate).inflate(data, True)
    assert failure.value.code == 1007


def final(data: bytes) -> bytes:
    """Deflate into a block that ends the stream."""
    deflater = zlib.compressobj(wbits=-15)
    return deflater.compress(data) + deflater.flush()


def test_final_blocks(websocket_deflate: ModuleType) -> None:
    """RFC 7692 section 7.2.3.4; also where the sender leaves the octet behind it out."""
    ours = inflater(websocket_deflate)
    for data, message in (
        (final(b"Hello") + b"\x00", b"Hello"),
        (final(b"Hello"), b"Hello"),
        (final(b"Hello") + final(b", world") + b"\x00", b"Hello, world"),
        (Peer().deflate(b"Hello"), b"Hello"),
    ):
        assert ours.inflate(data, True) == message
    assert ours.inflate(final(b"a") * 17, True) == b"a" * 17
    with pytest.raises(WebSocketFailure) as failure:
        ours.inflate(final(b"a") * 18, True)
    assert failure.value.code == 1007


def deflater(websocket_deflate: ModuleType, **given: Any) -> Any:
    return websocket_deflate.MessageDeflater(parameters(**given))


@pytest.mark.parametrize("window_bits", range(8, 16))
@pytest.mark.parametrize("alone", [False, True])
def test_our_messages(websocket_deflate: ModuleType, window_bits: int, alone: bool) -> None:
    """The client keeps to the window agreed on, and to no context where there is none."""
    ours = deflater(
        websocket_deflate, server_max_window_bits=window_bits, server_no_context_takeover=alone
    )
    peer = Peer()
    for message in (SENTENCE * 40, SENTENCE, SENTENCE * 40, bytes(70_000)):
        data = ours.deflate(message)
        assert isinstance(data, bytes)
        assert len(data) < len(message)
        reader = zlib.decompressobj(-window_bits) if alone else peer.inflater
        assert reader.decompress(data + TAIL) == message


def test_the_smallest_window_is_kept(websocket_deflate: ModuleType) -> None:
    """With 8 bits zlib is strict: a distance beyond 256 is an error to its inflate."""
    ours = deflater(websocket_deflate, server_max_window_bits=8)
    noise = random.Random(2).randbytes(300)
    reader = zlib.decompressobj(-8)
    for _ in range(3):
        assert reader.decompress(ours.deflate(noise * 3) + TAIL) == noise * 3


def test_context_makes_repetition_small(websocket_deflate: ModuleType) -> None:
    ours = deflater(websocket_deflate)
    first, second = ours.deflate(SENTENCE), ours.deflate(SENTENCE)
    assert len(second) < len(first) / 4
    ours = deflater(websocket_deflate, server_no_context_takeover=True)
    assert ours.deflate(SENTENCE) == ours.deflate(SENTENCE)


def test_what_is_sent_as_it_is(websocket_deflate: ModuleType) -> None:
    ours = deflater(websocket_deflate)
    smallest = websocket_deflate.SMALLEST
    assert ours.deflate(b"") is None
    assert ours.deflate(bytes(smallest - 1)) is None
    assert ours.deflate(memoryview(bytes(smallest))) is not None
    noise = random.Random(3).randbytes(100_000)
    assert ours.deflate(bytearray(noise)) is None
    assert ours.deflate(noise[:1000]) is not None  # its few bytes are not worth the question
    assert ours.deflate(SENTENCE * 1000) is not None
