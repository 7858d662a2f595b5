"""Flow control, pings, and limits on messages."""

from __future__ import annotations

from typing import Any

from tests.conformance.behaviours import HELLO, RECEIVE, special
from tests.conformance.cases.build import case, error, get, hello, post
from tests.conformance.cases.websocket_build import (
    ACCEPT,
    ACCEPTED,
    CHOICE,
    CONNECT,
    ECHO,
    GATE,
    LISTEN,
    OVER,
    RETURNED,
    UNTIL_DISCONNECT,
    binary,
    close,
    closed,
    disconnect,
    got,
    handshake,
    opened,
    ping,
    ponged,
    say,
    session,
    switched,
    text,
)
from tests.conformance.model import (
    AnswerPing,
    AwaitFrame,
    AwaitGate,
    AwaitQuiet,
    AwaitResponse,
    AwaitSilence,
    AwaitTrace,
    Call,
    Case,
    CheckMemory,
    Connect,
    Fate,
    Fill,
    Frame,
    Level,
    MarkMemory,
    Open,
    Reset,
    ResumeReading,
    Send,
    SendRest,
    Step,
    StopReading,
)

RECEIVING = "ASGI WebSocket 2.5, Receive"
SENDING = "ASGI WebSocket 2.5, Send"
PINGS = "RFC 6455 section 5.5.2"
UPGRADES = "RFC 9110 section 7.8"
MIB = 1_048_576
QUICK_PINGS = ("--ws-ping-interval", "0.3", "--ws-ping-timeout", "10")
IMPATIENT = ("--ws-ping-interval", "0.3", "--ws-ping-timeout", "0.6")


def _flow() -> list[Case]:
    def flow(name: str, clause: str, says: str, *steps: bytes | Step, **details: Any) -> Case:
        details.setdefault("level", CHOICE)
        return session(f"flow-{name}", 110, clause, says, *steps, splittable=False, **details)

    block = binary(bytes(65_536))
    return [
        flow(
            "slow-app",
            RECEIVING,
            "an application that does not receive keeps the server from reading; nothing is lost",
            AwaitGate("go"),
            Fill(block, at_most=16 * MIB, times=320),
            Open("go"),
            SendRest(),
            AwaitTrace("mark", "all"),
            close(1000),
            app=((*ACCEPT, GATE, ("receive_messages", 320), ("mark", "all"), UNTIL_DISCONNECT),),
            frames=(OVER,),
            own_process=True,
        ),
        flow(
            "slow-app-small",
            RECEIVING,
            "nor do small messages fill its memory",
            AwaitGate("go"),
            MarkMemory(),
            Fill(text("x"), at_most=14_000_000, times=2_000_000),
            CheckMemory(32 * MIB),
            Reset(),
            Open("go"),
            app=((*ACCEPT, GATE),),
            frames=None,
            fate=Fate.ANY,
            own_process=True,
        ),
        flow(
            "slow-client",
            SENDING,
            "send() waits for a client that does not read, and goes on when it does",
            StopReading(),
            AwaitQuiet(0.5, sends=300),
            ResumeReading(),
            AwaitFrame("binary", 400),
            close(1000),
            app=((*ACCEPT, ("send_many", say(data=special("zeros", 65_536)), 400), UNTIL_DISCONNECT),),
            frames=None,
            own_process=True,
        ),
        flow(
            "queue-of-one",
            RECEIVING,
            "with --ws-max-queue 1 all messages arrive, one after the other",
            b"".join(text(f"{number}") for number in range(50)),
            AwaitFrame("text", 50),
            close(1000),
            frames=(*(got(f"{number}") for number in range(50)), OVER),
            options=("--ws-max-queue", "1"),
        ),
        flow(
            "pong-for-slow-app",
            PINGS,
            "a ping is answered while the application does not receive",
            AwaitGate("go"),
            ping(b"now"),
            AwaitFrame("pong"),
            Open("go"),
            close(1000),
            app=((*ACCEPT, GATE, UNTIL_DISCONNECT),),
            frames=(ponged(b"now"), OVER),
        ),
    ]  # fmt: skip


def _pings() -> list[Case]:
    def pinged(name: str, says: str, *steps: bytes | Step, **details: Any) -> Case:
        details.setdefault("options", QUICK_PINGS)
        details.setdefault("app", (LISTEN,))
        return session(f"ping-{name}", 110, PINGS, says, *steps, splittable=False, **details)

    late = disconnect(1011)
    return [
        pinged(
            "answered",
            "a client that answers its pings stays",
            AnswerPing(1),
            AnswerPing(2),
            AnswerPing(3),
            frames=None,
            fate=Fate.KEPT,
        ),
        pinged(
            "unanswered",
            "one that does not is closed with 1011",
            AwaitFrame("close"),
            options=IMPATIENT,
            frames=(Frame("ping"), closed(1011)),
            calls=(Call(trace=(CONNECT, ACCEPTED, late, RETURNED)),),
        ),
        pinged(
            "off",
            "no pings with --ws-ping-interval 0",
            AwaitSilence(2.5),
            options=("--ws-ping-interval", "0"),
            frames=(),
            fate=Fate.KEPT,
        ),
        pinged(
            "no-timeout",
            "and nobody is closed with --ws-ping-timeout 0",
            AwaitFrame("ping", 3),
            options=("--ws-ping-interval", "0.3", "--ws-ping-timeout", "0"),
            frames=None,
            fate=Fate.KEPT,
        ),
        pinged(
            "behind-messages",
            "messages go on beside them",
            AnswerPing(),
            text("a"),
            AwaitFrame("text"),
            AnswerPing(2),
            app=(ECHO,),
            frames=None,
            fate=Fate.KEPT,
        ),
    ]


def _bounds() -> list[Case]:
    return [
        case(
            "accept-timeout",
            94,
            "quality",
            "an application that does not answer a handshake: 503, and receive() gives disconnect",
            handshake(),
            app=((RECEIVE, RECEIVE),),
            responses=(error(503),),
            calls=(Call(trace=(CONNECT, disconnect(1006), RETURNED)),),
            options=("--ws-accept-timeout", "0.5"),
            level=CHOICE,
        ),
        case(
            "limit-concurrency",
            80,
            "quality",
            "an open session counts in --limit-concurrency: the next is a 503",
            handshake(),
            AwaitResponse(1),
            Connect(on="b"),
            Send(handshake(), on="b"),
            AwaitResponse(1, on="b"),
            app=(LISTEN,),
            responses=(
                switched(),
                error(503, on="b", fields={"retry-after": "1"}),
            ),
            calls=(Call(),),
            fate=Fate.KEPT,
            options=("--limit-concurrency", "1"),
            alone=True,
            splittable=False,
            level=CHOICE,
        ),
        case(
            "switched-off",
            84,
            UPGRADES,
            "with --ws none the upgrade is ignored: plain HTTP",
            handshake(),
            responses=(hello(),),
            calls=(Call(scope={"type": "http"}),),
            fate=Fate.KEPT,
            options=("--ws", "none"),
            level=CHOICE,
        ),
        opened(
            "behind-get",
            109,
            "RFC 9112 section 9.3",
            "a handshake may follow other requests on a connection",
            get(b"/1"),
            AwaitResponse(1),
            handshake(),
            app=(HELLO, LISTEN),
            responses=(hello(), switched()),
            calls=(Call(scope={"type": "http"}), Call(scope={"type": "websocket"})),
        ),
        opened(
            "behind-get-pipelined",
            109,
            "RFC 9112 section 9.3.2",
            "or be pipelined behind them",
            get(b"/1") + handshake(),
            app=(HELLO, LISTEN),
            responses=(hello(), switched()),
            calls=(Call(scope={"type": "http"}), Call(scope={"type": "websocket"})),
            level=Level.CHOICE,
        ),
        opened(
            "behind-post",
            109,
            "RFC 9112 section 9.3.2",
            "behind content that nobody read",
            post(b"hello") + handshake(),
            app=(HELLO, LISTEN),
            responses=(hello(), switched()),
            calls=(Call(scope={"type": "http"}), Call(scope={"type": "websocket"})),
            level=Level.CHOICE,
        ),
    ]


CASES = (*_flow(), *_pings(), *_bounds())
