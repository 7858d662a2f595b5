"""Sessions that the application closes, or the client."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tests.conformance.behaviours import RECEIVE, send, special, try_send
from tests.conformance.cases.build import refused
from tests.conformance.cases.websocket_build import (
    ACCEPT,
    ACCEPTED,
    CHOICE,
    CLOSE_SENT,
    CONNECT,
    GATE,
    LISTEN,
    OVER,
    RETURNED,
    SENT,
    UNTIL_DISCONNECT,
    binary,
    close,
    closed,
    disconnect,
    end,
    fails,
    got,
    message,
    ping,
    say,
    session,
    text,
)
from tests.conformance.cases.websocket_session.build import DISCONNECTED, ERRORS, SHOULD
from tests.conformance.model import (
    AwaitFrame,
    AwaitGate,
    AwaitTrace,
    Call,
    Case,
    Close,
    Fate,
    Frame,
    HalfClose,
    Level,
    Open,
    Seen,
)

CLOSING = "ASGI WebSocket 2.5, Close"
CLOSE_FRAME = "RFC 6455 section 5.5.1"
CODES = "RFC 6455 section 7.4"
HANDSHAKE = "RFC 6455 section 7.1"
OPEN_GATE = (AwaitGate("go"), Open("go"))
SENDABLE = (1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999)
LATER = (1012, 1013, 1014)
UNSENDABLE = (0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535)


def _app_closes() -> list[Case]:
    def closes(name: str, words: str, sent: Any, frame: Frame, **details: Any) -> Case:
        """Write a case in which the application closes and the client answers."""
        details.setdefault("clause", CLOSING)
        over = disconnect(frame.code, ours=True)
        written = session(
            f"close-{name}",
            99,
            details.pop("clause"),
            words,
            app=((*ACCEPT, send(sent), RECEIVE),),
            frames=(frame,),
            calls=(Call(trace=(CONNECT, ACCEPTED, CLOSE_SENT, over, RETURNED)),),
            **details,
        )
        if name == "plain":
            return written
        # What comes of the frame is put to others once.
        return replace(written, or_else=(replace(written, calls=None, fate=Fate.ANY),))

    def raises(name: str, words: str, sent: Any, **details: Any) -> Case:
        details.setdefault("level", CHOICE)
        return session(
            f"close-refused-{name}",
            100,
            details.pop("clause", CODES),
            words,
            AwaitFrame("text"),
            close(1000),
            app=((*ACCEPT, try_send(sent), send(say("good")), UNTIL_DISCONNECT),),
            frames=(got("good"), OVER),
            calls=(
                Call(
                    order=(ACCEPTED, refused("websocket.close"), SENT, disconnect(1000, ours=True))
                ),
            ),
            **details,
        )

    closing = send(end(4002))
    told = closed(4002)
    longest = "é" * 61 + "x"
    return [
        closes("plain", "without a code: 1000", end(), closed(1000, "")),
        closes(
            "none",
            "None is 1000",
            {"type": "websocket.close", "code": None},
            closed(1000),
            level=CHOICE,
        ),
        closes("reason-none", "no reason", {**end(4000), "reason": None}, closed(4000, "")),
        closes("code-and-reason", "both", end(4002, "réason"), closed(4002, "réason")),
        closes("reason-alone", "a reason alone", end(reason="bye"), closed(1000, "bye")),
        closes(
            "reason-subclass",
            "any kind of str",
            end(4000, special("Text", "bye")),
            closed(4000, "bye"),
        ),
        closes("reason-123", "the longest reason", end(4000, longest), closed(4000, longest)),
        *(closes(f"{code}", f"{code}", end(code), closed(code), clause=CODES) for code in SENDABLE),
        *(
            closes(f"{code}", f"{code}", end(code), closed(code), clause=CODES, level=CHOICE)
            for code in LATER
        ),
        *(
            raises(
                f"{code}",
                f"{code} must not be on the wire",
                end(code),
                level=Level.MUST if code in (1005, 1006, 1015) else CHOICE,
                or_else=(session("", 100, CODES, "", frames=None, fate=Fate.ANY),),
            )
            for code in (*UNSENDABLE, -1, 65_536 + 1000)
        ),
        raises("str", "a code that is a str", end("1000"), clause=ERRORS),
        raises("float", "a code that is a float", end(1000.5), clause=ERRORS),
        raises("reason-124", "124 octets", end(4000, longest + "x"), clause=CLOSE_FRAME),
        raises("reason-bytes", "a reason in bytes", end(4000, b"bye"), clause=ERRORS),
        raises("reason-surrogate", "half a character", end(4000, "\ud800"), clause=CLOSE_FRAME),
        session(
            "close-answer-other",
            99,
            DISCONNECTED,
            "the client's answer with another code: that is the code of the disconnect",
            AwaitFrame("close"),
            close(1001, "leaving"),
            app=((*ACCEPT, closing, RECEIVE),),
            frames=(told,),
            calls=(Call(order=(CLOSE_SENT, disconnect(1001, "leaving", ours=True), RETURNED)),),
        ),
        session(
            "close-no-answer",
            99,
            HANDSHAKE,
            "a client that goes without an answer",
            AwaitFrame("close"),
            Close(),
            app=((*ACCEPT, closing, RECEIVE),),
            frames=(told,),
            calls=(Call(order=(CLOSE_SENT, disconnect(1006, ours=True), RETURNED)),),
            fate=Fate.ANY,
        ),
        session(
            "close-then-data",
            99,
            HANDSHAKE,
            "messages that were under way are not delivered any more, then comes the answer",
            AwaitFrame("close"),
            text("late") + binary(b"late") + close(4002),
            app=((*ACCEPT, closing, RECEIVE),),
            frames=(told,),
            calls=(Call(trace=(CONNECT, ACCEPTED, CLOSE_SENT, disconnect(4002, ours=True), RETURNED)),),
            level=CHOICE,
        ),
        session(
            "close-and-return",
            99,
            CLOSING,
            "an application that closes and returns: the closing handshake goes on without it",
            app=((*ACCEPT, closing),),
            frames=(told,),
            calls=(Call(trace=(CONNECT, ACCEPTED, CLOSE_SENT, RETURNED)),),
        ),
        session(
            "close-behind-messages",
            99,
            CLOSING,
            "a close frame overtakes nothing",
            app=((*ACCEPT, send(say("a" * 100_000)), send(say("b")), closing),),
            frames=(got("a" * 100_000), got("b"), told),
        ),
        *(
            session(
                f"close-then-{name}",
                95,
                ERRORS,
                f"after its close, the application cannot {name}",
                app=((*ACCEPT, closing, try_send(sent)),),
                frames=(told,),
                calls=(Call(order=(CLOSE_SENT, refused(sent["type"]), RETURNED)),),
                level=SHOULD,
            )
            for name, sent in (("send", say("late")), ("close", end()), ("accept", _ACCEPT))
        ),
        session(
            "close-timeout",
            99,
            HANDSHAKE,
            "a client that never answers is left after --ws-close-timeout",
            AwaitFrame("close"),
            AwaitTrace("receive", "websocket.disconnect"),
            app=((*ACCEPT, closing, RECEIVE),),
            frames=(told,),
            calls=(Call(order=(CLOSE_SENT, disconnect(1006), RETURNED)),),
            options=("--ws-close-timeout", "0.5"),
        ),
    ]  # fmt: skip


_ACCEPT = {"type": "websocket.accept"}


def _client_closes() -> list[Case]:
    def ended(
        name: str, words: str, sent: bytes, code: int, reason: str = "", **details: Any
    ) -> Case:
        """Write a case of a close frame, its echo, and the disconnect."""
        everywhere = name in ("plain", "empty", "reason")
        clause, number = details.pop("clause", CLOSE_FRAME), details.pop("number", 101)
        # The reason is an optional entry.
        told = Seen("receive", "websocket.disconnect", has={"code": code}, ours={"reason": reason})
        return session(
            f"closed-{name}",
            number,
            clause,
            words,
            *details.pop("before", ()),
            sent,
            app=(LISTEN,),
            # An endpoint "typically echos the status code".
            frames=(closed(code, alternatives=(1000, 1005)),),
            calls=(
                Call(
                    trace=(
                        CONNECT,
                        ACCEPTED,
                        *details.pop("seen", ()),
                        told if everywhere else disconnect(code, reason, ours=True),
                        RETURNED,
                    )
                ),
            ),
            **details,
        )

    def bad(name: str, words: str, sent: bytes, code: int = 1002, **details: Any) -> Case:
        clause = details.pop("clause", CLOSE_FRAME)
        return fails(f"closed-bad-{name}", 106, clause, words, sent, code=code, **details)

    long = "x" * 123
    codes: dict[str, Any] = {"clause": CODES}
    return [
        ended("plain", "1000", close(1000), 1000),
        ended("empty", "no code is 1005, and its echo has none", close(), 1005, number=102),
        ended("reason", "a code and a reason", close(3001, "bÿe"), 3001, "bÿe"),
        ended("reason-123", "the longest reason", close(1000, long), 1000, long),
        *(ended(f"{code}", f"{code}", close(code), code, **codes) for code in SENDABLE[1:]),
        *(ended(f"{code}", f"{code}", close(code), code, level=CHOICE, **codes) for code in LATER),
        *(bad(f"{code}", "a code for no frame", close(code), level=SHOULD, **codes) for code in UNSENDABLE),
        bad("one-octet", "half a code", _close_payload(b"\x03")),
        bad("reason", "a reason that is no UTF-8", close(1000, b"\xff"), 1007, alternatives=(1002,), clause="RFC 6455 section 8.1"),
        bad("reason-cut", "or cut", close(1000, b"\xe2\x82"), 1007, alternatives=(1002,), clause="RFC 6455 section 8.1"),
        ended("then-data", "nothing behind it counts", close(1000) + text("late") + ping(b"late"), 1000),
        ended("then-garbage", "whatever it is", close(1000) + b"\xff" * 50, 1000),
        ended("twice", "not even another", close(1000) + close(1001), 1000),
        ended("in-message", "a message is never completed", text("a", fin=False) + close(1000), 1000, level=CHOICE),
        ended("behind-message", "a message in front is delivered first", text("a") + close(1000), 1000, seen=(message("a"),)),
        session(
            "closed-half",
            101,
            CLOSE_FRAME,
            "the echo also reaches a client that has sent FIN behind its close frame",
            close(3001),
            HalfClose(),
            app=(LISTEN,),
            frames=(closed(3001),),
            calls=(Call(order=(CONNECT, disconnect(3001, ours=True), RETURNED)),),
        ),
        session(
            "closed-unread",
            101,
            CLOSE_FRAME,
            "messages that the application has not received yet come before the disconnect",
            text("a") + text("b") + close(1000),
            AwaitFrame("close"),
            *OPEN_GATE,
            app=((*ACCEPT, GATE, UNTIL_DISCONNECT),),
            frames=(OVER,),
            calls=(Call(order=(message("a"), message("b"), disconnect(1000), RETURNED)),),
            level=CHOICE,
        ),
        session(
            "closed-receive-again",
            101,
            DISCONNECTED,
            "receive() gives disconnect every time",
            close(3000, "x"),
            app=((*LISTEN, RECEIVE, RECEIVE),),
            frames=(closed(3000),),
            calls=(Call(order=(*[disconnect(3000, "x")] * 3, RETURNED)),),
            level=CHOICE,
        ),
    ]  # fmt: skip


def _close_payload(payload: bytes) -> bytes:
    """Write a close frame with any payload."""
    return bytes([0x88]) + binary(payload)[1:]


CASES = (*_app_closes(), *_client_closes())
