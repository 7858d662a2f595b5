"""Applications that close, fail or wait, and clients that are early or gone."""

from __future__ import annotations

from typing import Any

from tests.conformance.behaviours import RECEIVE, send, try_send
from tests.conformance.cases.build import case, error, refused
from tests.conformance.cases.websocket_accept.build import ERRORS
from tests.conformance.cases.websocket_build import (
    ACCEPTED,
    CHOICE,
    CLOSE_SENT,
    CONNECT,
    ECHO,
    GATE,
    RETURNED,
    SENT,
    accept,
    binary,
    close,
    closed,
    disconnect,
    end,
    got,
    handshake,
    message,
    ping,
    ponged,
    say,
    switched,
    text,
)
from tests.conformance.model import (
    AwaitFrame,
    AwaitGate,
    AwaitSilence,
    AwaitTrace,
    Call,
    Case,
    Close,
    Fate,
    Fill,
    Level,
    Open,
    Reset,
    Seen,
    Step,
)

CLOSING = "ASGI WebSocket 2.5, Close"
DISCONNECTED = "ASGI WebSocket 2.5, Disconnect"
SCOPE = "ASGI WebSocket 2.5, Connection Scope"
ARRIVED = AwaitTrace("receive", "websocket.connect")


def _not_accepted() -> list[Case]:
    def rejects(name: str, number: int, says: str, *script: Any, **more: Any) -> Case:
        clause = more.pop("clause", CLOSING)
        more.setdefault("responses", (error(403),))
        more.setdefault("fate", Fate.REFUSED)
        return case(name, number, clause, says, handshake(), app=(script,), **more)

    closing = try_send(end())
    return [
        rejects(
            "close-first",
            92,
            "a close instead of the accept is a 403, and receive() gives disconnect",
            RECEIVE,
            send(end()),
            RECEIVE,
            calls=(Call(trace=(CONNECT, CLOSE_SENT, disconnect(1006, ours=True), RETURNED)),),
        ),
        rejects(
            "close-first-code",
            92,
            "its code and reason go nowhere",
            RECEIVE,
            send(end(4001, "go away")),
            calls=(Call(trace=(CONNECT, CLOSE_SENT, RETURNED)),),
        ),
        rejects("close-unasked", 92, "even before receive()", send(end()), level=CHOICE),
        rejects(
            "close-then-accept",
            92,
            "after it the connection cannot be accepted",
            RECEIVE,
            send(end()),
            try_send({"type": "websocket.accept"}),
            calls=(Call(order=(CLOSE_SENT, refused("websocket.accept"), RETURNED)),),
            level=Level.CHOICE,
        ),
        rejects(
            "close-then-send",
            92,
            "and nothing sent",
            RECEIVE,
            send(end()),
            try_send(say("late")),
            calls=(Call(order=(CLOSE_SENT, refused("websocket.send"), RETURNED)),),
            level=Level.SHOULD,
        ),
        rejects(
            "return-first",
            94,
            "an application that returns first",
            RECEIVE,
            clause=SCOPE,
            responses=(error(500, 403),),
            level=Level.SHOULD,
        ),
        rejects(
            "return-unasked",
            94,
            "and one that never receives",
            clause=SCOPE,
            responses=(error(500, 403),),
            level=Level.SHOULD,
        ),
        rejects(
            "raise-first",
            94,
            "an application that raises first: 500, and nothing of the exception",
            RECEIVE,
            ("raise", "ValueError"),
            clause=ERRORS,
            responses=(error(500, 403, raw_lacks=(b"hunter2",)),),
            log_has=(r"ValueError: raised by the script",),
            level=Level.SHOULD,
        ),
        rejects(
            "raise-after-refused-close",
            94,
            "also after a close that raised",
            RECEIVE,
            try_send({"type": "websocket.close", "code": "x"}),
            ("raise", "OSError"),
            clause=ERRORS,
            responses=(error(500, 403),),
            level=CHOICE,
        ),
        rejects("close-tried", 92, "with nobody else asked", RECEIVE, closing, calls=(Call(),)),
    ]


def _early() -> list[Case]:
    """Write what a client sends or does before it has its 101."""

    def early(name: str, number: int, says: str, *steps: bytes | Step, **more: Any) -> Case:
        more.setdefault("level", CHOICE)
        more.setdefault("app", ((RECEIVE, GATE, accept(), ("echo_messages",)),))
        clause = more.pop("clause", "RFC 6455 section 4.1")
        return case(f"early-{name}", number, clause, says, *steps, **more)

    def gone(name: str, says: str, leave: Step, *script: Any, seen: tuple[Seen, ...]) -> Case:
        return early(
            f"gone-{name}",
            103,
            says,
            handshake(),
            ARRIVED,
            leave,
            app=((RECEIVE, RECEIVE, *script),),
            calls=(Call(order=(CONNECT, disconnect(1006, ours=True), *seen, RETURNED)),),
            fate=Fate.ANY,
            clause=DISCONNECTED,
            level=Level.MUST if not script else CHOICE,
        )

    late_accept = refused("websocket.accept", "OSError")
    flood = binary(bytes(65_536))
    return [
        early(
            "same-segment",
            109,
            "a message in the segment of the handshake is not lost",
            handshake() + text("early"),
            AwaitFrame("text"),
            close(1000),
            app=(ECHO,),
            responses=(switched(),),
            frames=(got("early"), closed(1000)),
            calls=(Call(order=(CONNECT, ACCEPTED, message("early"), SENT)),),
        ),
        early(
            "same-segment-many",
            109,
            "nor are several, and half a frame",
            handshake() + text("one") + ping(b"p") + binary(b"two") + text("three")[:5],
            AwaitFrame("binary"),
            text("three")[5:],
            AwaitFrame("text", 2),
            close(1000),
            app=(ECHO,),
            responses=(switched(),),
            frames=(got("one"), got(b"two"), got("three"), ponged(b"p"), closed(1000)),
        ),
        early(
            "held",
            109,
            "what comes before the accept is held until then",
            handshake(),
            AwaitGate("go"),
            text("early"),
            AwaitSilence(),
            Open("go"),
            AwaitFrame("text"),
            close(1000),
            responses=(switched(),),
            frames=(got("early"), closed(1000)),
            calls=(Call(order=(CONNECT, ACCEPTED, message("early"), SENT)),),
        ),
        early(
            "held-close",
            109,
            "a close frame, too",
            handshake() + close(3000, "early"),
            AwaitGate("go"),
            Open("go"),
            responses=(switched(),),
            frames=(closed(3000),),
            calls=(Call(order=(CONNECT, ACCEPTED, disconnect(3000, "early"), RETURNED)),),
        ),
        early(
            "held-refused",
            109,
            "a refused handshake is answered, whatever has come",
            handshake() + text("early"),
            AwaitGate("go"),
            Open("go"),
            app=((RECEIVE, GATE, send(end())),),
            responses=(error(403),),
        ),
        early(
            "bounded",
            109,
            "what is held is bounded: the server stops reading",
            handshake(),
            AwaitGate("go"),
            Fill(flood, at_most=16_777_216, times=512),
            Reset(),
            Open("go"),
            app=((RECEIVE, GATE),),
            fate=Fate.ANY,
            own_process=True,
            splittable=False,
        ),
        gone("close", "a client that closes", Close(), seen=()),
        gone("reset", "and one that resets", Reset(), seen=()),
        gone(
            "accept",
            "an accept then raises an OSError",
            Close(),
            try_send({"type": "websocket.accept"}),
            seen=(late_accept,),
        ),
        gone("receive", "receive() repeats it", Close(), RECEIVE, seen=(disconnect(1006),)),
    ]


CASES = (*_not_accepted(), *_early())
