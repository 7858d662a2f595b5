"""Messages that the application sends, and those that send() refuses."""

from __future__ import annotations

from typing import Any

from tests.conformance.behaviours import send, special, try_send
from tests.conformance.cases.build import refused
from tests.conformance.cases.websocket_build import (
    ACCEPT,
    ACCEPTED,
    CHOICE,
    CONNECT,
    OVER,
    RETURNED,
    SENT,
    UNTIL_DISCONNECT,
    awaited,
    close,
    disconnect,
    got,
    say,
    session,
)
from tests.conformance.cases.websocket_session.build import ERRORS, SHOULD
from tests.conformance.model import AwaitFrame, Call, Case, Frame

SENDING = "ASGI WebSocket 2.5, Send"


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
        says("str-subclass", "any kind of str", say(special("Text", "héllo")), got("héllo")),
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
        says(
            "bytes-subclass",
            "of a subclass of bytes only the octets count",
            say(data=special("odd bytes", b"hello")),
            got(b"hello"),
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


CASES = tuple(_messages())
