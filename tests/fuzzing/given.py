"""An input as targets read it: a stream, where to cut it, and decisions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from tests.rules.grammar import cut

T = TypeVar("T")

# At the end, so that a stream can grow and shrink without the decisions becoming others.
TAIL = 10
_MOST_CUTS = 3


class Given:
    """Read the bytes that a fuzzer gives.

    Args:
        data: a stream and, behind it, TAIL bytes: the number of cuts, their places, decisions.

    Attributes:
        stream: what a client or an application sends.
        places: where it is cut into `pieces`.
    """

    def __init__(self, data: bytes) -> None:
        self.stream, tail = data[:-TAIL], data[-TAIL:].ljust(TAIL, b"\0")
        cuts = tail[0] % (_MOST_CUTS + 1)
        self.places = [int.from_bytes(tail[1 + 2 * n : 3 + 2 * n], "big") for n in range(cuts)]
        self._decisions = int.from_bytes(tail[1 + 2 * _MOST_CUTS :], "big")

    @property
    def pieces(self) -> list[bytes]:
        """The stream in segments."""
        return cut(self.stream, self.places)

    def number(self, below: int) -> int:
        """Decide on a number; 0 where no more decisions are left."""
        self._decisions, found = divmod(self._decisions, below)
        return found

    def one_of(self, choices: Sequence[T]) -> T:
        """Decide on one of several."""
        return choices[self.number(len(choices))]


def written(stream: bytes, places: Sequence[int] = (), decisions: int = 0) -> bytes:
    """Write what `Given` reads."""
    cuts = b"".join(place.to_bytes(2, "big") for place in places)
    tail = bytes([len(places)]) + cuts.ljust(2 * _MOST_CUTS, b"\0")
    return stream + tail + decisions.to_bytes(TAIL - len(tail), "big")
