"""Unmasking by words gives what unmasking by octets would."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

masking = pytest.importorskip("esg.accel.masking")

keys = st.binary(min_size=4, max_size=4)


@given(st.binary(max_size=100), keys, st.integers(0, 2**62))
def test_unmasks_each_octet(data: bytes, key: bytes, start: int) -> None:
    found, has_non_ascii = masking.unmasked(data, key, start)
    expected = bytes(octet ^ key[(start + i) % 4] for i, octet in enumerate(data))
    assert found == expected
    assert has_non_ascii is not expected.isascii()


@given(st.lists(st.binary(max_size=30)), keys)
def test_pieces_are_unmasked_as_the_whole(pieces: list[bytes], key: bytes) -> None:
    parts, start = [], 0
    for piece in pieces:
        parts.append(masking.unmasked(piece, key, start)[0])
        start += len(piece)
    assert b"".join(parts) == masking.unmasked(b"".join(pieces), key)[0]


@pytest.mark.parametrize("size", range(40))
def test_every_octet_is_seen(size: int) -> None:
    for at in range(size):
        data = bytearray(size)
        data[at] = 0x80
        assert masking.unmasked(bytes(data), b"\x00" * 4)[1] is True
    assert masking.unmasked(b"\xff" * size, b"\xff" * 4) == (bytes(size), False)
