"""The framing of chunked content: RFC 9112 section 7.1."""

from __future__ import annotations

from time import process_time
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esg.errors import RequestRejected
from tests.rules import grammar
from tests.rules.twins import rule

chunk_framing = rule("chunk_framing")

LONGEST_LINE = 1024


def framing(
    chunk_framing: ModuleType, body: int = 0, trailer: int = 65536, fields: int = 100
) -> Any:
    """Make the framing of one message, by default with the limits of the configuration."""
    return chunk_framing.ChunkFraming(body, trailer, fields)


def follow(frames: Any, pieces: list[bytes]) -> tuple[int, bool, int, int]:
    """Scan pieces as a driver does.

    Returns:
        The status of the verdict, 0 for none; whether the message ended, how many bytes belong
        to it (where there was no fault) and its content's size.
    """
    taken = 0
    try:
        for piece in pieces:
            count = frames.scan(piece)
            taken += count
            if count < len(piece):
                assert frames.complete
            if frames.complete:
                break
    except RequestRejected as rejected:
        return rejected.status, False, 0, 0
    return 0, frames.complete, taken, frames.body_size


@pytest.mark.parametrize(
    ("raw", "size"),
    [
        pytest.param(b"0\r\n\r\n", 0, id="RFC 9112 7.1: no content"),
        pytest.param(b"3\r\nabc\r\n0\r\n\r\n", 3, id="RFC 9112 7.1: one chunk"),
        pytest.param(b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", 5, id="RFC 9112 7.1: two chunks"),
        pytest.param(b"a\r\n0123456789\r\n0\r\n\r\n", 10, id="RFC 9112 7.1: hexadecimal"),
        pytest.param(b"A\r\n0123456789\r\n0\r\n\r\n", 10, id="RFC 9112 7.1: in capitals"),
        pytest.param(b"0003\r\nabc\r\n000\r\n\r\n", 3, id="RFC 9112 7.1: 1*HEXDIG"),
        pytest.param(b"%015x\r\nabc\r\n%015d\r\n\r\n" % (3, 0), 3, id="fifteen digits"),
        pytest.param(b"4\r\n\r\n\r\n\r\n0\r\n\r\n", 4, id="content that looks like framing"),
        pytest.param(b"3;a\r\nabc\r\n0;b=c\r\n\r\n", 3, id="RFC 9112 7.1.1: extensions"),
        pytest.param(b'3;a=";\\"\\\\ \t\xff"\r\nabc\r\n0\r\n\r\n', 3, id="RFC 9112 7.1.1: quoted"),
        pytest.param(b'3;a="";b;c=d\r\nabc\r\n0\r\n\r\n', 3, id="RFC 9112 7.1.1: several"),
        pytest.param(b"3\r\nabc\r\n0\r\nA: b\r\nC:\r\n\r\n", 3, id="RFC 9112 7.1.2: trailers"),
        pytest.param(b"0\r\nA: \t\xff!\r\n\r\n", 0, id="RFC 9110 5.5: obs-text in a trailer"),
        pytest.param(
            b"1;%b\r\na\r\n0\r\n\r\n" % (b"a" * (LONGEST_LINE - 4)), 1, id="the longest line"
        ),
    ],
)
def test_lawful_message_ends_where_it_ends(
    chunk_framing: ModuleType, raw: bytes, size: int
) -> None:
    expected = (0, True, len(raw), size)
    for rest in (b"", b"G", b"0\r\n\r\n"):
        assert follow(framing(chunk_framing), [raw + rest]) == expected
        whole = raw + rest
        single = [whole[i : i + 1] for i in range(len(whole))]
        assert follow(framing(chunk_framing), single) == expected


def test_nothing_is_taken_after_the_end(chunk_framing: ModuleType) -> None:
    frames = framing(chunk_framing)
    assert frames.scan(b"0\r\n\r\n") == 5
    assert frames.scan(b"0\r\n\r\n") == 0
    assert frames.scan(b"") == 0


REJECTED = [
    pytest.param(b"\r\n", id="RFC 9112 7.1: no size"),
    pytest.param(b"\n", id="no size, bare LF"),
    pytest.param(b";a\r\n", id="an extension without a size"),
    pytest.param(b"g\r\n", id="no hexadecimal digit"),
    pytest.param(b"0x3\r\n", id="0x"),
    pytest.param(b"+3\r\n", id="a sign"),
    pytest.param(b"-3\r\n", id="a minus"),
    pytest.param(b"1_0\r\n", id="an underscore, which int() takes"),
    pytest.param(b" 3\r\n", id="a space before"),
    pytest.param(b"3 \r\n", id="a space after"),
    pytest.param(b"3\t\r\n", id="a tab after"),
    pytest.param(b"3\x0b\r\n", id="a vertical tab after"),
    pytest.param(b"3 ;a\r\n", id="RFC 9112 7.1.1: BWS before an extension"),
    pytest.param(b"3; a\r\n", id="RFC 9112 7.1.1: BWS in an extension"),
    pytest.param(b"3;a =b\r\n", id="RFC 9112 7.1.1: BWS before ="),
    pytest.param(b"3;a= b\r\n", id="RFC 9112 7.1.1: BWS after ="),
    pytest.param("\u0663\r\n".encode(), id="an Arabic digit"),
    pytest.param(b"3\xb2\r\n", id="a superscript digit"),
    pytest.param(b"3;\r\n", id="RFC 9112 7.1.1: an extension without a name"),
    pytest.param(b"3;a=\r\n", id="RFC 9112 7.1.1: an extension without a value"),
    pytest.param(b"3;=b\r\n", id="RFC 9112 7.1.1: a value without a name"),
    pytest.param(b'3;a="b\r\n', id="RFC 9110 5.6.4: a quote without an end"),
    pytest.param(b'3;a="b\\"\r\n', id="RFC 9110 5.6.4: the end is quoted"),
    pytest.param(b'3;a="b"c\r\n', id="RFC 9110 5.6.4: more after the quote"),
    pytest.param(b'3;a="\x00"\r\n', id="RFC 9110 5.6.4: NUL in quotes"),
    pytest.param(b'3;a="\\\x00"\r\n', id="RFC 9110 5.6.4: NUL quoted"),
    pytest.param(b'3;a="\r"\r\n', id="RFC 9110 5.6.4: CR in quotes"),
    pytest.param(b"3;a\x00\r\n", id="NUL in an extension"),
    pytest.param(b"3;a\xff\r\n", id="obs-text in an extension"),
    pytest.param(b"3,4\r\n", id="two sizes"),
    pytest.param(b"3\nabc\r\n", id="RFC 9112 7.1: bare LF after the size"),
    pytest.param(b"3;a\nabc\r\n", id="RFC 9112 7.1: bare LF after an extension"),
    pytest.param(b'3;a="\n', id="CVE-2025-55315: bare LF in quotes"),
    pytest.param(b"3\rabc\r\n", id="RFC 9112 2.2: bare CR after the size"),
    pytest.param(b"3\r\r\nabc", id="RFC 9112 2.2: CR CR LF"),
    pytest.param(b"0" * 16 + b"\r\n", id="more than fifteen digits"),
    pytest.param(b"f" * 17 + b"\r\n", id="a size beyond 64 bits"),
    pytest.param(b"3\r\nabcd", id="CVE-2025-43859: content goes on"),
    pytest.param(b"3\r\nabcX\n", id="CVE-2025-43859: no CR after the content"),
    pytest.param(b"3\r\nabc\n", id="CVE-2025-43859: bare LF after the content"),
    pytest.param(b"3\r\nabc\rX", id="CVE-2025-43859: bare CR after the content"),
    pytest.param(b"3\r\nabc\r\r\n", id="CVE-2025-43859: CR CR LF after the content"),
    pytest.param(b"3\r\nabc0\r\n\r\n", id="CVE-2025-43859: no line end"),
    pytest.param(b"3\r\nabc\r\n\r\n", id="an empty line for a chunk"),
    pytest.param(b"0\r\n\n", id="RFC 9112 7.1: bare LF at the end"),
    pytest.param(b"0\n\r\n", id="RFC 9112 7.1: bare LF after the last chunk"),
    pytest.param(b"0\r\n\r\r\n", id="RFC 9112 2.2: CR CR LF at the end"),
    pytest.param(b"0\r\nA\r\n", id="RFC 9112 7.1.2: a trailer without a colon"),
    pytest.param(b"0\r\nA : b\r\n", id="RFC 9112 5.1: a space before the colon"),
    pytest.param(b"0\r\n: b\r\n", id="RFC 9110 5.1: a trailer without a name"),
    pytest.param(b"0\r\nA: b\r\n c\r\n", id="RFC 9112 5.2: obs-fold"),
    pytest.param(b"0\r\nA: b\n\r\n", id="RFC 9112 2.2: bare LF after a trailer"),
    pytest.param(b"0\r\nA: b\rc\r\n", id="RFC 9112 2.2: bare CR in a trailer"),
    pytest.param(b"0\r\nA: \x00\r\n", id="RFC 9110 5.5: NUL in a trailer"),
    pytest.param(b"0\r\n3\r\nabc\r\n", id="a chunk after the last one"),
]


REJECTED_BEFORE_ITS_END = [
    pytest.param(b"G", id="no hexadecimal digit"),
    pytest.param(b"\r", id="RFC 9112 7.1: no size"),
    pytest.param(b"0" * 16, id="more than fifteen digits"),
    pytest.param(b"3 ", id="a space after"),
    pytest.param(b"3\rX", id="RFC 9112 2.2: bare CR after the size"),
    pytest.param(b"3;\r", id="RFC 9112 7.1.1: an extension without a name"),
    pytest.param(b"3;=", id="RFC 9112 7.1.1: a value without a name"),
    pytest.param(b"3;a=\r", id="RFC 9112 7.1.1: an extension without a value"),
    pytest.param(b"3;a==", id="RFC 9112 7.1.1: two signs"),
    pytest.param(b'3;a="\r', id="RFC 9110 5.6.4: CR in quotes"),
    pytest.param(b'3;a="\\\x00', id="RFC 9110 5.6.4: NUL quoted"),
    pytest.param(b'3;a="b"c', id="RFC 9110 5.6.4: more after the quote"),
]


@pytest.mark.parametrize("raw", REJECTED_BEFORE_ITS_END)
def test_line_that_cannot_become_lawful_is_a_400_at_once(
    chunk_framing: ModuleType, raw: bytes
) -> None:
    """A parser that reads byte by byte would say so, and the client may wait for it."""
    for before in (b"", b"1\r\na\r\n"):
        assert follow(framing(chunk_framing), [before + raw[:-1]])[0] == 0
        assert follow(framing(chunk_framing), [before + raw])[0] == 400
        assert follow(framing(chunk_framing), [before, raw[:-1], raw[-1:]])[0] == 400


@pytest.mark.parametrize("raw", REJECTED)
def test_fault_is_a_400(chunk_framing: ModuleType, raw: bytes) -> None:
    assert follow(framing(chunk_framing), [raw])[0] == 400
    single = [raw[i : i + 1] for i in range(len(raw))]
    assert follow(framing(chunk_framing), single)[0] == 400


@pytest.mark.parametrize(
    ("raw", "limits", "status"),
    [
        pytest.param(b"5\r\nabcde\r\n0\r\n\r\n", {"body": 5}, 0, id="content at its limit"),
        pytest.param(b"6\r\n", {"body": 5}, 413, id="RFC 9110 15.5.14: beyond, when announced"),
        pytest.param(b"3\r\nabc\r\n3\r\n", {"body": 5}, 413, id="RFC 9110 15.5.14: in sum"),
        pytest.param(b"f" * 15 + b"\r\n", {"body": 5}, 413, id="a size of fifteen digits"),
        pytest.param(b"f" * 15 + b"\r\n", {}, 0, id="no bound"),
        pytest.param(b"1" * 1025, {}, 400, id="a chunk line without an end"),
        pytest.param(b"1;" + b"a" * 1020 + b"\r\n", {}, 0, id="a chunk line at its limit"),
        pytest.param(b"1;" + b"a" * 1021 + b"\r\n", {}, 400, id="a chunk line too long"),
        pytest.param(b"0\r\nA: b\r\n\r\n", {"trailer": 6}, 0, id="trailers at their limit"),
        pytest.param(b"0\r\nA: b\r\n\r\n", {"trailer": 5}, 431, id="RFC 6585 5: trailers too long"),
        pytest.param(b"0\r\nA:\r\nB:\r\n\r\n", {"trailer": 8}, 0, id="two at their limit"),
        pytest.param(b"0\r\nA:\r\nB:\r\n\r\n", {"trailer": 7}, 431, id="RFC 6585 5: in sum"),
        pytest.param(b"0\r\n" + b"A" * 9, {"trailer": 8}, 431, id="a trailer without an end"),
        pytest.param(b"0\r\nA" + b"\x00" * 9 + b"\r\n", {"trailer": 8}, 431, id="long and wrong"),
        pytest.param(b"0\r\nA:\r\nB:\r\n\r\n", {"fields": 2}, 0, id="as many as may be"),
        pytest.param(b"0\r\nA:\r\nB:\r\n\r\n", {"fields": 1}, 431, id="RFC 6585 5: one too many"),
        pytest.param(b"0\r\n\r\n", {"trailer": 0, "fields": 0}, 0, id="no trailers, none allowed"),
    ],
)
def test_limits(chunk_framing: ModuleType, raw: bytes, limits: dict[str, int], status: int) -> None:
    assert follow(framing(chunk_framing, **limits), [raw])[0] == status
    single = [raw[i : i + 1] for i in range(len(raw))]
    assert follow(framing(chunk_framing, **limits), single)[0] == status


# --- Chunk accounting ------------------------------------------------------------------

sizes = st.integers(0, 4)


@st.composite
def messages(draw: st.DrawFn) -> tuple[bytes, int]:
    """Write a lawful message; return it with the size of its content."""
    raw = b""
    contents = draw(st.lists(st.binary(min_size=1, max_size=20), max_size=5))
    for content in contents:
        zeros = b"0" * draw(sizes)
        form = draw(st.sampled_from([b"%x", b"%X"]))
        raw += zeros + form % len(content) + draw(grammar.chunk_extensions) + b"\r\n"
        raw += content + b"\r\n"
    raw += b"0" * (1 + draw(sizes)) + draw(grammar.chunk_extensions) + b"\r\n"
    return raw + draw(grammar.trailers) + b"\r\n", sum(map(len, contents))


@given(message=messages(), rest=st.binary(max_size=9), places=grammar.places)
def test_split_changes_neither_the_verdict_nor_the_count(
    chunk_framing: ModuleType, message: tuple[bytes, int], rest: bytes, places: list[int]
) -> None:
    raw, size = message
    expected = (0, True, len(raw), size)
    assert follow(framing(chunk_framing), [raw + rest]) == expected
    assert follow(framing(chunk_framing), grammar.cut(raw + rest, places)) == expected


@given(
    message=messages(),
    place=st.integers(0, 10_000),
    octet=st.sampled_from(list(b'\r\n\x00 \t;0a"\\:=')),
    kind=st.sampled_from(["insert", "replace", "delete"]),
    places=grammar.places,
    limits=st.fixed_dictionaries(
        {"body": st.integers(0, 30), "trailer": st.integers(0, 60), "fields": st.integers(0, 3)}
    ),
)
def test_split_changes_no_verdict_on_a_damaged_message(
    chunk_framing: ModuleType,
    *,
    message: tuple[bytes, int],
    place: int,
    octet: int,
    kind: str,
    places: list[int],
    limits: dict[str, int],
) -> None:
    raw = bytearray(message[0])
    place %= len(raw)
    after = place if kind == "insert" else place + 1
    raw[place:after] = b"" if kind == "delete" else bytes((octet,))
    whole = follow(framing(chunk_framing, **limits), [bytes(raw)])
    assert follow(framing(chunk_framing, **limits), grammar.cut(bytes(raw), places)) == whole
    single = [bytes((octet,)) for octet in raw]
    assert follow(framing(chunk_framing, **limits), single) == whole


@given(message=messages(), places=grammar.places)
def test_message_cut_short_is_not_complete(
    chunk_framing: ModuleType, message: tuple[bytes, int], places: list[int]
) -> None:
    raw = message[0]
    for end in {len(raw) - 1, len(raw) // 2}:
        status, complete, taken, _ = follow(framing(chunk_framing), grammar.cut(raw[:end], places))
        assert (status, complete, taken) == (0, False, end)


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(b"1\r\na\r\n" * 40_000, id="chunks of one byte"),
        pytest.param(b"0\r\n" + b"a:\r\n" * 40_000, id="many trailers"),
        pytest.param(b"0\r\na:" + b" " * 200_000, id="a trailer without an end"),
    ],
)
@pytest.mark.parametrize("size", [1, 65536])
def test_scanning_costs_what_the_message_is_long(
    chunk_framing: ModuleType, raw: bytes, size: int
) -> None:
    frames = framing(chunk_framing, trailer=10**6, fields=10**6)
    pieces = [raw[i : i + size] for i in range(0, len(raw), size)]
    begun = process_time()
    assert follow(frames, pieces)[0] == 0
    assert process_time() - begun < 5
