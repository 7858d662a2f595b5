"""Frames (RFC 6455 section 5): what is read, what fails the connection, and what is bounded."""

from __future__ import annotations

from typing import Any

from tests.conformance.cases.websocket_build import (
    CHOICE,
    LISTEN,
    binary,
    close,
    echoed,
    fails,
    got,
    message,
    more,
    ping,
    pong,
    ponged,
    session,
    text,
)
from tests.conformance.model import (
    AwaitFrame,
    Case,
    CheckMemory,
    Fate,
    Fill,
    Frame,
    Level,
    MarkMemory,
    Reset,
    Send,
    Step,
    StopReading,
)
from tests.conformance.websocket_frames import (
    CLOSE,
    PING,
    PONG,
    RSV1,
    RSV2,
    RSV3,
    frame,
)

FRAMES = "RFC 6455 section 5.2"
MASKING = "RFC 6455 section 5.1"
FRAGMENTS = "RFC 6455 section 5.4"
CONTROL = "RFC 6455 section 5.5"
PINGS = "RFC 6455 section 5.5.2"
PONGS = "RFC 6455 section 5.5.3"
UTF8 = "RFC 6455 section 8.1"
SIZES = "RFC 6455 section 10.4"

MIB = 1_048_576
OCTETS = bytes(range(256))
SMALL = ("--ws-max-size", "1000")


def _sound() -> list[Case]:
    def back(name: str, clause: str, says: str, sent: bytes | Send, *come: Any) -> Case:
        """Write a case of one message or several that are echoed."""
        frames = tuple(item if isinstance(item, Frame) else got(item) for item in come)
        seen = tuple(message(item) for item in come if not isinstance(item, Frame))
        return echoed(name, 96, clause, says, sent, back=frames, seen=seen)

    def sized(size: int) -> Case:
        data = (OCTETS * (size // 256 + 1))[:size]
        # The header decides: in the split run it goes byte by byte, the long payload at once.
        step = Send(binary(data), atomic=size > 1000)
        expected = data if size <= 4096 else None
        seen = () if expected is None else (message(data),)
        return echoed(
            f"length-{size}",
            96,
            FRAMES,
            f"a payload of {size} octets",
            step,
            back=(got(data),),
            seen=seen,
        )

    keys = {"zero": bytes(4), "ones": b"\xff" * 4, "mixed": b"\x00\xff\x0a\x80"}
    smile = "\U0001f600".encode()
    return [
        back("text", FRAMES, "a text", text("Hello"), "Hello"),
        back("text-empty", FRAMES, "an empty text", text(""), ""),
        back("binary", FRAMES, "every octet", binary(OCTETS), OCTETS),
        back("binary-empty", FRAMES, "empty binary data", binary(b""), b""),
        back("binary-no-utf-8", FRAMES, "data that is no UTF-8", binary(b"\xff\xfe"), b"\xff\xfe"),
        *map(sized, (1, 125, 126, 127, 128, 65_535, 65_536, 70_000)),
        *(
            back(f"key-{name}", "RFC 6455 section 5.3", "any key", text("a" * 9, key=key), "a" * 9)
            for name, key in keys.items()
        ),
        back(
            "keys",
            "RFC 6455 section 5.3",
            "each frame has its own key",
            text("Hel", fin=False, key=b"abcd") + more("lo", key=b"efgh") + text("x", key=b"ijkl"),
            "Hello",
            "x",
        ),
        back("several", FRAMES, "in order", text("1") + binary(b"2") + text("3"), "1", b"2", "3"),
        back("fragments", FRAGMENTS, "two", text("Hel", fin=False) + more("lo"), "Hello"),
        back(
            "fragments-binary", FRAGMENTS, "data", binary(b"a", fin=False) + more(b"\xff"), b"a\xff"
        ),
        back(
            "fragments-octets",
            FRAGMENTS,
            "one octet each",
            text("H", fin=False) + b"".join(more(c, fin=False) for c in "ello") + more("!"),
            "Hello!",
        ),
        back(
            "fragments-empty",
            FRAGMENTS,
            "some of them empty",
            text("", fin=False) + more("a", fin=False) + more("", fin=False) + more("b") + text(""),
            "ab",
            "",
        ),
        back("fragments-all-empty", FRAGMENTS, "all", text("", fin=False) + more(""), ""),
        back(
            "fragments-two",
            FRAGMENTS,
            "two messages in two each",
            text("a", fin=False) + more("b") + binary(b"c", fin=False) + more(b"d"),
            "ab",
            b"cd",
        ),
        back(
            "fragments-ping",
            FRAGMENTS,
            "a ping between them is answered, the message is one",
            text("Hel", fin=False) + ping(b"now") + more("lo"),
            "Hello",
            ponged(b"now"),
        ),
        back(
            "fragments-pong",
            FRAGMENTS,
            "a pong between them is nothing",
            text("Hel", fin=False) + pong(b"now") + more("lo"),
            "Hello",
        ),
        back(
            "fragments-character",
            UTF8,
            "a character spread over four of them, and a ping",
            text(smile[:1], fin=False)
            + more(smile[1:2], fin=False)
            + ping()
            + more(smile[2:3], fin=False)
            + more(smile[3:]),
            "\U0001f600",
            ponged(),
        ),
        back("utf-8", UTF8, "characters of 1 to 4", text("a\x00é€\U0010ffff"), "a\x00é€\U0010ffff"),
        back(
            "utf-8-edges", UTF8, "edges of ranges", text("\ud7ff\ue000\uffff"), "\ud7ff\ue000\uffff"
        ),
        back("utf-8-bom", UTF8, "a byte order mark stays", text("\ufeffa"), "\ufeffa"),
    ]


def _control() -> list[Case]:
    def answered(name: str, clause: str, says: str, sent: bytes, *back: Frame, **more: Any) -> Case:
        return echoed(name, 98, clause, says, sent, back=back, **more)

    return [
        answered("ping", PINGS, "is answered", ping(b"Hello"), ponged(b"Hello")),
        answered("ping-empty", PINGS, "without a payload", ping(), ponged()),
        answered("ping-125", PINGS, "with the longest", ping(OCTETS[:125]), ponged(OCTETS[:125])),
        answered("ping-no-utf-8", PINGS, "with any octets", ping(b"\xff\x00"), ponged(b"\xff\x00")),
        answered(
            "pings",
            PINGS,
            "each is answered, in order",
            ping(b"1") + ping(b"2") + ping(b"3"),
            ponged(b"1"),
            ponged(b"2"),
            ponged(b"3"),
            level=CHOICE,
        ),
        answered(
            "ping-and-text",
            PINGS,
            "beside messages",
            ping(b"1") + text("a") + ping(b"2"),
            got("a"),
            ponged(b"1"),
            ponged(b"2"),
        ),
        answered("pong", PONGS, "an unsolicited pong is nothing", pong()),
        answered(
            "pong-payload", PONGS, "nor with a payload", pong(b"x" * 125) + text("a"), got("a")
        ),
        session(
            "ping-flood",
            98,
            "bounded memory",
            "pings of a client that does not read are not answered without bound",
            StopReading(),
            Fill(ping(bytes(125)), at_most=24 * MIB, times=262_144),
            Reset(),
            fate=Fate.ANY,
            app=(LISTEN,),
            level=CHOICE,
            own_process=True,
            splittable=False,
        ),
    ]


def _broken() -> list[Case]:
    def bad(name: str, clause: str, says: str, *steps: bytes | Step, **details: Any) -> Case:
        return fails(f"bad-{name}", 106, clause, says, *steps, code=1002, **details)

    unmasked = {
        "text": text("Hello", key=None),
        "binary": binary(b"Hello", key=None),
        "empty": text("", key=None),
        "ping": ping(b"x", key=None),
        "pong": pong(b"x", key=None),
        "close": close(1000, key=None),
        "continuation": text("a", fin=False) + more("b", key=None),
    }
    bits = {"rsv1": RSV1, "rsv2": RSV2, "rsv3": RSV3, "rsv-all": RSV1 | RSV2 | RSV3}
    kinds = {"ping": PING, "pong": PONG, "close": CLOSE}
    # The shortest form is the sender's duty (section 5.2).
    choice = Level.CHOICE
    first = text("a", fin=False)
    return [
        *(bad(f"unmasked-{name}", MASKING, "no mask", sent) for name, sent in unmasked.items()),
        bad("unmasked-second", MASKING, "in the second frame", text("a"), AwaitFrame("text"),
            text("b", key=None), back=(got("a"),), seen=(message("a"),)),
        *(bad(f"{name}-text", FRAMES, name, text("a", rsv=rsv)) for name, rsv in bits.items()),
        *(bad(f"{name}-ping", FRAMES, name, ping(rsv=rsv)) for name, rsv in bits.items()),
        *(
            bad(f"{name}-continuation", FRAMES, name, first + more("b", rsv=rsv))
            for name, rsv in bits.items()
        ),
        bad("rsv1-close", FRAMES, "rsv1 on a close frame", close(1000, rsv=RSV1)),
        *(
            bad(f"opcode-{opcode}", FRAMES, f"the reserved opcode {opcode}", frame(opcode, b"a"))
            for opcode in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15)
        ),
        bad("opcode-3-empty", FRAMES, "without a payload", frame(3)),
        bad("opcode-3-not-final", FRAMES, "as a fragment", frame(3, b"a", fin=False)),
        bad("opcode-11-inside", FRAMES, "between fragments", first + frame(11) + more("b")),
        *(
            bad(f"long-{name}", CONTROL, "126 octets in a control frame", frame(opcode, bytes(126)))
            for name, opcode in kinds.items()
        ),
        *(
            bad(
                f"long-form-{name}",
                FRAMES,
                "2 in 16 bits",
                frame(opcode, b"\x03\xe8", form=16),
                level=choice,
            )
            for name, opcode in kinds.items()
        ),
        *(
            bad(f"fragment-{name}", CONTROL, "a fragment", frame(opcode, fin=False))
            for name, opcode in kinds.items()
        ),
        bad("fragment-ping-rest", CONTROL, "and its rest", ping(b"a", fin=False) + more(b"b")),
        bad("continuation", FRAGMENTS, "without a beginning", more("a")),
        bad("continuation-empty", FRAGMENTS, "an empty one", more("")),
        bad("continuation-not-final", FRAGMENTS, "one of more", more("a", fin=False)),
        bad("continuation-after", FRAGMENTS, "after the end of a message", text("a"),
            AwaitFrame("text"), more("b"), back=(got("a"),), seen=(message("a"),)),
        bad("text-inside", FRAGMENTS, "a text within a message", first + text("b")),
        bad("binary-inside", FRAGMENTS, "data within a message", first + binary(b"b")),
        bad("text-inside-again", FRAGMENTS, "not final, too", first + text("b", fin=False)),
        bad("length-16-of-0", FRAMES, "0 in 16 bits", text("", form=16), level=choice),
        bad("length-16-of-125", FRAMES, "125 in 16 bits", text("a" * 125, form=16), level=choice),
        bad("length-64-of-0", FRAMES, "0 in 64 bits", text("", form=64), level=choice),
        bad("length-64-of-126", FRAMES, "126 in 64 bits", text("a" * 126, form=64), level=choice),
        bad("length-64-of-65535", FRAMES, "65,535 in 64 bits",
            Send(binary(bytes(65_535), form=64), atomic=True), level=choice),
        bad("length-top-bit", FRAMES, "the top bit of a length is 0",
            text("", form=64, length=1 << 63), alternatives=(1009,), level=Level.SHOULD,),
        bad("length-all-bits", FRAMES, "a length of 2^64-1",
            text("", form=64, length=(1 << 64) - 1), alternatives=(1009,), level=Level.SHOULD,),
        bad("then-good", "RFC 6455 section 7.1.7", "nothing is read behind it",
            frame(3) + text("late") + ping(b"late")),
        bad("behind-good", "RFC 6455 section 7.1.7", "what came before it is still echoed",
            text("good") + frame(3), back=(got("good"),), seen=(message("good"),), level=CHOICE),
        bad("header-alone", FRAMES, "a header is judged before its payload has come",
            frame(3, length=100)[:6], level=CHOICE),
        bad("header-alone-ping", CONTROL, "a control frame's, too",
            frame(PING, form=16, length=126)[:4], level=CHOICE),
    ]  # fmt: skip


def _utf_8() -> list[Case]:
    def bad(name: str, says: str, *steps: bytes | Step, **details: Any) -> Case:
        return fails(f"utf-8-{name}", 107, UTF8, says, *steps, code=1007, **details)

    sequences = {
        "80": "a continuation alone",
        "bf": "a continuation alone",
        "6180": "behind a letter",
        "c0af": "overlong",
        "c1bf": "overlong",
        "e08080": "overlong",
        "e09fbf": "overlong",
        "f0808080": "overlong",
        "f08fbfbf": "overlong",
        "eda080": "a surrogate",
        "edbfbf": "a surrogate",
        "eda080edb080": "a pair of surrogates",
        "f4908080": "beyond U+10FFFF",
        "f5808080": "beyond U+10FFFF",
        "f888808080": "five octets",
        "fc8480808080": "six octets",
        "fe": "never in UTF-8",
        "ff": "never in UTF-8",
        "c341": "one continuation missing",
        "e28241": "one of two missing",
        "e24182": "the first of two missing",
        "f09f9841": "one of three missing",
        "c3c3a9": "a beginning twice",
        "c3": "cut at the end",
        "e282": "cut at the end",
        "f09f98": "cut at the end",
        "63616665cc": "cut behind letters",
    }
    fragments = {
        "second": [b"good", b"\xff"],
        "across": [b"\xc3", b"A"],
        "across-empty": [b"\xe2", b"", b"("],
        "surrogate-across": [b"\xed", b"\xa0\x80"],
        "overlong-across": [b"\xe0", b"\x80\x80"],
        "cut": [b"\xf0\x9f", b"\x98"],
        "cut-empty": [b"\xe2\x82", b""],
    }
    positions = (0, 1, 3, 7, 8, 15, 16, 31, 32, 63, 64, 98, 99)
    letters = b"0123456789" * 10
    return [
        *(bad(f"of-{code}", says, text(bytes.fromhex(code))) for code, says in sequences.items()),
        *(
            bad(f"at-{index}", "wherever it is", text(letters[:index] + b"\xff" + letters[index:99]))
            for index in positions
        ),
        *(
            bad(
                f"fragments-{name}",
                "in fragments",
                text(first, fin=False)
                + b"".join(more(part, fin=False) for part in middle)
                + more(last),
            )
            for name, (first, *middle, last) in fragments.items()
        ),
        bad("early", "at the first bad octet, before the message has ended",
            text(b"good\xff", fin=False), level=CHOICE),
        bad("early-in-frame", "and before its frame has ended",
            text(b"good\xff" + bytes(100))[:-50], level=CHOICE),
        bad("early-surrogate", "as soon as nothing can make it good",
            text(b"\xed\xa0" + bytes(9))[:-9], level=CHOICE),
        bad("second-message", "in the second message", text("good"), AwaitFrame("text"),
            text(b"\xff"), back=(got("good"),), seen=(message("good"),)),
    ]  # fmt: skip


def _sizes() -> list[Case]:
    """Write messages at the limit and beyond, and what must not cost memory."""

    def big(name: str, says: str, *steps: bytes | Step, **details: Any) -> Case:
        details.setdefault("options", SMALL)
        return fails(f"size-{name}", 107, SIZES, says, *steps, code=1009, **details)

    def fits(name: str, says: str, sent: bytes, *back: Frame) -> Case:
        return echoed(f"size-{name}", 107, SIZES, says, sent, back=back, options=SMALL)

    def heavy(name: str, says: str, growth: int, *steps: bytes | Step, **details: Any) -> Case:
        details.setdefault("app", (LISTEN,))
        return fails(
            f"memory-{name}",
            107,
            SIZES,
            says,
            MarkMemory(),
            *steps,
            CheckMemory(growth),
            code=1009,
            own_process=True,
            splittable=False,
            level=CHOICE,
            **details,
        )

    full = b"x" * 1000
    pieces = (text(full[:600], fin=False), more(full[:400]))
    begun = text(full[:600], fin=False)
    piece = more(bytes(65_536), fin=False)
    tiny = b"".join(more(b"y", fin=False) for _ in range(1000)) * 50
    return [
        fits("at-limit", "a message of the limit's size", text(full), got("x" * 1000)),
        fits("at-limit-binary", "of data", binary(full), got(full)),
        fits("at-limit-fragments", "in fragments", pieces[0] + pieces[1], got("x" * 1000)),
        fits("at-limit-octets", "octets count", text("é" * 500), got("é" * 500)),
        fits("each", "every message by itself", text(full) * 2, *[got("x" * 1000)] * 2),
        big("over", "one octet more", text(full + b"x")),
        big("over-binary", "of data", binary(full + b"x")),
        big("over-octets", "octets count, not characters", text("é" * 501)),
        big("over-header", "known from its header alone", text(full + b"x")[:8]),
        big("over-fragments", "in fragments", begun + more(full[:401])),
        big("over-fragments-header", "by the second's header", begun + more(full[:401])[:8]),
        big("over-last", "by the last of many", begun + more(b"x" * 400, fin=False) + more(b"x")),
        echoed(
            "size-control",
            107,
            SIZES,
            "control frames do not count",
            begun + ping(b"y" * 125) * 5 + more(full[:400]),
            back=(got("x" * 1000), *([ponged(b"y" * 125)] * 5)),
            options=SMALL,
        ),
        session(
            "size-large",
            96,
            SIZES,
            "a message of 1 MiB",
            binary(bytes(MIB)),
            AwaitFrame("binary"),
            close(1000),
            frames=(Frame("binary", size=MIB), Frame("close", code=1000)),
            splittable=False,
        ),
        heavy(
            "claim",
            "a header that claims 1 GiB is refused; nothing is set aside for it",
            32 * MIB,
            binary(b"", form=64, length=1 << 30) + bytes(65_536),
            AwaitFrame("close"),
        ),
        heavy(
            "fragments",
            "a message that never ends, in fragments",
            96 * MIB,
            binary(b"", fin=False) + piece * 257,
            AwaitFrame("close"),
        ),
        session(
            "memory-empty-fragments",
            107,
            SIZES,
            "empty fragments cost nothing",
            MarkMemory(),
            text("", fin=False) + more("", fin=False) * 50_000,
            more("end"),
            AwaitFrame("text"),
            CheckMemory(16 * MIB),
            close(1000),
            frames=(got("end"), Frame("close", code=1000)),
            own_process=True,
            splittable=False,
            level=CHOICE,
        ),
        session(
            "memory-tiny-fragments",
            107,
            SIZES,
            "fragments of an octet cost what their octets do",
            MarkMemory(),
            binary(b"", fin=False) + tiny + more(b""),
            AwaitFrame("binary"),
            CheckMemory(16 * MIB),
            close(1000),
            frames=(Frame("binary", b"y" * 50_000), Frame("close", code=1000)),
            own_process=True,
            splittable=False,
            level=CHOICE,
        ),
    ]


CASES = (*_sound(), *_control(), *_broken(), *_utf_8(), *_sizes())
