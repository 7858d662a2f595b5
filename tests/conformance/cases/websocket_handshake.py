"""The opening handshake (RFC 6455 section 4): which requests open a WebSocket, and which do not.

What every 101 must have is judged in every case of every group: `opening_violations`.
"""

from __future__ import annotations

import re
from typing import Any

from tests.conformance.cases.build import case, error, get, hello
from tests.conformance.cases.websocket_build import (
    CHOICE,
    DEFLATE,
    KEY,
    handshake,
    opened,
    refused_opening,
)
from tests.conformance.model import Call, Case, Fate, HeaderConstraint, Level

REQUEST = "RFC 6455 section 4.2.1"
ONCE = "RFC 6455 section 11.3"
VERSIONS = "RFC 6455 section 4.4"
UPGRADES = "RFC 9110 section 7.8"
EXTENSIONS = "RFC 6455 section 9.1"
DEFLATES = "RFC 7692 section 7.1"
SCOPE = "ASGI WebSocket 2.5, Connection Scope"

# RFC 9110 section 15.5.22 asks for Upgrade in a 426, and the connection option with it.
TOLD: dict[str, HeaderConstraint] = {
    "sec-websocket-version": "13",
    "upgrade": "websocket",
    "connection": "upgrade, close",
}
OTHER_KEY = b"x3JJHMbDL1EzLkh9GBhXDw=="
SHOULD = Level.SHOULD
# Any "appropriate error code"; 500 where it is plain HTTP and the application is not made for it.
NOT_GET = (403, 404, 405, 426, 500, 501)


def _good() -> list[Case]:
    def good(name: str, says: str, sent: bytes, clause: str = REQUEST, **more: Any) -> Case:
        return opened(f"request-{name}", 88, clause, says, sent, **more)

    key_line = b"Sec-WebSocket-Key: " + KEY
    return [
        good("plain", "the handshake of RFC 6455 section 1.3", handshake()),
        good("upgrade-case", "Upgrade in any case", handshake(upgrade=b"WebSOCKET")),
        good("option-case", "the option in any case", handshake(connection=b"UPGRADE")),
        good("option-list", "a list", handshake(connection=b"keep-alive, Upgrade")),
        good("option-first", "in front", handshake(connection=b"Upgrade,keep-alive")),
        good("option-tab", "a tab", handshake(connection=b"keep-alive,\tUpgrade\t")),
        good(
            "option-lines",
            "a list over two lines",
            handshake(b"Connection: Upgrade", connection=b"keep-alive"),
        ),
        good(
            "option-empty-members",
            "empty members of the list",
            handshake(connection=b", Upgrade ,,"),
            "RFC 9110 section 5.6.1.2",
        ),
        good(
            "upgrade-list",
            "websocket among other protocols",
            handshake(upgrade=b"other/1, websocket"),
            UPGRADES,
            level=CHOICE,
        ),
        good(
            "upgrade-lines",
            "and over two lines",
            handshake(b"Upgrade: websocket", upgrade=b"other/1"),
            UPGRADES,
            level=CHOICE,
        ),
        good(
            "names-upper", "names in upper case", handshake(key_line.upper()[:19] + KEY, key=None)
        ),
        good("names-lower", "in lower case", handshake(key_line.lower()[:19] + KEY, key=None)),
        good("key-whitespace", "whitespace around the key", handshake(key=b"\t " + KEY + b" \t")),
        good(
            "key-other",
            "the answer is computed from the key",
            handshake(key=OTHER_KEY),
            fields={"sec_websocket_accept": "HSmrc0sMlYUkAGmm5OPpG2HaGWk="},
        ),
        good("key-zeros", "any 16 octets", handshake(key=b"A" * 22 + b"==")),
        good("key-symbols", "symbols of base64", handshake(key=b"+/+/+/+/+/+/+/+/+/+/+w==")),
        good(
            "absolute-form",
            "a target in absolute form",
            handshake(target=b"http://example.org/x"),
            "RFC 9112 section 3.2.2",
            calls=(Call(ours={"path": "/x"}),),
        ),
        good("no-content", "Content-Length: 0", handshake(b"Content-Length: 0"), level=CHOICE),
        good(
            "http-1.2",
            "a later minor version",
            handshake(version=b"1.2"),
            "RFC 9110 section 2.5",
            level=CHOICE,
        ),
        good(
            "many-fields",
            "other fields do not matter",
            handshake(b"Pragma: no-cache", b"Cookie: a=b", b"X: " + b"y" * 4000),
        ),
        good(
            "fields-reversed",
            "nor does the order",
            get(
                b"/",
                b"Sec-WebSocket-Version: 13",
                key_line,
                b"Connection: Upgrade",
                b"Upgrade: websocket",
            ),
        ),
    ]


def _bad() -> list[Case]:
    def bad(name: str, says: str, sent: bytes, clause: str = REQUEST, **more: Any) -> Case:
        return refused_opening(f"request-{name}", 88, clause, says, sent, **more)

    length = b"Content-Length: 5"
    keys = {
        "empty": (b"", "an empty key"),
        "15-octets": (b"A" * 20, "a key of 15 octets"),
        "17-octets": (b"A" * 23 + b"=", "a key of 17 octets"),
        "no-base64": (b"dGhlIHNhbXBsZSBub25j!!==", "characters outside of base64"),
        "base64url": (b"-_-_-_-_-_-_-_-_-_-_-w==", "base64url"),
        "no-padding": (KEY[:-2], "no padding"),
        "inner-space": (KEY[:9] + b" " + KEY[9:], "whitespace inside of it"),
        "list": (KEY + b", " + OTHER_KEY, "two keys in one line"),
    }
    key_line = b"Sec-WebSocket-Key: "
    return [
        bad("no-key", "no key", handshake(key=None)),
        *(
            bad(f"key-{name}", says, handshake(key=key), level=CHOICE)
            for name, (key, says) in keys.items()
        ),
        bad("key-twice", "the same key twice", handshake(key_line + KEY), ONCE, level=SHOULD),
        bad("key-two", "two keys", handshake(key_line + OTHER_KEY), ONCE, level=SHOULD),
        bad("post", "POST", handshake(method=b"POST"), alternatives=NOT_GET),
        bad("put", "PUT", handshake(method=b"PUT"), alternatives=NOT_GET),
        bad("options", "OPTIONS", handshake(method=b"OPTIONS"), alternatives=NOT_GET),
        refused_opening(
            "request-head",
            88,
            REQUEST,
            "HEAD",
            handshake(method=b"HEAD"),
            responses=(error(400, *NOT_GET, method="HEAD"),),
        ),
        bad(
            "content",
            "content: octets that could be taken for frames",
            handshake(length) + b"hello",
            UPGRADES,
            level=CHOICE,
        ),
        bad(
            "chunked-content",
            "chunked content",
            handshake(b"Transfer-Encoding: chunked") + b"5\r\nhello\r\n0\r\n\r\n",
            UPGRADES,
            level=CHOICE,
        ),
        bad(
            "length-and-chunked",
            "Content-Length and Transfer-Encoding",
            handshake(length, b"Transfer-Encoding: chunked") + b"5\r\nhello\r\n0\r\n\r\n",
            "RFC 9112 section 6.1",
            level=CHOICE,
        ),
        bad("no-host", "no Host", handshake(host=b""), "RFC 9112 section 3.2"),
        bad("two-hosts", "two Hosts", handshake(b"Host: b.example"), "RFC 9112 section 3.2"),
        bad(
            "obs-fold",
            "a folded field",
            handshake(b"X: a", b" b"),
            "RFC 9112 section 5.2",
            level=CHOICE,
        ),
        bad("space-colon", "a space before a colon", handshake(b"X : a"), "RFC 9112 section 5.1"),
        bad("nul", "NUL in a field", handshake(b"X: a\0b"), "RFC 9110 section 5.5", level=CHOICE),
        bad("bare-lf", "LF alone", handshake(b"X: a\nY: b"), "RFC 9112 section 2.2", level=CHOICE),
        bad(
            "no-token",
            "a subprotocol that is no token",
            handshake(b"Sec-WebSocket-Protocol: a b"),
            level=CHOICE,
        ),
        bad(
            "extension-syntax",
            "extensions that break the grammar",
            handshake(b"Sec-WebSocket-Extensions: permessage-deflate; =x"),
            EXTENSIONS,
            level=CHOICE,
        ),
        bad(
            "target-space",
            "a space in the target",
            handshake(target=b"/a b"),
            "RFC 9112 section 3.2",
            level=SHOULD,
        ),
    ]


# What a lenient reader takes for 13.
LENIENT = ("+13", "013", "13,8", "twice", "two")


def _versions() -> list[Case]:
    numbers = (b"8", b"7", b"0", b"14", b"99", b"131", b"-13", b"+13", b"013", b"13.0", b"13, 8")

    def other(name: str, says: str, sent: bytes, status: int = 426) -> Case:
        return refused_opening(
            f"version-{name}",
            88,
            VERSIONS,
            says,
            sent,
            status=status,
            alternatives=(400, 426),
            level=CHOICE if name in LENIENT else Level.MUST,
            fields=TOLD if status == 426 else {},
        )

    return [
        *(
            other(number.decode().replace(" ", ""), "a version but 13", handshake(number=number))
            for number in numbers
        ),
        other("word", "a version that is no number", handshake(number=b"hybi")),
        other("empty", "an empty version", handshake(number=b"")),
        other("none", "no version", handshake(number=None), 400),
        other("twice", "13 twice", handshake(b"Sec-WebSocket-Version: 13"), 400),
        other("two", "13 and 8", handshake(b"Sec-WebSocket-Version: 8"), 400),
    ]


def _ignored() -> list[Case]:
    """Write the requests whose Upgrade the server does not follow: they are plain HTTP."""
    sent = {
        "no-option": ("without the connection option", handshake(connection=None)),
        "option-other": ("with another option", handshake(connection=b"keep-alive")),
        "option-prefix": ("an option that begins alike", handshake(connection=b"upgrade-later")),
        "no-upgrade": ("without Upgrade", handshake(upgrade=None)),
        "upgrade-other": ("to another protocol", handshake(upgrade=b"other/1")),
        "upgrade-prefix": ("that begins alike", handshake(upgrade=b"websockets")),
        "upgrade-versioned": ("with a version", handshake(upgrade=b"websocket/13")),
        "upgrade-empty": ("an empty Upgrade", handshake(upgrade=b"")),
        "http-1.0": ("in HTTP/1.0", handshake(version=b"1.0")),
    }
    return [
        case(
            f"ignored-{name}",
            84,
            UPGRADES,
            f"an upgrade is ignored: {says}",
            octets,
            responses=(hello(),),
            calls=(Call(scope={"type": "http", "scheme": "http"}),),
            level=Level.MUST if name == "http-1.0" else CHOICE,
            fate=Fate.CLOSED if name == "http-1.0" else Fate.KEPT,
        )
        for name, (says, octets) in sent.items()
    ]


def _scopes() -> list[Case]:
    def scope(name: str, number: int, says: str, sent: bytes, **more: Any) -> Case:
        return opened(f"scope-{name}", number, SCOPE, says, sent, **more)

    def offered(name: str, says: str, subprotocols: list[str], *lines: bytes) -> Case:
        fields = [b"Sec-WebSocket-Protocol: " + line for line in lines]
        level = SHOULD if name.endswith("empty") else Level.MUST
        expected = {"subprotocols": subprotocols}
        return scope(name, 16, says, handshake(*fields), scope=expected, level=level)

    fields = [
        (b"host", b"example.org"),
        (b"upgrade", b"websocket"),
        (b"connection", b"Upgrade"),
        (b"sec-websocket-key", KEY),
        (b"sec-websocket-version", b"13"),
        (b"origin", b"http://elsewhere.example"),
        (b"x", b"1"),
        (b"y", b"2"),
        (b"x", b"3"),
    ]
    return [
        scope(
            "plain",
            15,
            "type, scheme and version of a connection without TLS",
            handshake(),
            scope={"type": "websocket", "scheme": "ws", "http_version": "1.1", "root_path": ""},
        ),
        scope(
            "target",
            1,
            "path is decoded, raw_path and query_string are as received",
            handshake(target=b"/a%20b%2Fc%C3%A9?x=%20y"),
            scope={
                "path": "/a b/cé",
                "raw_path": b"/a%20b%2Fc%C3%A9",
                "query_string": b"x=%20y",
            },
        ),
        scope("no-query", 1, "no query", handshake(target=b"/chat"), scope={"query_string": b""}),
        scope(
            "headers",
            5,
            "all fields in their order, names in lower case, none joined; Origin among them",
            handshake(b"Origin: http://elsewhere.example", b"X: 1", b"y: 2", b"x: 3"),
            scope={"headers": fields},
        ),
        scope(
            "specification",
            2,
            "the version of the specification, and what the server can do beyond it",
            handshake(),
            scope={"asgi": {"version": "3.0", "spec_version": "2.5"}},
            esg_only=True,
        ),
        scope(
            "root-path",
            13,
            "root_path is the mount point, path has it once",
            handshake(target=b"/api/chat"),
            scope={"root_path": "/api", "path": "/api/chat", "raw_path": b"/api/chat"},
            options=("--root-path", "/api"),
        ),
        scope(
            "root-path-added",
            13,
            "and gets it where the target lacks it",
            handshake(target=b"/chat"),
            scope={"root_path": "/api", "path": "/api/chat", "raw_path": b"/chat"},
            options=("--root-path", "/api"),
        ),
        offered("no-subprotocols", "nothing offered", []),
        offered("one-subprotocol", "one offered", ["chat"], b"chat"),
        offered("subprotocols", "several lines and lists", ["a", "b", "c"], b"a, b", b"c"),
        offered("subprotocols-spaces", "whitespace around", ["a", "b"], b" a ,\tb "),
        offered("subprotocols-empty", "empty members", ["a", "b"], b",a,,b,"),
        offered("subprotocols-case", "case is kept", ["Chat", "chat"], b"Chat, chat"),
        offered("subprotocols-symbols", "all characters of a token", ["v1.a+b~c!"], b"v1.a+b~c!"),
    ]


def _negotiation() -> list[Case]:
    """Write offers of extensions, and whether permessage-deflate is used for them."""
    prefix = b"Sec-WebSocket-Extensions: "
    used = {
        "plain": b"permessage-deflate",
        "server-alone": b"permessage-deflate; server_no_context_takeover",
        "client-alone": b"permessage-deflate; client_no_context_takeover",
        "both-alone": DEFLATE[len(prefix) :]
        + b"; server_no_context_takeover; client_no_context_takeover",
        "client-bits": b"permessage-deflate; client_max_window_bits",
        "client-bits-9": b"permessage-deflate; client_max_window_bits=9",
        "client-bits-15": b"permessage-deflate; client_max_window_bits=15",
        "server-bits-9": b"permessage-deflate; server_max_window_bits=9",
        "server-bits-12": b"permessage-deflate; server_max_window_bits=12",
        "server-bits-15": b"permessage-deflate; server_max_window_bits=15",
        "quoted": b'permessage-deflate; server_max_window_bits="10"',
        "all": b"permessage-deflate; server_no_context_takeover; client_no_context_takeover; "
        b"server_max_window_bits=11; client_max_window_bits=13",
        "no-spaces": b"permessage-deflate;client_max_window_bits;server_max_window_bits=10",
        "spaces": b"permessage-deflate ;\tclient_max_window_bits ; server_max_window_bits = 10",
        "second": b"permessage-deflate; unknown, permessage-deflate",
        "second-bits": b"permessage-deflate; server_max_window_bits=7, permessage-deflate",
        "after-unknown": b"permessage-bzip2, x-webkit-deflate-frame, permessage-deflate",
        "two": b"permessage-deflate; server_max_window_bits=10, permessage-deflate",
    }
    declined = {
        "unknown": b"permessage-bzip2",
        "webkit": b"x-webkit-deflate-frame",
        "prefix": b"permessage-deflated",
        "parameter": b"permessage-deflate; unknown",
        "parameter-value": b"permessage-deflate; unknown=1",
        "parameter-twice": b"permessage-deflate; client_max_window_bits; client_max_window_bits",
        "server-bits-7": b"permessage-deflate; server_max_window_bits=7",
        "server-bits-16": b"permessage-deflate; server_max_window_bits=16",
        "server-bits-08": b"permessage-deflate; server_max_window_bits=08",
        "server-bits-0": b"permessage-deflate; server_max_window_bits=0",
        "server-bits-word": b"permessage-deflate; server_max_window_bits=ten",
        "server-bits-none": b"permessage-deflate; server_max_window_bits",
        "client-bits-7": b"permessage-deflate; client_max_window_bits=7",
        "client-bits-16": b"permessage-deflate; client_max_window_bits=16",
        "client-bits-word": b"permessage-deflate; client_max_window_bits=a",
        "server-alone-value": b"permessage-deflate; server_no_context_takeover=1",
        "client-alone-value": b"permessage-deflate; client_no_context_takeover=true",
    }
    answer = re.compile(r"permessage-deflate(;.*)?")
    # Who refuses the whole handshake has not accepted the offer either.
    unused = refused_opening("", 108, DEFLATES, "")

    def offer(name: str, says: str, value: bytes, expected: Any, **more: Any) -> Case:
        return opened(
            f"offer-{name}",
            108,
            DEFLATES,
            says,
            handshake(prefix + value),
            fields={"sec_websocket_extensions": expected},
            **more,
        )

    return [
        *(
            offer(name, f"used: {value.decode()}", value, answer, level=CHOICE)
            for name, value in used.items()
        ),
        *(
            offer(f"declined-{name}", f"declined: {value.decode()}", value, None, or_else=(unused,))
            for name, value in declined.items()
        ),
        offer(
            "switched-off",
            "declined with --no-ws-per-message-deflate",
            b"permessage-deflate",
            None,
            options=("--no-ws-per-message-deflate",),
        ),
        opened(
            "offer-none",
            108,
            EXTENSIONS,
            "nothing is used that was not offered",
            handshake(),
            fields={"sec_websocket_extensions": None},
        ),
        opened(
            "offer-two-lines",
            108,
            EXTENSIONS,
            "offers over two lines",
            handshake(prefix + b"permessage-bzip2", DEFLATE),
            fields={"sec_websocket_extensions": answer},
            level=CHOICE,
        ),
    ]


CASES = (*_good(), *_bad(), *_versions(), *_ignored(), *_scopes(), *_negotiation())
