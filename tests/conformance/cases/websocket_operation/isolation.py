"""Sessions beside each other, and codecs beside ESG's own."""

from __future__ import annotations

from typing import Any

from tests.conformance.behaviours import HELLO, LIFESPAN, RECEIVE, send
from tests.conformance.cases.build import get, hello, mark
from tests.conformance.cases.websocket_build import (
    ACCEPT,
    ACCEPTED,
    CHOICE,
    CONNECT,
    DEFLATE,
    LISTEN,
    OVER,
    RETURNED,
    UNTIL_DISCONNECT,
    binary,
    close,
    closed,
    compressed,
    disconnect,
    echoed,
    fails,
    got,
    handshake,
    more,
    opened,
    ping,
    ponged,
    session,
    switched,
    text,
)
from tests.conformance.model import (
    AwaitClose,
    AwaitResponse,
    Call,
    Case,
    Connect,
    Frame,
    Response,
    Seen,
    Send,
)
from tests.conformance.websocket_frames import RSV1, RSV2, frame

SCOPE = "ASGI WebSocket 2.5, Connection Scope"
STATE = "ASGI lifespan 2.0, Lifespan State"
CODECS = ("wsproto", "websockets")


def _isolation() -> list[Case]:
    def two(
        name: str, number: int, clause: str, says: str, script: Any, *marks: Seen, **details: Any
    ) -> Case:
        """Write a case of two sessions, one after the other."""
        first, second = marks
        return session(
            name,
            number,
            clause,
            says,
            close(1000),
            AwaitClose(),
            Connect(on="b"),
            Send(handshake(), on="b", atomic=True),
            AwaitResponse(1, on="b"),
            Send(close(1000), on="b"),
            AwaitClose(on="b"),
            app=((*ACCEPT, script, UNTIL_DISCONNECT),),
            responses=(switched(), Response(101, on="b")),
            frames=(OVER, closed(1000, on="b")),
            calls=(Call(holds=(first,)), Call(holds=(second,), on="b")),
            splittable=False,
            **details,
        )

    own: dict[str, Any] = {"own_process": True}
    return [
        two(
            "state-shallow-copy",
            17,
            STATE,
            "each session has a shallow copy of the lifespan's state",
            ("touch_state",),
            mark("n=0 l=[]"),
            mark("n=0 l=['x']"),
            lifespan=(("set_state", {"n": 0, "l": []}), *LIFESPAN),
            **own,
            needs="state",
        ),
        two(
            "context-of-lifespan",
            19,
            "quality",
            "each has its own copy of the lifespan's context",
            ("contextvar", "changed"),
            mark("variable=from lifespan"),
            mark("variable=from lifespan"),
            lifespan=(("contextvar", "from lifespan"), *LIFESPAN),
            level=CHOICE,
            **own,
        ),
        two(
            "scope-of-its-own",
            14,
            SCOPE,
            "and a scope of its own",
            ("spoil_scope",),
            mark("spoilt=False"),
            mark("spoilt=False"),
            level=CHOICE,
            own_process=True,
        ),
        opened(
            "context-behind-get",
            18,
            "asyncio isolation",
            "what a request set before it on the connection is not seen",
            get(b"/1"),
            AwaitResponse(1),
            handshake(),
            app=((("contextvar", "leaked"), *HELLO), (*ACCEPT, ("contextvar", "x"), UNTIL_DISCONNECT)),
            responses=(hello(), switched()),
            calls=(Call(), Call(holds=(mark("variable=unset"),))),
            level=CHOICE,
        ),
    ]  # fmt: skip


def _codecs() -> list[Case]:
    """Write the cases in which other codecs than ESG's own are known to go their own ways."""

    def of(codec: str) -> list[Case]:
        with_codec: dict[str, Any] = {"options": ("--ws", codec)}

        def back(name: str, says: str, sent: bytes, *come: Frame, **details: Any) -> Case:
            clause = "RFC 6455 section 5"
            return echoed(
                f"{codec}-{name}", 96, clause, says, sent, back=come, **with_codec, **details
            )

        def bad(name: str, says: str, *sent: bytes, code: int = 1002, **details: Any) -> Case:
            clause = "RFC 6455 section 7.1.7"
            return fails(
                f"{codec}-bad-{name}", 106, clause, says, *sent, code=code, **with_codec, **details
            )

        packed = compressed("Hello")
        begun = text("a", fin=False)
        return [
            back("text", "a text", text("Hello"), got("Hello")),
            back("binary", "data", binary(bytes(range(256))), got(bytes(range(256)))),
            back("empty", "an empty message", text("") + binary(b""), got(""), got(b"")),
            back(
                "fragments",
                "fragments around a ping",
                text("Hel", fin=False) + ping(b"p") + more("lo"),
                got("Hello"),
                ponged(b"p"),
            ),
            back("compressed", "compressed", packed + packed, *[got("Hello")] * 2, opening=_DEFLATING),
            back("medium", "a medium length", text("a" * 300), got("a" * 300)),
            bad("opcode", "a reserved opcode", frame(3)),
            bad("unmasked", "no mask", text("a", key=None)),
            bad("rsv2", "a reserved bit", text("a", rsv=RSV2)),
            bad("rsv1", "RSV1 where nothing was negotiated", text("a", rsv=RSV1)),
            bad("long-ping", "a long ping", frame(9, bytes(126))),
            bad("continuation", "a continuation alone", more("a")),
            bad("text-inside", "a text within a message", begun + text("b")),
            bad("utf-8", "text that is no UTF-8", text(b"good\xff"), code=1007),
            bad("utf-8-cut", "or is cut", text(b"good\xc3"), code=1007),
            bad("utf-8-close", "in a reason", close(1000, b"\xff"), code=1007, alternatives=(1002,)),
            bad("close-code", "a code for no frame", close(1005)),
            bad("claim", "a header that claims 1 GiB", binary(b"", form=64, length=1 << 30), code=1009),
            session(
                f"{codec}-close-reason",
                101,
                "RFC 6455 section 5.5.1",
                "the client's code and reason",
                close(3001, "bÿe"),
                app=(LISTEN,),
                frames=(closed(3001),),
                calls=(Call(trace=(CONNECT, ACCEPTED, disconnect(3001, "bÿe"), RETURNED)),),
                **with_codec,
            ),
            session(
                f"{codec}-close-in-message",
                101,
                "RFC 6455 section 5.5.1",
                "a close within a message",
                begun + close(1000),
                app=(LISTEN,),
                frames=(OVER,),
                **with_codec,
            ),
            session(
                f"{codec}-close-first",
                99,
                "RFC 6455 section 7.1",
                "the application's",
                app=((*ACCEPT, send({"type": "websocket.close", "code": 4002}), RECEIVE),),
                frames=(closed(4002),),
                calls=(Call(order=(disconnect(4002), RETURNED)),),
                **with_codec,
            ),
        ]  # fmt: skip

    return [written for codec in CODECS for written in of(codec)]


_DEFLATING = handshake(DEFLATE + b"; client_no_context_takeover")


CASES = (*_isolation(), *_codecs())
