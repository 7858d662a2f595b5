"""Compressed messages (RFC 7692): windows, fragments, and what does not inflate or inflates too far.

Which offers are taken is the business of `websocket_handshake`; here a server that does not
negotiate permessage-deflate is not judged.
"""

from __future__ import annotations

import random
import zlib
from typing import Any

from tests.conformance.cases.websocket_build import (
    CHOICE,
    LISTEN,
    close,
    compressed,
    deflated,
    echoed,
    fails,
    got,
    handshake,
    message,
    more,
    ping,
    ponged,
    session,
    text,
)
from tests.conformance.model import (
    AwaitFrame,
    Case,
    CheckMemory,
    Frame,
    MarkMemory,
    Step,
)
from tests.conformance.websocket_frames import (
    BINARY,
    CONTINUATION,
    FLUSHED,
    PING,
    RSV1,
    RSV2,
    TEXT,
    frame,
)

FRAMING = "RFC 7692 section 6"
PAYLOADS = "RFC 7692 section 7.2.3"
TAKEOVER = "RFC 7692 section 7.1.1"
WINDOWS = "RFC 7692 section 7.1.2"
INFLATING = "RFC 7692 section 7.2.2"
LIMITS = "RFC 6455 section 10.4"

MIB = 1_048_576
EXTENSION = b"Sec-WebSocket-Extensions: permessage-deflate"
SMALL = ("--ws-max-size", "1000")
# What repeats itself at many distances, near and far: a window is soon seen to be too large.
RANDOM = random.Random(7692).randbytes(700)
FAR = RANDOM + bytes(400) + RANDOM + bytes(9000) + RANDOM


def _offer(parameters: bytes = b"") -> bytes:
    return handshake(EXTENSION + parameters)


def _raw(payload: bytes, opcode: int = TEXT, **form: Any) -> bytes:
    """Write a frame whose payload is compressed already."""
    return frame(opcode, payload, rsv=RSV1, **form)


def _good() -> list[Case]:
    def back(
        name: str, clause: str, says: str, *steps: bytes | Step, come: tuple[Any, ...], **more: Any
    ) -> Case:
        frames = tuple(item if isinstance(item, Frame) else got(item) for item in come)
        seen = tuple(message(item) for item in come if isinstance(item, str))
        opening = _offer(more.pop("parameters", b""))
        return echoed(
            name,
            108,
            clause,
            says,
            *steps,
            back=frames,
            seen=seen,
            opening=opening,
            needs="permessage-deflate",
            **more,
        )

    # The payloads of RFC 7692 section 7.2.3.
    hello = bytes.fromhex("f248cdc9c90700")
    payloads = {
        "block": hello,
        "stored-block": bytes.fromhex("000500faff48656c6c6f00"),
        "final-block": bytes.fromhex("f348cdc9c9070000"),
        "two-blocks": bytes.fromhex("f248050000 00ffffcac9c90700".replace(" ", "")),
    }
    one, two, three = deflated(b"Hello, Hello", b"Hello, Hello", b"again: Hello, Hello")
    alone = [deflated(b"Hello, Hello")[0]] * 2
    large = b"0123456789abcdef" * 4096
    return [
        *(
            back(f"payload-{name}", PAYLOADS, "Hello", _raw(data), come=("Hello",))
            for name, data in payloads.items()
        ),
        back("payload-empty", PAYLOADS, "an empty message", _raw(b"\x00"), come=("",)),
        back(
            "final-block-then-more",
            PAYLOADS,
            "after a final block the next message begins anew",
            _raw(payloads["final-block"]) + _raw(hello),
            come=("Hello", "Hello"),
        ),
        back(
            "shared-window",
            PAYLOADS,
            "the second message refers to the first",
            _raw(hello) + _raw(bytes.fromhex("f200110000")),
            come=("Hello", "Hello"),
        ),
        back(
            "takeover",
            TAKEOVER,
            "several messages in one window",
            _raw(one) + _raw(two) + _raw(three),
            come=("Hello, Hello", "Hello, Hello", "again: Hello, Hello"),
        ),
        back(
            "takeover-control",
            TAKEOVER,
            "control frames and uncompressed messages between are no part of it",
            _raw(one) + ping(b"x") + text("Hello, plain") + _raw(two),
            come=("Hello, Hello", "Hello, plain", "Hello, Hello", ponged(b"x")),
        ),
        back(
            "no-client-takeover",
            TAKEOVER,
            "each message in a window of its own",
            b"".join(map(_raw, alone)),
            come=("Hello, Hello", "Hello, Hello"),
            parameters=b"; client_no_context_takeover",
        ),
        back(
            "no-server-takeover",
            TAKEOVER,
            "each of the server's can be inflated alone",
            text("echo, echo, echo, echo " * 9) + text("echo, echo, echo, echo " * 9),
            come=("echo, echo, echo, echo " * 9, "echo, echo, echo, echo " * 9),
            parameters=b"; server_no_context_takeover",
        ),
        back("binary", FRAMING, "data", _raw(deflated(b"\xff" * 99)[0], BINARY), come=(got(b"\xff" * 99),)),
        back("plain", FRAMING, "a message need not be compressed", text("Hello"), come=("Hello",)),
        back(
            "fragments",
            FRAMING,
            "RSV1 on the first fragment alone",
            _raw(hello[:3], fin=False) + more(hello[3:]),
            come=("Hello",),
        ),
        back(
            "fragments-octets",
            FRAMING,
            "one octet each, a ping between, an empty one at the end",
            _raw(b"", fin=False)
            + b"".join(more(hello[i : i + 1], fin=False) for i in range(3))
            + ping(b"x")
            + more(hello[3:], fin=False)
            + more(b""),
            come=("Hello", ponged(b"x")),
        ),
        back(
            "utf-8-across",
            INFLATING,
            "a character over two fragments",
            _raw(deflated("smile \U0001f600".encode())[0][:9], fin=False)
            + more(deflated("smile \U0001f600".encode())[0][9:]),
            come=("smile \U0001f600",),
        ),
        back(
            "answer-compressed",
            FRAMING,
            "what repeats itself is compressed",
            _raw(deflated(large)[0], BINARY),
            come=(got(large, compressed=True),),
            splittable=False,
            level=CHOICE,
        ),
        back(
            "answer-random",
            FRAMING,
            "what cannot be compressed grows by no more than its blocks",
            frame(BINARY, random.Random(1).randbytes(70_000)),
            come=(got(random.Random(1).randbytes(70_000)),),
            splittable=False,
        ),
        *(
            back(
                f"server-window-{bits}",
                WINDOWS,
                f"the server looks back on 2^{bits} octets at most",
                frame(BINARY, FAR),
                frame(BINARY, RANDOM),
                come=(got(FAR), got(RANDOM)),
                parameters=b"; server_max_window_bits=%d" % bits,
                splittable=False,
            )
            for bits in range(8, 16)
        ),
        *(
            back(
                f"client-window-{bits}",
                WINDOWS,
                f"the client looks back on 2^{bits} octets at most",
                *[_raw(part, BINARY) for part in deflated(FAR, FAR, bits=max(bits, 9))],
                come=(got(FAR), got(FAR)),
                parameters=b"; client_max_window_bits=%d" % bits,
                splittable=False,
            )
            for bits in (9, 12, 15)
        ),
    ]  # fmt: skip


def _bad() -> list[Case]:
    def bad(name: str, says: str, *steps: bytes | Step, code: int = 1002, **details: Any) -> Case:
        details.setdefault("clause", FRAMING)
        return fails(
            f"bad-{name}",
            106 if code == 1002 else 107,
            details.pop("clause"),
            says,
            *steps,
            code=code,
            opening=_offer(),
            needs="permessage-deflate",
            **details,
        )

    hello = deflated(b"Hello")[0]
    large = deflated(bytes(1001))[0]
    invalid: dict[str, Any] = {
        "clause": INFLATING,
        "code": 1007,
        "alternatives": (1002, 1003, 1011),
    }
    no_text = deflated(b"\xff" * 100)[0] + FLUSHED
    return [
        bad("rsv1-continuation", "RSV1 on a continuation",
            _raw(hello[:3], fin=False) + _raw(hello[3:], CONTINUATION)),
        bad("rsv1-continuation-plain", "of an uncompressed message",
            text("a", fin=False) + _raw(hello, CONTINUATION)),
        bad("rsv1-ping", "on a ping", _raw(b"", PING)),
        bad("rsv1-close", "on a close frame", close(1000, rsv=RSV1)),
        bad("rsv2", "RSV2 is nobody's", frame(TEXT, hello, rsv=RSV1 | RSV2)),
        bad("block-type", "a block of the reserved type", _raw(b"\x07\x00"), **invalid),
        bad("stored-length", "a stored block whose lengths differ",
            _raw(bytes.fromhex("000500faf048656c6c6f00")), **invalid),
        bad("distance", "a reference beyond the beginning", _raw(bytes.fromhex("f200110000")), **invalid),
        bad("garbage", "what is not deflated", _raw(b"\xff" * 20), **invalid),
        bad("garbage-fragment", "in a later fragment",
            _raw(hello + FLUSHED, fin=False) + more(b"\x07\x00"), **invalid),
        bad("garbage-utf-8", "the same code, wherever the stream is cut, behind text that is no UTF-8",
            _raw(no_text + b"\xff" * 20), **invalid),
        bad("utf-8-size", "text that is no UTF-8 before it is too big",
            _raw(deflated(b"\xff" * 3000)[0]), code=1007, clause=INFLATING, options=SMALL,
            alternatives=(1009,)),
        bad("utf-8", "text that is no UTF-8 once it is inflated",
            _raw(deflated(b"good\xff")[0]), code=1007, clause=INFLATING),
        bad("utf-8-cut", "cut in a character", _raw(deflated(b"good\xc3")[0]), code=1007,
            clause=INFLATING),
        bad("size", "the limit is for what it inflates to", _raw(large, BINARY), code=1009,
            clause=LIMITS, options=SMALL),
        bad("size-fragments", "in fragments", _raw(large[:4], BINARY, fin=False) + more(large[4:]),
            code=1009, clause=LIMITS, options=SMALL),
        echoed(
            "size-at-limit",
            107,
            LIMITS,
            "a message that inflates to the limit",
            _raw(deflated(bytes(1000))[0], BINARY),
            back=(got(bytes(1000)),),
            opening=_offer(),
            options=SMALL,
        ),
        fails(
            "not-negotiated",
            106,
            "RFC 6455 section 5.2",
            "compressed, though nothing was negotiated",
            compressed("Hello"),
            code=1002,
        ),
        fails(
            "switched-off",
            106,
            "RFC 6455 section 5.2",
            "compressed, though it was declined",
            compressed("Hello"),
            code=1002,
            opening=_offer(),
            options=("--no-ws-per-message-deflate",),
        ),
    ]  # fmt: skip


def _bomb(size: int) -> bytes:
    """Compress `size` zeros: a thousandth of that."""
    coder = zlib.compressobj(9, wbits=-15)
    part = coder.compress(bytes(MIB)) + coder.flush(zlib.Z_FULL_FLUSH)
    return (part * (size // MIB))[:-4]


def _memory() -> list[Case]:
    def heavy(name: str, says: str, *steps: bytes, code: int = 1009) -> Case:
        return fails(
            f"memory-{name}",
            107,
            LIMITS,
            says,
            MarkMemory(),
            *steps,
            AwaitFrame("close"),
            CheckMemory(96 * MIB),
            code=code,
            alternatives=(1002, 1007, 1009),
            app=(LISTEN,),
            opening=_offer(),
            own_process=True,
            splittable=False,
            level=CHOICE,
            needs="permessage-deflate",
        )

    bomb = _bomb(256 * MIB)
    half = len(bomb) // 2
    return [
        heavy("bomb", "256 MiB in one frame", _raw(bomb, BINARY)),
        heavy("bomb-text", "of text", _raw(bomb)),
        heavy("bomb-fragments", "in fragments", _raw(bomb[:half], fin=False) + more(bomb[half:])),
        heavy("final-blocks", "a million final blocks", _raw(b"\x03\x00" * MIB), code=1007),
        session(
            "memory-takeover",
            107,
            LIMITS,
            "thousands of compressed messages cost no more than one",
            MarkMemory(),
            b"".join(_raw(part, BINARY) for part in deflated(*[RANDOM * 20] * 1000)),
            close(1000),
            AwaitFrame("close"),
            CheckMemory(64 * MIB),
            app=(LISTEN,),
            frames=(Frame("close", code=1000),),
            opening=_offer(),
            own_process=True,
            splittable=False,
            level=CHOICE,
            needs="permessage-deflate",
        ),
    ]


CASES = (*_good(), *_bad(), *_memory())
