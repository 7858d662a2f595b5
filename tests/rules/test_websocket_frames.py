"""Frames: RFC 6455 sections 5.1 to 5.5 and 7.4, RFC 7692 section 6."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esg.errors import WebSocketFailure
from tests.rules.twins import rule

websocket_frames = rule("websocket_frames")

MAX = 1000
KEY = b"\x01\x02\x03\x04"


def frame(first: int, payload: bytes = b"", masked: bool = True) -> bytes:
    """Write a client's frame; a key of zeros would do as well, nobody unmasks."""
    size = len(payload)
    mask = 0x80 if masked else 0
    if size < 126:
        length = bytes((mask | size,))
    elif size < 0x10000:
        length = bytes((mask | 126,)) + size.to_bytes(2, "big")
    else:
        length = bytes((mask | 127,)) + size.to_bytes(8, "big")
    return bytes((first,)) + length + (KEY if masked else b"") + payload


TEXT, BINARY, MORE, CLOSE, PING, PONG = 0x81, 0x82, 0x00, 0x88, 0x89, 0x8A
START, END = 0x01, 0x80
COMPRESSED = 0xC1


def scan(
    websocket_frames: ModuleType, pieces: list[bytes], compression: bool = False
) -> tuple[int, int, str]:
    """Scan pieces; return how many bytes are lawful, and the code and reason of the failure."""
    scanner = websocket_frames.FrameScanner(websocket_frames.FrameRules(MAX, compression))
    lawful = 0
    for piece in pieces:
        lawful += scanner.scan(piece)
        if scanner.failure is not None:
            return lawful, scanner.failure.code, scanner.failure.reason
    return lawful, 0, ""


LAWFUL = [
    pytest.param(frame(TEXT, b"abc"), id="text"),
    pytest.param(frame(BINARY), id="an empty message"),
    pytest.param(frame(TEXT, b"a" * 125) + frame(TEXT, b"a" * 126), id="both short forms"),
    pytest.param(frame(TEXT, b"a" * MAX), id="as large as allowed"),
    pytest.param(frame(START, b"a") + frame(MORE) + frame(END, b"b"), id="fragments"),
    pytest.param(frame(START, b"a" * 600) + frame(END, b"b" * 400), id="fragments at the limit"),
    pytest.param(frame(TEXT, b"a" * 600) + frame(TEXT, b"b" * 600), id="each message for itself"),
    pytest.param(
        frame(START) + frame(PING, b"p" * 125) + frame(PONG) + frame(END), id="control between"
    ),
    pytest.param(frame(CLOSE, b"\x03\xe8"), id="close"),
]


@pytest.mark.parametrize("data", LAWFUL)
def test_lawful_frames(websocket_frames: ModuleType, data: bytes) -> None:
    assert scan(websocket_frames, [data]) == (len(data), 0, "")


UNLAWFUL = [
    *(pytest.param(frame(0x80 | n), 2, 1002, "opcode", id=f"opcode {n}") for n in range(3, 8)),
    *(pytest.param(frame(0x80 | n), 2, 1002, "opcode", id=f"opcode {n}") for n in range(11, 16)),
    pytest.param(frame(0xC1), 2, 1002, "reserved bit", id="RSV1 without compression"),
    pytest.param(frame(0xA1), 2, 1002, "reserved bit", id="RSV2"),
    pytest.param(frame(0x91), 2, 1002, "reserved bit", id="RSV3"),
    pytest.param(frame(TEXT, b"a", masked=False), 2, 1002, "masked", id="unmasked"),
    pytest.param(frame(PING & 0x7F), 2, 1002, "fragmented control", id="a fragmented ping"),
    pytest.param(frame(CLOSE & 0x7F), 2, 1002, "fragmented control", id="a fragmented close"),
    pytest.param(frame(PING, b"a" * 126), 2, 1002, "too long", id="a long ping"),
    pytest.param(frame(CLOSE, b"a" * 70000), 2, 1002, "too long", id="a very long close"),
    pytest.param(frame(END), 2, 1002, "nothing to continue", id="continuation of nothing"),
    pytest.param(b"\x81\xfe\x00\x7d", 4, 1002, "not minimal", id="125 in 2 octets"),
    pytest.param(b"\x81\xff" + b"\xff\xff".rjust(8, b"\0"), 10, 1002, "minimal", id="8 octets"),
    pytest.param(b"\x81\xff\x80" + bytes(7), 10, 1002, "highest bit", id="the highest bit"),
    pytest.param(b"\x81\xff" + b"\xff" * 8, 10, 1002, "highest bit", id="all bits"),
    pytest.param(b"\x81\xff\x7f" + b"\xff" * 7, 10, 1009, "too big", id="the largest length"),
    pytest.param(frame(TEXT, b"a" * (MAX + 1)), 4, 1009, "too big", id="over the limit"),
]


@pytest.mark.parametrize(("data", "seen_in", "code", "reason"), UNLAWFUL)
def test_unlawful_frames(
    websocket_frames: ModuleType, data: bytes, seen_in: int, code: int, reason: str
) -> None:
    """A verdict needs no byte more than those that show it, and no split changes it."""
    before = frame(TEXT, b"abc")
    for pieces in (
        [before + data],
        [before, data],
        [bytes((byte,)) for byte in before + data],
        [before + data[:seen_in]],
    ):
        _, found, why = scan(websocket_frames, pieces)
        assert found == code
        assert reason in why
    assert scan(websocket_frames, [before + data[: seen_in - 1]])[1] == 0
    assert scan(websocket_frames, [before + data])[0] == len(before)


@pytest.mark.parametrize(
    ("frames", "code"),
    [
        pytest.param([frame(START), frame(TEXT)], 1002, id="a message inside another"),
        pytest.param([frame(START), frame(END), frame(END)], 1002, id="continued after its end"),
        pytest.param([frame(START, b"a" * 600), frame(END, b"b" * 401)], 1009, id="too big in all"),
        pytest.param(
            [frame(START, b"a" * 600), frame(PING, b"p" * 100), frame(MORE, b"b" * 401)],
            1009,
            id="too big, control between",
        ),
    ],
)
def test_unlawful_order(websocket_frames: ModuleType, frames: list[bytes], code: int) -> None:
    before = sum(map(len, frames[:-1]))
    assert scan(websocket_frames, [b"".join(frames)])[:2] == (before, code)
    assert scan(websocket_frames, frames)[:2] == (before, code)


@pytest.mark.parametrize(
    ("frames", "code"),
    [
        pytest.param([frame(COMPRESSED, b"a" * 1070)], 0, id="more than the limit, compressed"),
        pytest.param([frame(COMPRESSED, b"a" * 1080)], 1009, id="more than it can have grown"),
        pytest.param([frame(0x41), frame(END, b"a" * 1070)], 0, id="the first frame says it"),
        pytest.param([frame(0x41), frame(END, b"a" * 1080)], 1009, id="fragments, too big"),
        pytest.param([frame(0x41), frame(0xC0)], 1002, id="RFC 7692 6.1: RSV1 on another"),
        pytest.param([frame(0xC9)], 1002, id="RFC 7692 6.1: RSV1 on a ping"),
        pytest.param([frame(0xE1)], 1002, id="RSV2 besides"),
        pytest.param([frame(COMPRESSED), frame(TEXT, b"a" * 1001)], 1009, id="then a plain one"),
    ],
)
def test_compressed_frames(websocket_frames: ModuleType, frames: list[bytes], code: int) -> None:
    assert scan(websocket_frames, frames, compression=True)[1] == code


def test_what_a_header_says(websocket_frames: ModuleType) -> None:
    rules = websocket_frames.FrameRules(MAX, True)
    data = frame(0x41, b"abc") + frame(PING, b"p") + frame(END, b"d" * 200)
    assert rules.read_header(data[:5], 0) == 0
    assert not rules.in_message
    assert rules.read_header(data, 0) == 6
    assert (rules.opcode, rules.final, rules.length) == (websocket_frames.TEXT, False, 3)
    assert (rules.message_opcode, rules.compressed) == (websocket_frames.TEXT, True)
    assert rules.in_message
    assert rules.read_header(bytearray(data), 9) == 6
    assert (rules.opcode, rules.final, rules.length) == (websocket_frames.PING, True, 1)
    assert (rules.message_opcode, rules.in_message) == (websocket_frames.TEXT, True)
    assert rules.read_header(data, 16) == 8
    assert (rules.opcode, rules.length) == (websocket_frames.CONTINUATION, 200)
    assert (rules.message_opcode, rules.compressed) == (websocket_frames.TEXT, True)
    assert (rules.in_message, rules.message_size) == (False, 203)


FRAMES = st.lists(
    st.builds(
        frame,
        st.sampled_from([TEXT, BINARY, START, MORE, END, PING, PONG, CLOSE, 0xC1, 0x83]),
        st.integers(0, 300).map(bytes),
    ),
    max_size=8,
)


@given(frames=FRAMES, noise=st.binary(max_size=12), cuts=st.lists(st.integers(1, 40)))
def test_no_split_changes_the_verdict(
    websocket_frames: ModuleType, frames: list[bytes], noise: bytes, cuts: list[int]
) -> None:
    data = b"".join(frames) + noise
    pieces = []
    rest = data
    for cut in cuts:
        pieces.append(rest[:cut])
        rest = rest[cut:]
    lawful, code, reason = scan(websocket_frames, [data])
    split = scan(websocket_frames, [*pieces, rest])
    assert split[1:] == (code, reason)
    if not code:
        assert split[0] == lawful == len(data)


@pytest.mark.parametrize(
    ("payload", "found"),
    [
        (b"", (1005, "")),
        (b"\x03\xe8", (1000, "")),
        (b"\x0b\xb9by\xc3\xbf", (3001, "byÿ")),
        *((code.to_bytes(2, "big"), (code, "")) for code in (1001, 1003, 1007, 1014, 4999)),
    ],
)
def test_close_payload(
    websocket_frames: ModuleType, payload: bytes, found: tuple[int, str]
) -> None:
    assert websocket_frames.read_close(payload) == found


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        (b"\x03", 1002),
        *(
            (code.to_bytes(2, "big"), 1002)
            for code in (0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535)
        ),
        (b"\x03\xe8\xff", 1007),
        (b"\x03\xe8\xed\xa0\x80", 1007),
        (b"\x03\xe8\xc3", 1007),
    ],
)
def test_unlawful_close_payload(websocket_frames: ModuleType, payload: bytes, code: int) -> None:
    with pytest.raises(WebSocketFailure) as failure:
        websocket_frames.read_close(payload)
    assert failure.value.code == code


@pytest.mark.parametrize(
    ("size", "start"),
    [
        (0, b"\x82\x00"),
        (125, b"\x82\x7d"),
        (126, b"\x82\x7e\x00\x7e"),
        (65535, b"\x82\x7e\xff\xff"),
        (65536, b"\x82\x7f\x00\x00\x00\x00\x00\x01\x00\x00"),
    ],
)
def test_our_frames(websocket_frames: ModuleType, size: int, start: bytes) -> None:
    payload = bytes(size)
    assert websocket_frames.frame(websocket_frames.BINARY, payload) == [start + payload]
    compressed = websocket_frames.frame(websocket_frames.BINARY, memoryview(payload), True)
    assert compressed == [b"\xc2" + start[1:] + payload]


def test_a_large_payload_is_not_copied(websocket_frames: ModuleType) -> None:
    payload: Any = bytearray(65537)
    start, rest = websocket_frames.frame(websocket_frames.BINARY, payload)
    assert start == b"\x82\x7f" + (65537).to_bytes(8, "big")
    assert rest is payload


def test_our_close_frames(websocket_frames: ModuleType) -> None:
    assert websocket_frames.close_frame(1005, "") == [b"\x88\x00"]
    assert websocket_frames.close_frame(1000, "") == [b"\x88\x02\x03\xe8"]
    assert websocket_frames.close_frame(4002, "é") == [b"\x88\x04\x0f\xa2\xc3\xa9"]


@pytest.mark.parametrize(
    ("rest", "is_text"),
    [
        (b"", True),
        *((bytes((first,)), True) for first in (0xC3, 0xE0, 0xED, 0xF4)),
        (b"\xe0\xa0", True),
        (b"\xe0\x9f", False),
        (b"\xed\x9f", True),
        (b"\xed\xa0", False),
        (b"\xf0\x90", True),
        (b"\xf0\x8f", False),
        (b"\xf4\x8f\xbf", True),
        (b"\xf4\x90", False),
        (b"\xe1\x80", True),
    ],
)
def test_text_fails_at_its_first_bad_octet(
    websocket_frames: ModuleType, rest: bytes, is_text: bool
) -> None:
    assert websocket_frames.is_text_so_far(rest) is is_text
