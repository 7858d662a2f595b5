"""Sessions under way: flow control, pings, bounds, isolation, other codecs, and the server's stop."""

from __future__ import annotations

from typing import Any

from tests.conformance.behaviours import HELLO, LIFESPAN, RECEIVE, send, special
from tests.conformance.cases.build import case, error, get, hello, mark, post, refused
from tests.conformance.cases.websocket_build import (
    ACCEPT,
    ACCEPTED,
    CONNECT,
    DEFLATE,
    ECHO,
    LISTEN,
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
    say,
    session,
    switched,
    text,
)
from tests.conformance.model import (
    AnswerPing,
    AwaitClose,
    AwaitExit,
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
    Response,
    ResumeReading,
    Seen,
    Send,
    SendRest,
    Signal,
    Step,
    StopReading,
)
from tests.conformance.websocket_frames import RSV1, RSV2, frame

SCOPE = "ASGI WebSocket 2.5, Connection Scope"
CONNECTING = "ASGI WebSocket 2.5, Connect"
RECEIVING = "ASGI WebSocket 2.5, Receive"
SENDING = "ASGI WebSocket 2.5, Send"
STATE = "ASGI lifespan 2.0, Lifespan State"
PINGS = "RFC 6455 section 5.5.2"
UPGRADES = "RFC 9110 section 7.8"
STOPS = "graceful shutdown"
CHOICE = Level.CHOICE

MIB = 1_048_576
GATE = ("gate", "go")
OVER = closed(1000)
QUICK_PINGS = ("--ws-ping-interval", "0.3", "--ws-ping-timeout", "10")
IMPATIENT = ("--ws-ping-interval", "0.3", "--ws-ping-timeout", "0.6")
CODECS = ("wsproto", "websockets")


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
            Fill(block * 320, at_most=16 * MIB),
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
            Fill(text("x") * 2_000_000, at_most=14_000_000),
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


CASES = (*_flow(), *_pings(), *_bounds(), *_isolation(), *_codecs(), *_stops())
