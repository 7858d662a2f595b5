"""What a client may send on a WebSocket: RFC 6455's and RFC 7692's grammar, and close to it.

The largest message that the servers under test take is small (`rows.OPTIONS`), so that what lies
around that limit is cheap.
"""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tests.conformance.cases.websocket_build import close, deflated, handshake, ping, pong
from tests.conformance.websocket_frames import BINARY, CONTINUATION, RSV1, RSV2, RSV3, TEXT, frame
from tests.differential.edges import mutated
from tests.differential.http_streams import around, filler, mostly, one_in
from tests.rules.grammar import cut

MESSAGE_LIMIT = 70_000
# A server may hold that many before the application takes them.
_MOST_FRAMES = 12

# The opening handshake

_OFFERS = st.sampled_from(
    [
        b"permessage-deflate",
        b"permessage-deflate; client_max_window_bits",
        b"permessage-deflate; server_no_context_takeover; client_no_context_takeover",
        b"permessage-deflate; server_max_window_bits=9; client_max_window_bits=9",
        b"permessage-deflate; server_max_window_bits=8",
        b"permessage-deflate; client_max_window_bits=7, permessage-deflate",
        b"permessage-deflate; x=y",
        b'x-webkit-deflate-frame, permessage-deflate; client_max_window_bits="10"',
        b"permessage-deflate; client_no_context_takeover; client_no_context_takeover",
    ]
)
_OPENING_FIELDS = st.lists(
    st.sampled_from(
        [
            *(b"Sec-WebSocket-Protocol: a, b", b"Sec-WebSocket-Protocol: c", b"Origin: http://a"),
            *(b"Connection: keep-alive", b"Sec-WebSocket-Version: 8", b"Content-Length: 0"),
        ]
    ),
    max_size=2,
)
_ODD_OPENINGS = mutated(_OPENING_FIELDS.map(lambda fields: handshake(*fields)))

# Messages

_TEXTS = mostly(
    st.text(max_size=20).map(lambda text: text.encode("utf-8", "surrogatepass")),
    st.one_of(
        st.binary(max_size=12),
        st.sampled_from(
            [
                *(b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xf0\x9f\x98", b"a\xff"),
                *(b"\xe2\x82", b"\xf8\x88\x80\x80\x80", b"\xf4\x8f\xbf\xbf", b"\xef\xbf\xbf"),
            ]
        ),
    ),
    9,
)
_SIZES = mostly(st.integers(0, 130), st.one_of(around(126, 1000), around(0xFFFF, MESSAGE_LIMIT)), 9)
_BINARIES = _SIZES.map(filler)
_CODES = mostly(
    st.sampled_from([1000, 1001, 1003, 3000, 4999]),
    st.sampled_from([0, 999, 1004, 1005, 1006, 1014, 1015, 1016, 2999, 5000, 65535]),
    5,
)
_CLOSES = st.one_of(
    st.just(close()),
    st.builds(close, _CODES, mostly(st.text(max_size=10).map(str.encode), _TEXTS, 5)),
    st.sampled_from([frame(8, b"\x03"), frame(8, b"\x03\xe8" + b"r" * 123)]),
)
_PAYLOADS = st.binary(max_size=8)
_CONTROLS = mostly(
    st.one_of(_PAYLOADS.map(ping), _PAYLOADS.map(pong)),
    st.sampled_from(
        [
            *(
                ping(b"p" * 125),
                ping(b"p" * 126),
                ping(fin=False),
                pong(rsv=RSV1),
                close(fin=False),
            ),
            *(frame(11), frame(15, b"a"), frame(3), ping(key=None), ping(form=16), pong(form=64)),
        ]
    ),
    9,
)
_Form = dict[str, Any]
_ODD_FORMS: list[_Form] = [
    *({"rsv": RSV1}, {"rsv": RSV2}, {"rsv": RSV3}, {"key": None}, {"form": 16}, {"form": 64}),
    *({"form": 64, "length": 2**63}, {"form": 64, "length": 2**40}, {"form": 7, "length": 0}),
]
_FORMS: st.SearchStrategy[_Form] = one_in(40, _ODD_FORMS, {})
# -1 for the one that is due.
_OPCODES = one_in(25, [CONTINUATION, TEXT, BINARY, 5], -1)
_KEYS = st.sampled_from([b"\x37\xfa\x21\x3d", b"\x00\x00\x00\x00", b"\xff\x00\x80\x01"])
_PLACES = st.lists(st.integers(0, 2000), max_size=3)


def _draw_message(draw: st.DrawFn, deflater: list[bytes] | None) -> list[bytes]:
    """Draw a message, in fragments, perhaps compressed and with control frames between them."""
    opcode = draw(st.sampled_from([TEXT, TEXT, BINARY]))
    payload = draw(_TEXTS if opcode == TEXT else _BINARIES)
    rsv = 0
    if deflater is not None and draw(st.booleans()):
        deflater.append(payload)
        payload, rsv = deflated(*deflater)[-1], RSV1
        payload += draw(one_in(25, [b"\x00", b"\xff\xff", b"\x00\x00\xff\xff", b"\x03\x00"], b""))
    pieces = cut(payload, draw(_PLACES)) or [b""]
    frames: list[bytes] = []
    for number, piece in enumerate(pieces):
        usual = CONTINUATION if number else opcode
        form: _Form = {"key": draw(_KEYS), "rsv": 0 if number else rsv, **draw(_FORMS)}
        kind = draw(_OPCODES)
        final = number + 1 == len(pieces)
        frames.append(frame(usual if kind < 0 else kind, piece, fin=final, **form))
        if not final and draw(st.booleans()):
            frames.append(draw(_CONTROLS))
    return frames


def _draw_frames(draw: st.DrawFn, compresses: bool) -> list[bytes]:
    deflater: list[bytes] | None = [] if compresses else None
    frames: list[bytes] = []
    for _ in range(draw(st.integers(0, 4))):
        one = [draw(_CONTROLS)] if not draw(st.integers(0, 3)) else _draw_message(draw, deflater)
        frames += one
    if draw(st.booleans()):
        frames.append(draw(_CLOSES))
        frames += [draw(_CONTROLS) for _ in range(draw(one_in(4, [1], 0)))]
    return frames[:_MOST_FRAMES]


def _draw_fault(draw: st.DrawFn, frames: list[bytes]) -> list[bytes]:
    """Put one fault into a stream of frames."""
    number = draw(st.integers(0, len(frames) - 1))
    one = frames[number]
    place = draw(st.integers(0, min(len(one) - 1, 16)))
    match draw(st.sampled_from(["bit", "drop", "insert", "truncate", "twice", "without"])):
        case "bit":
            flipped = one[place] ^ (1 << draw(st.integers(0, 7)))
            changed = [one[:place] + bytes([flipped]) + one[place + 1 :]]
        case "drop":
            changed = [one[:place] + one[place + 1 :]]
        case "insert":
            changed = [one[:place] + draw(st.binary(min_size=1, max_size=2)) + one[place:]]
        case "truncate":
            return [*frames[:number], one[: place + 1]]
        case "twice":
            changed = [one, one]
        case _:
            changed = []
    return [*frames[:number], *changed, *frames[number + 1 :]]


@st.composite
def sessions(draw: st.DrawFn) -> bytes:
    """Draw an opening handshake and the frames behind it."""
    compresses = draw(st.booleans())
    fields = draw(_OPENING_FIELDS) if not draw(st.integers(0, 9)) else []
    if compresses:
        fields = [*fields, b"Sec-WebSocket-Extensions: " + draw(_OFFERS)]
    opening = handshake(*fields) if draw(st.integers(0, 30)) else draw(_ODD_OPENINGS)
    frames = _draw_frames(draw, compresses)
    for _ in range(draw(one_in(2, [1, 1, 2], 0))):
        frames = _draw_fault(draw, frames) if frames else frames
    return opening + b"".join(frames)
