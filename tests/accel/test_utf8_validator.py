"""Text in pieces is refused at the first octet behind which no text can follow."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

validator = pytest.importorskip("esg.accel.utf8_validator")

# Octets near the edges of the table, and whole characters between them.
_edges = st.sampled_from(
    [bytes([octet]) for octet in b"\x00\x41\x7f\x80\x8f\x90\x9f\xa0\xbf\xc0\xc1\xc2\xdf\xe0\xe1"]
    + [bytes([octet]) for octet in b"\xec\xed\xee\xef\xf0\xf1\xf3\xf4\xf5\xff"]
    + [text.encode() for text in ("abcdefgh", "é", "€", "\uffff", "\U00010000", "\U0010ffff")]
)
pieces = st.lists(st.one_of(_edges, st.binary(max_size=3)), max_size=30)


# What may complete a character that is cut off.
_REST = [bytes(rest) for n in range(4) for rest in product(b"\x80\x90\xa0", repeat=n)]


def begins_text(data: bytes) -> bool:
    """Tell whether octets, whole characters but for the last, can be completed to UTF-8."""
    for rest in _REST:
        try:
            (data + rest).decode()
        except UnicodeDecodeError:
            continue
        return True
    return False


def is_text(data: bytes) -> bool:
    """Tell whether octets are UTF-8."""
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def expected(parts: list[bytes]) -> tuple[int | None, bool]:
    """Return what the decoder says of a text; its incremental form is late with surrogates."""
    whole = b""
    for number, part in enumerate(parts):
        whole += part
        if not begins_text(whole):
            return number, False
    return None, is_text(whole)


@given(pieces)
def test_refuses_as_early_as_can_be(parts: list[bytes]) -> None:
    assert validator.first_refused(parts) == expected(parts)


@given(st.lists(st.text()), st.binary(max_size=2))
def test_takes_every_text(texts: list[str], tail: bytes) -> None:
    parts = [text.encode() for text in texts]
    assert validator.first_refused(parts) == (None, True)
    assert validator.first_refused([*parts, tail]) == expected([*parts, tail])


def test_every_pair_of_octets() -> None:
    for first in (0x41, *range(0x80, 0x100)):
        for second in range(256):
            parts = [bytes([first]), bytes([second])]
            assert validator.first_refused(parts) == expected(parts), parts


@pytest.mark.parametrize("at", range(20))
def test_finds_an_octet_between_words_of_ascii(at: int) -> None:
    text = bytearray(b"x" * 20)
    text[at] = 0xFF
    assert validator.first_refused([bytes(text)]) == (0, False)
    assert validator.first_refused([bytes(text[:at]), bytes(text[at:])]) == (1, False)
