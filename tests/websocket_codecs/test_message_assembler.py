"""Messages from their pieces."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esg.errors import WebSocketFailure
from esg.rules.websocket_frames import BINARY, TEXT
from esg.websocket_codecs.message_assembler import MessageAssembler


def assemble(assembler: MessageAssembler, opcode: int, data: bytes, cuts: list[int]) -> object:
    """Give data in pieces; return the message."""
    for cut in cuts:
        assert assembler.add(opcode, data[:cut], False) is None
        data = data[cut:]
    return assembler.add(opcode, bytearray(data), True)


@given(texts=st.lists(st.text(max_size=20), max_size=4), cuts=st.lists(st.integers(0, 5)))
def test_messages_in_pieces(texts: list[str], cuts: list[int]) -> None:
    assembler = MessageAssembler()
    for text in texts:
        assert assemble(assembler, TEXT, text.encode(), cuts) == text
        assert assemble(assembler, BINARY, text.encode(), cuts) == text.encode()


def test_binary_is_bytes() -> None:
    assert type(MessageAssembler().add(BINARY, bytearray(b"a"), True)) is bytes


@pytest.mark.parametrize("pieces", [[b"\xff"], [b"\xc3", b"\x28"], [b"a", b"\xe2\x82"]])
def test_text_must_be_utf8(pieces: list[bytes]) -> None:
    assembler = MessageAssembler()
    for piece in pieces[:-1]:
        assembler.add(TEXT, piece, False)
    with pytest.raises(WebSocketFailure) as failure:
        assembler.add(TEXT, pieces[-1], True)
    assert failure.value.code == 1007


def test_fragments_without_content_take_no_memory() -> None:
    tracemalloc = pytest.importorskip("tracemalloc", exc_type=ImportError)  # not on PyPy
    assembler = MessageAssembler()
    assembler.add(TEXT, "é".encode(), False)
    tracemalloc.start()
    try:
        for _ in range(50_000):
            assembler.add(TEXT, b"", False)
        assert tracemalloc.get_traced_memory()[0] < 50_000
    finally:
        tracemalloc.stop()
    assert assembler.add(TEXT, b"!", True) == "é!"
