"""Mutations of byte streams, where they hurt most: at delimiters and line ends."""

from __future__ import annotations

import re

from hypothesis import strategies as st

_EDGES = re.compile(rb"[\r\n:;,= \t\"/]|\A|\Z")
_INSERTED = st.one_of(
    st.sampled_from(
        [
            *(b"\r", b"\n", b"\r\n", b" ", b"\t", b"\x00", b":", b",", b";", b'"', b"\\", b"\x7f"),
            *(
                b"\x0b",
                b"\x0c",
                b"\x85",
                b"\xa0",
                b"\xff",
                b"0",
                b"1",
                b"f",
                b"%",
                b"+",
                b"-",
                b"_",
            ),
        ]
    ),
    st.binary(min_size=1, max_size=3),
)
_KINDS = st.sampled_from(
    ["insert", "delete", "replace", "duplicate", "swap", "truncate", "line end"]
)
_LINE_ENDS = st.sampled_from([b"\r\n", b"\n", b"\r", b"\n\r", b"\r\r\n", b""])


def _draw_place(draw: st.DrawFn, data: bytes) -> int:
    """Draw a place in `data`: three times in four, next to a delimiter of its first part."""
    if not draw(st.integers(0, 3)):
        return draw(st.integers(0, len(data)))
    edges = [match.start() for match in _EDGES.finditer(data, 0, 4096)]
    place = draw(st.sampled_from(edges)) + draw(st.sampled_from([0, 1]))
    return min(place, len(data))


def _draw_fault(draw: st.DrawFn, data: bytes) -> bytes:
    """Draw `data` with one fault."""
    place = _draw_place(draw, data)
    match draw(_KINDS):
        case "insert":
            return data[:place] + draw(_INSERTED) + data[place:]
        case "delete":
            return data[:place] + data[place + draw(st.integers(1, 3)) :]
        case "replace":
            return data[:place] + draw(_INSERTED) + data[place + 1 :]
        case "duplicate":
            end = place + draw(st.integers(1, 60))
            return data[:end] + data[place:]
        case "swap":
            return (
                data[:place]
                + data[place + 1 : place + 2]
                + data[place : place + 1]
                + (data[place + 2 :])
            )
        case "truncate":
            return data[:place]
    line_end = data.find(b"\r\n", place)
    if line_end < 0:
        return data
    return data[:line_end] + draw(_LINE_ENDS) + data[line_end + 2 :]


@st.composite
def mutated(draw: st.DrawFn, streams: st.SearchStrategy[bytes]) -> bytes:
    """Draw from `streams`, four times in seven without a fault, else with one or two."""
    data = draw(streams)
    for _ in range(draw(st.sampled_from([0, 0, 0, 0, 1, 1, 2]))):
        data = _draw_fault(draw, data)
    return data
