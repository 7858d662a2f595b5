"""The PROXY protocol header in front of a connection's own bytes."""

from __future__ import annotations

import socket
from dataclasses import replace
from typing import Any

from tests.conformance.cases.build import accepted, case, error, get, hello
from tests.conformance.cases.websocket_build import handshake, opened
from tests.conformance.model import AwaitClose, Call, Case, Fate, HalfClose, Level

NUMBER = 127
VERSION_1, VERSION_2 = "PROXY protocol 2.1", "PROXY protocol 2.2"
ON = ("--proxy-protocol",)
CLIENT, SERVER = ("203.0.113.5", 5632), ("198.51.100.1", 443)
TCP4 = b"PROXY TCP4 203.0.113.5 198.51.100.1 5632 443\r\n"
SIGNATURE = b"\r\n\r\n\x00\r\nQUIT\n"


def version_2(command: int, family: int, content: bytes = b"") -> bytes:
    """Write a header of version 2."""
    return SIGNATURE + bytes((command, family)) + len(content).to_bytes(2, "big") + content


def ends(family: socket.AddressFamily, client: str, server: str) -> bytes:
    """Write two addresses and the ports of CLIENT and SERVER."""
    hosts = socket.inet_pton(family, client) + socket.inet_pton(family, server)
    return hosts + CLIENT[1].to_bytes(2, "big") + SERVER[1].to_bytes(2, "big")


ENDS = ends(socket.AF_INET, CLIENT[0], SERVER[0])


def told(name: str, clause: str, says: str, header: bytes, **details: Any) -> Case:
    """Write a case of a header that tells the ends of the connection."""
    details.setdefault("scope", {"client": CLIENT, "server": SERVER, "scheme": "http"})
    details.setdefault("options", ON)
    return accepted(
        name,
        NUMBER,
        clause,
        says,
        header + get(),
        level=Level.CHOICE,
        client_is_told=True,
        **details,
    )


def silent(name: str, clause: str, says: str, header: bytes, **details: Any) -> Case:
    """Write a case of a header behind which the ends are those of the TCP connection."""
    return accepted(
        name, NUMBER, clause, says, header + get(), level=Level.CHOICE, options=ON, **details
    )


def closed(name: str, clause: str, says: str, *sent: Any, reason: str, **details: Any) -> Case:
    """Write a case of a connection that is closed without a word."""
    details.setdefault("options", ON)
    return case(
        name,
        NUMBER,
        clause,
        says,
        *sent,
        level=Level.CHOICE,
        fate=Fate.GONE,
        calls=(),
        log_has=(r"127\.0\.0\.1:{port} - no PROXY protocol header: " + reason,),
        **details,
    )


def _version_1() -> list[Case]:
    client_6 = ("2001:db8::5", CLIENT[1])
    return [
        told(
            "v1-tcp4",
            VERSION_1,
            "the ends are told, and the log knows them",
            TCP4,
            log_has=(r'203\.0\.113\.5:5632 - "GET / HTTP/1\.1" 200',),
        ),
        told(
            "v1-tcp6",
            VERSION_1,
            "of IPv6, too",
            b"PROXY TCP6 2001:db8::5 2001:db8::1 5632 443\r\n",
            scope={"client": client_6, "server": ("2001:db8::1", 443)},
        ),
        silent("v1-unknown", VERSION_1, "or are not known", b"PROXY UNKNOWN\r\n"),
        silent("v1-unknown-rest", VERSION_1, "its rest is ignored", b"PROXY UNKNOWN a b c\r\n"),
        closed(
            "v1-malformed", VERSION_1, "a bad address", b"PROXY TCP4 1 2 3 4\r\n", reason="no TCP4"
        ),
        closed(
            "v1-bare-lf",
            VERSION_1,
            "a line ends with CRLF",
            TCP4.replace(b"\r\n", b"\n"),
            reason="malformed",
        ),
        closed(
            "v1-long",
            VERSION_1,
            "a line is 107 bytes at most",
            b"PROXY UNKNOWN" + b" " * 94,
            reason="a line",
        ),
    ]


def _version_2() -> list[Case]:
    unix = b"/client".ljust(108, b"\0") + b"/run/esg.sock".ljust(108, b"\0")
    return [
        told("v2-tcp4", VERSION_2, "the ends are told", version_2(0x21, 0x11, ENDS)),
        told(
            "v2-tcp6",
            VERSION_2,
            "of IPv6, too",
            version_2(0x21, 0x21, ends(socket.AF_INET6, "2001:db8::5", "2001:db8::1")),
            scope={"client": ("2001:db8::5", CLIENT[1]), "server": ("2001:db8::1", 443)},
        ),
        told(
            "v2-unix",
            VERSION_2,
            "a UNIX socket's client has no address",
            version_2(0x21, 0x31, unix),
            scope={"client": None, "server": ("/run/esg.sock", None)},
        ),
        told(
            "v2-tlv",
            VERSION_2,
            "what is behind the addresses is skipped",
            version_2(0x21, 0x11, ENDS + b"\x01\x00\x02h2\x04\x03\x00" + bytes(768)),
        ),
        silent("v2-local", VERSION_2, "the proxy's own health check", version_2(0x20, 0)),
        silent("v2-unspecified", VERSION_2, "another protocol", version_2(0x21, 0, b"x" * 9)),
        closed(
            "v2-command",
            VERSION_2,
            "another command",
            version_2(0x22, 0x11, ENDS),
            reason="unknown",
        ),
        closed(
            "v2-family", VERSION_2, "another family", version_2(0x21, 0x12, ENDS), reason="unknown"
        ),
        closed("v2-short", VERSION_2, "too short", version_2(0x21, 0x21, ENDS), reason="too short"),
        closed(
            "v2-long",
            VERSION_2,
            "4096 bytes are enough",
            SIGNATURE + b"\x21\x11\xff\xff",
            reason="65551 bytes",
        ),
    ]


def _both() -> list[Case]:
    forwarded = (b"X-Forwarded-For: 198.51.100.7", b"X-Forwarded-Proto: https")
    behind = b"PROXY TCP4 10.1.1.1 198.51.100.1 5632 443\r\n"
    proxies = (*ON, "--forwarded-allow-ips", "127.0.0.1, 10.0.0.0/8")
    return [
        closed("missing", VERSION_1, "who has none is closed", get(), reason="it begins with b'G"),
        closed(
            "ended",
            VERSION_1,
            "or who ends within it",
            TCP4[:20],
            HalfClose(),
            reason="it ends early",
        ),
        closed(
            "late",
            VERSION_1,
            "or is too slow",
            TCP4[:20],
            AwaitClose(),
            reason="it does not come in time",
            options=(*ON, "--timeout-headers", "0.3"),
            splittable=False,
        ),
        closed(
            "stranger",
            "PROXY protocol 2",
            "who is no trusted proxy is closed unread",
            AwaitClose(),
            reason="its peer is no trusted proxy",
            options=(*ON, "--forwarded-allow-ips", "10.0.0.0/8"),
        ),
        case(
            "unasked",
            NUMBER,
            "PROXY protocol 2",
            "without the option such a header is no request",
            TCP4 + get(),
            level=Level.CHOICE,
            responses=(error(400),),
            calls=(),
        ),
        accepted(
            "pipelined",
            NUMBER,
            "PROXY protocol 2",
            "the ends are those of all requests of the connection",
            TCP4 + get() + get(),
            responses=(hello(), hello()),
            calls=(Call(scope={"client": CLIENT}), Call(scope={"client": CLIENT})),
            level=Level.CHOICE,
            options=ON,
            client_is_told=True,
        ),
        accepted(
            "fields-of-a-client",
            NUMBER,
            "RFC 7239 8.1",
            "whom the header tells of is the peer: a client's fields are not believed",
            TCP4 + get(b"/", *forwarded),
            scope={"client": CLIENT, "scheme": "http"},
            level=Level.CHOICE,
            options=ON,
            client_is_told=True,
        ),
        accepted(
            "fields-of-a-proxy",
            NUMBER,
            "RFC 7239 8.1",
            "but those of a trusted proxy are",
            behind + get(b"/", *forwarded),
            scope={"client": ("198.51.100.7", 0), "scheme": "https"},
            level=Level.CHOICE,
            options=proxies,
            client_is_told=True,
        ),
        accepted(
            "local-fields",
            NUMBER,
            "RFC 7239 8.1",
            "and the proxy's own, where it speaks for itself",
            version_2(0x20, 0) + get(b"/", *forwarded),
            scope={"client": ("198.51.100.7", 0), "scheme": "https"},
            level=Level.CHOICE,
            options=ON,
            client_is_told=True,
        ),
        opened(
            "websocket",
            NUMBER,
            "PROXY protocol 2",
            "a WebSocket is told, too",
            TCP4 + handshake(),
            scope={"client": CLIENT, "scheme": "ws"},
            level=Level.CHOICE,
            options=ON,
            client_is_told=True,
        ),
    ]


_ALL = (*_version_1(), *_version_2(), *_both())
# Before TLS, not within it.
CASES = tuple(replace(each, without_tls=True) for each in _ALL)
