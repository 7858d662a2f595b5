"""An open session: what the application sends, and how it ends (ASGI WebSocket 2.5)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tests.conformance.behaviours import RECEIVE, send, special, try_send
from tests.conformance.cases.build import refused
from tests.conformance.cases.websocket_build import (
    ACCEPT,
    ACCEPTED,
    CLOSE_SENT,
    CONNECT,
    LISTEN,
    RETURNED,
    SENT,
    UNTIL_DISCONNECT,
    awaited,
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
    Reset,
    Seen,
    Step,
)

SENDING = "ASGI WebSocket 2.5, Send"
RECEIVING = "ASGI WebSocket 2.5, Receive"
CLOSING = "ASGI WebSocket 2.5, Close"
DISCONNECTED = "ASGI WebSocket 2.5, Disconnect"
GONE = "ASGI WebSocket 2.5, Disconnected Client"
SCOPE = "ASGI WebSocket 2.5, Connection Scope"
ERRORS = "ASGI 3.0, Error Handling"
CLOSE_FRAME = "RFC 6455 section 5.5.1"
CODES = "RFC 6455 section 7.4"
HANDSHAKE = "RFC 6455 section 7.1"
CHOICE = Level.CHOICE
SHOULD = Level.SHOULD

GATE = ("gate", "go")
OPEN_GATE = (AwaitGate("go"), Open("go"))
OVER = closed(1000)
SENDABLE = (1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999)
LATER = (1012, 1013, 1014)
UNSENDABLE = (0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535)


def _messages() -> list[Case]:
    def says(name: str, words: str, sent: Any, *frames: Frame, **details: Any) -> Case:
        """Write a case of one message that the application sends."""
        return session(
            f"send-{name}",
            97,
            SENDING,
            words,
            *awaited(frames),
            close(1000),
            app=((*ACCEPT, send(sent), UNTIL_DISCONNECT),),
            frames=(*frames, OVER),
            calls=(Call(trace=(CONNECT, ACCEPTED, SENT, disconnect(1000, ours=True), RETURNED)),),
            **details,
        )

    def raises(name: str, words: str, sent: Any, **details: Any) -> Case:
        """Write a case of a message that must raise: nothing of it is sent, the session lives."""
        details.setdefault("level", SHOULD)
        wrong = refused(str(sent.get("type")))
        return session(
            f"refused-{name}",
            97,
            details.pop("clause", SENDING),
            words,
            AwaitFrame("text"),
            close(1000),
            app=((*ACCEPT, try_send(sent), send(say("good")), UNTIL_DISCONNECT),),
            frames=(got("good"), OVER),
            calls=(
                Call(order=(CONNECT, ACCEPTED, wrong, SENT, disconnect(1000, ours=True), RETURNED)),
            ),
            **details,
        )

    both = {"type": "websocket.send", "text": "a", "bytes": b"a"}
    nothing = {"type": "websocket.send"}
    many = tuple(got(f"{number}") for number in range(100))
    large = "0123456789abcdef" * 65_536
    twice = [("send_many", say(letter * 3000), 50) for letter in "ab"]
    return [
        says("text", "a text", say("héllo"), got("héllo")),
        says("binary", "data", say(data=b"\x00\xff"), got(b"\x00\xff")),
        says("text-empty", "an empty text is a message", say(""), got("")),
        says("binary-empty", "and empty data", say(data=b""), got(b"")),
        says("text-and-none", "bytes may be None", {**say("a"), "bytes": None}, got("a")),
        says("none-and-binary", "text, too", {**say(data=b"a"), "text": None}, got(b"a")),
        says("unknown-entry", "what nobody knows", {**say("a"), "other": 1}, got("a")),
        says("characters", "any character", say("\x00\ufeff\U0010ffff"), got("\x00\ufeff\U0010ffff")),
        says("125", "the longest short frame", say("a" * 125), got("a" * 125)),
        says("126", "the shortest medium frame", say("a" * 126), got("a" * 126)),
        says("65535", "the longest", say(data=b"a" * 65_535), got(b"a" * 65_535)),
        says("65536", "the shortest long frame", say(data=b"a" * 65_536), got(b"a" * 65_536)),
        says("1-mib", "a large one", say(large), Frame("text", size=1_048_576), splittable=False),
        says(
            "bytearray", "a bytearray", say(data=special("bytearray", b"ab")), got(b"ab"), level=CHOICE
        ),
        says(
            "memoryview",
            "a memoryview",
            say(data=special("memoryview", b"ab")),
            got(b"ab"),
            level=CHOICE,
        ),
        session(
            "send-many",
            97,
            SENDING,
            "a hundred in their order",
            AwaitFrame("text", 100),
            close(1000),
            app=((*ACCEPT, *(send(say(f"{number}")) for number in range(100)), UNTIL_DISCONNECT),),
            frames=(*many, OVER),
        ),
        session(
            "send-concurrently",
            97,
            "quality",
            "messages of two tasks do not mix",
            AwaitFrame("text", 100),
            close(1000),
            app=((*ACCEPT, ("together", *((one,) for one in twice)), UNTIL_DISCONNECT),),
            frames=None,
            splittable=False,
            level=CHOICE,
        ),
        raises("both", "both payloads", both),
        raises("neither", "neither payload", nothing),
        raises("both-none", "two times None", {**nothing, "text": None, "bytes": None}),
        raises("text-bytes", "a text in bytes", say(b"a")),
        raises("text-int", "a number", say(1)),
        raises("bytes-str", "data in a str", say(data="a")),
        raises("bytes-int", "a number", say(data=5)),
        raises("surrogate", "half a character", say("a\ud800"), clause="RFC 6455 section 5.6"),
        raises("unknown", "an unknown type", {"type": "websocket.sent", "text": "a"}, clause=ERRORS),
        raises("no-type", "no type", {"text": "a"}, clause=ERRORS),
        raises("http", "a type of HTTP", {"type": "http.response.body"}, clause=ERRORS),
    ]  # fmt: skip


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


def _lost() -> list[Case]:
    def lost(name: str, words: str, *steps: bytes | Step, **details: Any) -> Case:
        seen = details.pop("seen", ())
        details.setdefault("app", (LISTEN,))
        details.setdefault(
            "calls",
            (Call(trace=(CONNECT, ACCEPTED, *seen, disconnect(1006, ours=True), RETURNED)),),
        )
        clause, number = details.pop("clause", DISCONNECTED), details.pop("number", 103)
        return session(f"lost-{name}", number, clause, words, *steps, fate=Fate.ANY, **details)

    def gone(name: str, words: str, leave: Step | bytes, *script: Any, **details: Any) -> Case:
        """Write a case in which the application sends to a client that has gone."""
        seen = details.pop("seen")
        return session(
            f"gone-{name}",
            104,
            GONE,
            words,
            leave,
            app=((*LISTEN, *script),),
            frames=None,
            calls=(Call(order=(ACCEPTED, disconnect(), *seen, RETURNED)),),
            fate=Fate.ANY,
            level=details.pop("level", SHOULD),
            **details,
        )

    late = try_send(say("late"))
    no_send = refused("websocket.send", "OSError")
    endless = ("send_until_error", say(data=special("zeros", 65_536)), 100_000)
    return [
        session(
            "failed",
            106,
            DISCONNECTED,
            "the application hears of a connection that the server has failed",
            text("a", key=None),
            app=(LISTEN,),
            frames=None,
            calls=(Call(trace=(CONNECT, ACCEPTED, disconnect(1002, ours=True), RETURNED)),),
        ),
        *(
            session(
                f"fails-with-{code}",
                106,
                "RFC 6455 sections 7.1.7 and 7.4.1",
                f"a connection that fails is closed with an appropriate code, here {code}",
                sent,
                app=(LISTEN,),
                frames=(closed(code),),
                level=SHOULD,
            )
            for code, sent in ((1002, text("a", key=None)), (1007, text(b"\xff")))
        ),
        lost("close", "a client that closes without a close frame", Close()),
        lost("reset", "or resets", Reset()),
        lost("half-close", "or sends FIN", HalfClose()),
        lost("in-frame", "in the middle of a frame", text("Hello")[:7], Close()),
        lost("in-header", "or of a header", text("a" * 200)[:3], Close()),
        lost("in-message", "or of a message", text("a", fin=False), Close()),
        lost("behind-message", "behind a message, which is delivered first", text("a"), Close(),
             seen=(message("a"),)),
        lost("again", "receive() gives disconnect every time", Close(), app=((*LISTEN, RECEIVE),),
             calls=(Call(order=(*[disconnect(1006)] * 2, RETURNED)),), level=CHOICE),
        gone("closed", "send() raises an OSError after the disconnect", close(1000), late, seen=(no_send,)),
        gone("lost", "after a loss", Close(), late, seen=(no_send,)),
        gone("reset", "and after a reset", Reset(), late, seen=(no_send,)),
        gone("failed", "and after a failure", text("a", key=None), late, seen=(no_send,)),
        gone("again", "every time", Close(), late, late, late, seen=(no_send,) * 3),
        gone("close", "close() after it, too", Close(), try_send(end()),
             seen=(refused("websocket.close", "OSError"),), level=CHOICE),
        session(
            "gone-streaming",
            104,
            GONE,
            "send() soon raises when the client resets while messages are sent",
            AwaitFrame("binary"),
            Reset(),
            app=((*ACCEPT, endless, UNTIL_DISCONNECT),),
            frames=None,
            calls=(Call(order=(no_send, disconnect(1006, ours=True), RETURNED)),),
            fate=Fate.ANY,
            splittable=False,
            level=SHOULD,
        ),
        session(
            "gone-wrapped",
            62,
            GONE,
            "what send() raises may leave the application, wrapped as well: no error of its own",
            Reset(),
            app=((*LISTEN, ("wrap", (send(say("late")),))),),
            frames=None,
            calls=(Call(order=(no_send, Seen("end", "RuntimeError"))),),
            fate=Fate.ANY,
            own_process=True,
            splittable=False,
            log_lacks=("ERROR",),
            level=CHOICE,
        ),
    ]  # fmt: skip


def _app_ends() -> list[Case]:
    def ends(name: str, words: str, *script: Any, **details: Any) -> Case:
        frames = details.pop("frames")
        details.setdefault("clause", SCOPE)
        return session(
            f"app-{name}",
            105,
            details.pop("clause"),
            words,
            app=((*ACCEPT, *script),),
            frames=frames,
            level=details.pop("level", SHOULD),
            **details,
        )

    # The socket should be closed: ASGI does not say how.
    failure = closed(1011, by_server=True, alternatives=(1006, 1001, 1000))
    returned = closed(1000, by_server=True, alternatives=(1001, 1011))
    return [
        ends("returns", "an application that returns: 1000", frames=(returned,)),
        ends(
            "returns-value", "a value does not matter", ("return", 42), frames=(returned,),
            level=CHOICE,
        ),
        ends(
            "returns-behind",
            "what it has sent is delivered first",
            send(say("a" * 100_000)),
            frames=(got("a" * 100_000), returned),
        ),
        ends(
            "raises",
            "an application that raises: 1011, and nothing of the exception",
            ("raise", "ValueError"),
            frames=(failure,),
            log_has=("ERROR", "ValueError: raised by the script"),
        ),
        ends(
            "raises-oserror",
            "an OSError of its own is an error like others",
            ("raise", "OSError"),
            frames=(failure,),
            log_has=("OSError: raised by the script",),
        ),
        ends("raises-behind", "behind its messages", send(say("a")), ("raise", "ValueError"),
             frames=(got("a"), failure)),
        session(
            "app-raises-after-disconnect",
            105,
            SCOPE,
            "an application that raises once the client has closed: nothing more is sent",
            close(1000),
            app=((*LISTEN, ("raise", "ValueError")),),
            frames=(OVER,),
            calls=(Call(order=(disconnect(1000, ours=True), Seen("end", "ValueError"))),),
        ),
        session(
            "app-works-on",
            105,
            SCOPE,
            "after the disconnect the application may go on with its work",
            close(1000),
            AwaitFrame("close"),
            app=((*LISTEN, ("sleep", 0.2), ("mark", "done")),),
            frames=(OVER,),
            calls=(Call(order=(disconnect(1000, ours=True), Seen("mark", "done"), RETURNED)),),
            level=CHOICE,
        ),
    ]  # fmt: skip


CASES = (*_messages(), *_app_closes(), *_client_closes(), *_lost(), *_app_ends())
