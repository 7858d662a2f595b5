"""websocket.accept: what a 101 says, and what send() refuses."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tests.conformance.behaviours import RECEIVE, special, start, try_send
from tests.conformance.cases.build import case, error, refused
from tests.conformance.cases.websocket_accept.build import (
    DENIAL,
    ERRORS,
    NEEDS_DENIAL,
    denial,
    denial_body,
)
from tests.conformance.cases.websocket_build import (
    ACCEPTED,
    CHOICE,
    CONNECT,
    GATE,
    UNTIL_DISCONNECT,
    accept,
    handshake,
    opened,
    say,
    switched,
)
from tests.conformance.model import AwaitGate, AwaitSilence, Call, Case, Fate, Level, Open, Response

RESPONSE = "RFC 6455 section 4.2.2"
CONNECTING = "ASGI WebSocket 2.5, Connect"
ACCEPTING = "ASGI WebSocket 2.5, Accept"
OFFER = b"Sec-WebSocket-Protocol: a, b, c"


def _accepted() -> list[Case]:
    def accepts(name: str, says: str, expected: Response, offer: bytes, **entries: Any) -> Case:
        return opened(
            f"accept-{name}",
            90,
            ACCEPTING,
            says,
            handshake(*([offer] if offer else [])),
            app=((RECEIVE, accept(**entries), UNTIL_DISCONNECT),),
            responses=(expected,),
            calls=(Call(order=(CONNECT, ACCEPTED)),),
            level=Level.SHOULD if name == "date-and-server" else Level.MUST,
        )

    cookies = [(b"set-cookie", b"a=1"), (b"x-other", b"y"), (b"set-cookie", b"b=2")]
    ordered = Response(101, in_order=tuple(cookies))
    chosen = switched(sec_websocket_protocol="b")
    no_choice = switched(sec_websocket_protocol=None)
    one = switched(x_one="1")
    plain: dict[str, Any] = {"subprotocol": None, "headers": []}
    return [
        opened(
            "accept-switches",
            89,
            CONNECTING,
            "the first message is websocket.connect; the 101 comes after websocket.accept",
            handshake(),
            AwaitGate("go"),
            AwaitSilence(),
            Open("go"),
            app=((RECEIVE, GATE, accept(), UNTIL_DISCONNECT),),
            calls=(Call(order=(CONNECT, ACCEPTED)),),
        ),
        opened(
            "accept-unasked",
            89,
            CONNECTING,
            "an application may accept before it receives the connect",
            handshake(),
            app=((accept(), UNTIL_DISCONNECT),),
            calls=(Call(order=(ACCEPTED, CONNECT)),),
            level=CHOICE,
        ),
        accepts("subprotocol", "the chosen one of several", chosen, OFFER, subprotocol="b"),
        replace(
            accepts(
                "subprotocol-enum",
                "or as a member of an enumeration",
                chosen,
                OFFER,
                subprotocol=special("enum", "b"),
            ),
            level=CHOICE,
        ),
        accepts("subprotocol-none", "none chosen", no_choice, OFFER, subprotocol=None),
        accepts("subprotocol-absent", "none chosen", no_choice, OFFER),
        accepts("none", "entries that say nothing", no_choice, b"", **plain),
        accepts("unknown-entry", "an entry that nobody knows", no_choice, b"", other=1),
        accepts("header", "a header", one, b"", headers=[(b"x-one", b"1")]),
        accepts("header-list", "pairs may be lists", one, b"", headers=[[b"x-one", b"1"]]),
        accepts("headers", "headers in their order, none joined", ordered, b"", headers=cookies),
        accepts(
            "headers-generator",
            "headers from any iterable",
            ordered,
            b"",
            headers=special("generator", cookies),
        ),
        accepts(
            "subprotocol-and-header",
            "both",
            switched(sec_websocket_protocol="c", x_one="1"),
            OFFER,
            subprotocol="c",
            headers=[(b"x-one", b"1")],
        ),
        accepts(
            "date-and-server",
            "the application's Date and Server are the only ones",
            switched(date="Thu, 01 Jan 1970 00:00:00 GMT", server="mine"),
            b"",
            headers=[(b"date", b"Thu, 01 Jan 1970 00:00:00 GMT"), (b"server", b"mine")],
        ),
    ]


def _refused() -> list[Case]:
    """Write messages that must raise; the handshake then goes on as if they had never been."""

    def refuses(
        name: str, number: int, clause: str, says: str, sent: dict[str, Any], **more: Any
    ) -> Case:
        good = switched(x_bad=None, sec_websocket_protocol=None)
        raised = refused(str(sent.get("type")))
        # What must not be sent is not sent: how, and what becomes of the handshake, is open.
        asked = more.get("level", Level.MUST) is Level.MUST
        calls = None if asked else (Call(order=(CONNECT, raised)),)
        unsent = case("", number, clause, "", fate=Fate.ANY, frames=None, calls=calls)
        answers = ((), (error(500, 400, 403),), *(((good,),) if asked else ()))
        more["or_else"] = tuple(replace(unsent, responses=answer) for answer in answers)
        return opened(
            f"refused-{name}",
            number,
            clause,
            says,
            handshake(OFFER),
            app=((RECEIVE, try_send(sent), accept(), UNTIL_DISCONNECT),),
            responses=(good,),
            calls=(Call(order=(CONNECT, raised, ACCEPTED)),),
            **more,
        )

    def accepting(**entries: Any) -> dict[str, Any]:
        return {"type": "websocket.accept", **entries}

    headers: dict[str, tuple[str, Any]] = {
        "value-crlf": ("CR LF in a value", [(b"x-bad", b"a\r\nx-bad: b")]),
        "value-lf": ("LF in a value", [(b"x-bad", b"a\nb")]),
        "value-cr": ("CR in a value", [(b"x-bad", b"a\rb")]),
        "value-nul": ("NUL in a value", [(b"x-bad", b"a\0b")]),
        "name-crlf": ("CR LF in a name", [(b"x-bad: a\r\nx-bad", b"b")]),
        "name-space": ("a space in a name", [(b"x bad", b"a")]),
        "name-colon": ("a colon in a name", [(b"x-bad:", b"a")]),
        "name-empty": ("an empty name", [(b"", b"a")]),
    }
    types: dict[str, tuple[str, Any]] = {
        "name-str": ("a name that is a str", [("x-bad", b"a")]),
        "value-str": ("a value that is a str", [(b"x-bad", "a")]),
        "value-int": ("a value that is an int", [(b"x-bad", 1)]),
        "one": ("a header that is no pair", [(b"x-bad",)]),
        "three": ("a header of three", [(b"x-bad", b"a", b"b")]),
    }
    own = (b"sec-websocket-accept", b"sec-websocket-extensions", b"sec-websocket-version")
    should = Level.SHOULD
    return [
        refuses("not-offered", 91, RESPONSE, "not offered", accepting(subprotocol="d")),
        refuses("list", 91, RESPONSE, "two of them", accepting(subprotocol="a, b")),
        refuses("other-case", 91, RESPONSE, "in another case", accepting(subprotocol="A")),
        refuses("crlf", 91, RESPONSE, "with CR LF", accepting(subprotocol="a\r\nX-Bad: 1")),
        refuses("bytes", 91, ERRORS, "in bytes", accepting(subprotocol=b"a"), level=should),
        refuses("int", 91, ERRORS, "a number", accepting(subprotocol=1), level=should),
        refuses(
            "protocol-header",
            90,
            ACCEPTING,
            "sec-websocket-protocol is no header of the application's",
            accepting(headers=[(b"sec-websocket-protocol", b"a")]),
            level=Level.CHOICE,
        ),
        refuses(
            "protocol-header-case",
            90,
            ACCEPTING,
            "in any case",
            accepting(headers=[(b"Sec-WebSocket-Protocol", b"a")]),
            level=CHOICE,
        ),
        *(
            refuses(
                name.decode().removeprefix("sec-websocket-") + "-header",
                90,
                RESPONSE,
                f"{name.decode()} is the server's",
                accepting(headers=[(name, b"x")]),
                level=CHOICE,
            )
            for name in own
        ),
        *(
            refuses(f"header-{name}", 41, "RFC 9110 section 5.5", says, accepting(headers=lines))
            for name, (says, lines) in headers.items()
        ),
        *(
            refuses(f"header-{name}", 42, ERRORS, says, accepting(headers=lines), level=should)
            for name, (says, lines) in types.items()
        ),
        refuses("send", 95, ERRORS, "a message before the accept", say("a"), level=should),
        refuses("unknown", 95, ERRORS, "an unknown type", {"type": "websocket.x"}, level=should),
        refuses("no-type", 95, ERRORS, "no type", {"headers": []}, level=should),
        refuses("http", 95, ERRORS, "a type of HTTP", start(), level=should),
        refuses("denial-body", 95, ERRORS, "a body first", denial_body(b"x"), level=should),
        refuses("denial-101", 93, DENIAL, "no denial is a 101", denial(101), level=CHOICE),
        refuses("denial-99", 93, DENIAL, "nor a 99", denial(99), level=should),
        refuses("denial-str", 93, DENIAL, "nor a str", denial("403"), level=should),
        refuses(
            "denial-crlf",
            93,
            "RFC 9110 section 5.5",
            "CR LF in a header of a denial",
            denial(403, [(b"x-bad", b"a\r\nb: c")]),
            needs=NEEDS_DENIAL,
        ),
        opened(
            "refused-second-accept",
            95,
            ERRORS,
            "a second accept raises, and the connection stays",
            handshake(),
            app=((RECEIVE, accept(), try_send(accepting()), UNTIL_DISCONNECT),),
            calls=(Call(order=(CONNECT, ACCEPTED, refused("websocket.accept"))),),
            level=should,
        ),
        opened(
            "refused-denial-after-accept",
            95,
            ERRORS,
            "so does a denial after it",
            handshake(),
            app=((RECEIVE, accept(), try_send(denial(403)), UNTIL_DISCONNECT),),
            calls=(Call(order=(CONNECT, ACCEPTED, refused("websocket.http.response.start"))),),
            level=should,
        ),
    ]


CASES = (*_accepted(), *_refused())
