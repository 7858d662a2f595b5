"""What becomes of sessions when the server stops."""

from __future__ import annotations

from typing import Any

from tests.conformance.behaviours import LIFESPAN, RECEIVE, send
from tests.conformance.cases.build import case, error, mark, refused
from tests.conformance.cases.websocket_build import (
    ACCEPT,
    ACCEPTED,
    CHOICE,
    CONNECT,
    GATE,
    LISTEN,
    RETURNED,
    UNTIL_DISCONNECT,
    close,
    closed,
    disconnect,
    got,
    handshake,
    say,
    session,
)
from tests.conformance.model import (
    AwaitExit,
    AwaitFrame,
    AwaitGate,
    AwaitResponse,
    AwaitTrace,
    Call,
    Case,
    Fate,
    Open,
    Seen,
    Signal,
    Step,
)

STOPS = "graceful shutdown"


def _stops() -> list[Case]:
    ended_well = Call(order=(Seen("receive", "lifespan.shutdown"), Seen("end", "returned")))
    restart = closed(1012)

    def stops(name: str, says: str, *steps: bytes | Step, **details: Any) -> Case:
        """Write a case of a session that is open when the server is told to stop."""
        details.setdefault("frames", (restart,))
        details.setdefault("app", (LISTEN,))
        details.setdefault("calls", (Call(trace=(CONNECT, ACCEPTED, disconnect(1012), RETURNED)),))
        return session(
            f"stop-{name}",
            111,
            STOPS,
            says,
            *steps,
            own_process=True,
            splittable=False,
            esg_only=True,
            lifespan=LIFESPAN,
            lifespan_call=ended_well,
            level=CHOICE,
            **details,
        )

    term = Signal("TERM")
    short = ("--timeout-graceful-shutdown", "0.8")
    return [
        stops(
            "told",
            "the client is told 1012, the application gets its disconnect, the server exits",
            term,
            AwaitFrame("close"),
            close(1012),
            AwaitExit(0),
        ),
        stops(
            "no-answer",
            "a client that does not answer does not hold it up",
            term,
            AwaitFrame("close"),
            AwaitExit(0, within=6),
            options=short,
            fate=Fate.GONE,
        ),
        stops(
            "busy-app",
            "an application may finish what it does",
            AwaitGate("go"),
            term,
            AwaitFrame("close"),
            close(1012),
            Open("go"),
            AwaitExit(0),
            app=((*ACCEPT, GATE, UNTIL_DISCONNECT, ("mark", "done")),),
            calls=(Call(order=(disconnect(1012), mark("done"), RETURNED)),),
        ),
        stops(
            "hanging-app",
            "one that hangs is cancelled at the bound",
            AwaitGate("never"),
            term,
            AwaitFrame("close"),
            close(1012),
            AwaitExit(0, within=6),
            app=((*ACCEPT, ("gate", "never")),),
            calls=(Call(lacks=(RETURNED,)),),
            options=short,
            fate=Fate.GONE,
        ),
        stops(
            "sending-app",
            "one that goes on sending gets an OSError",
            AwaitFrame("text"),
            term,
            AwaitFrame("close"),
            close(1012),
            AwaitExit(0),
            app=((*ACCEPT, send(say("a")), UNTIL_DISCONNECT, ("try_send", say("late"))),),
            frames=(got("a"), restart),
            calls=(Call(order=(disconnect(1012), refused("websocket.send", "OSError"), RETURNED)),),
        ),
        case(
            "stop-not-accepted",
            111,
            STOPS,
            "a handshake that waits for its application: 503",
            handshake(),
            AwaitTrace("receive", "websocket.connect"),
            term,
            AwaitResponse(1),
            AwaitExit(0),
            app=((RECEIVE, RECEIVE),),
            responses=(error(503),),
            calls=(Call(trace=(CONNECT, disconnect(1006), RETURNED)),),
            own_process=True,
            splittable=False,
            esg_only=True,
            lifespan=LIFESPAN,
            lifespan_call=ended_well,
            level=CHOICE,
        ),
    ]  # fmt: skip


CASES = tuple(_stops())
