"""What proxies in front of the server say: RFC 7239, X-Forwarded-*, and whom to believe."""

from __future__ import annotations

from typing import Any

from tests.conformance.cases.build import HOST, accepted, get, hello
from tests.conformance.cases.websocket_build import handshake, opened
from tests.conformance.model import AwaitResponse, Call, Case, Level

NUMBER = 127
FAMILY = "X-Forwarded-*"
STANDARD = "RFC 7239 5"
ALL = ("--forwarded-fields", "for,proto,host,port,prefix")
FORWARDED = ("--forwarded-fields", "forwarded")
PROXIES = ("--forwarded-allow-ips", "127.0.0.1, 10.0.0.0/8, 2001:db8:a::/48")
CLIENT = ("203.0.113.5", 0)


def said(name: str, clause: str, says: str, *fields: bytes, **details: Any) -> Case:
    """Write a case of a request with a proxy's fields; the scope tells another client."""
    details.setdefault("client_is_told", True)
    return accepted(name, NUMBER, clause, says, get(b"/x", *fields), level=Level.CHOICE, **details)


def unheard(name: str, clause: str, says: str, *fields: bytes, **details: Any) -> Case:
    """Write a case of fields that change nothing; the seat is found by the connection's port."""
    scope = {"scheme": "http", "root_path": "", "path": "/x", **details.pop("scope", {})}
    return said(name, clause, says, *fields, scope=scope, client_is_told=False, **details)


def _client() -> list[Case]:
    def chain(name: str, says: str, *lines: bytes, client: tuple[str, int]) -> Case:
        return said(
            f"for-{name}",
            FAMILY,
            says,
            *(b"X-Forwarded-For: " + line for line in lines),
            scope={"client": client},
            options=PROXIES,
        )

    return [
        said(
            "for",
            FAMILY,
            "by default a proxy on this machine tells the client's address",
            b"X-Forwarded-For: 203.0.113.5",
            scope={"client": CLIENT, "scheme": "http"},
            log_has=(r'203\.0\.113\.5:0 - "GET /x HTTP/1\.1" 200',),
        ),
        chain(
            "several", "the right-most hop that is no proxy", b"6.6.6.6, 203.0.113.5", client=CLIENT
        ),
        chain("chain", "behind proxies", b"6.6.6.6, 203.0.113.5, 10.1.1.1", client=CLIENT),
        chain("lines", "over several lines", b"6.6.6.6, 203.0.113.5", b"10.1.1.1", client=CLIENT),
        chain(
            "trusted",
            "all are proxies: the left-most",
            b"10.2.2.2, 10.1.1.1",
            client=("10.2.2.2", 0),
        ),
        chain("port", "with a port", b"203.0.113.5:4711", client=("203.0.113.5", 4711)),
        chain("ipv6", "IPv6", b"2001:db8::1, 2001:db8:a::1", client=("2001:db8::1", 0)),
        chain("ipv6-port", "IPv6 with a port", b"[2001:db8::1]:4711", client=("2001:db8::1", 4711)),
        chain("forged", "a client's garbage is not read", b'x";,, 203.0.113.5', client=CLIENT),
        unheard(
            "for-unknown", FAMILY, "an unknown client is the proxy's", b"X-Forwarded-For: unknown"
        ),
        unheard("for-malformed", FAMILY, "so is one that is no address", b"X-Forwarded-For: 1.2.3"),
        unheard("for-twin", FAMILY, "an underscore is no dash", b"X_Forwarded_For: 203.0.113.5"),
        unheard("proto-twin", FAMILY, "nor there", b"X-Forwarded_Proto: https"),
        accepted(
            "for-each-request",
            NUMBER,
            FAMILY,
            "each request on a connection has a client and a scheme of its own",
            get(b"/1", b"X-Forwarded-For: 203.0.113.5", b"X-Forwarded-Proto: https"),
            AwaitResponse(1),
            get(b"/2", b"X-Forwarded-For: 203.0.113.6"),
            responses=(hello(), hello()),
            calls=(
                Call(scope={"client": CLIENT, "scheme": "https"}),
                Call(scope={"client": ("203.0.113.6", 0), "scheme": "http"}),
            ),
            level=Level.CHOICE,
            client_is_told=True,
        ),
    ]


def _scheme() -> list[Case]:
    https = {"scheme": "https"}
    return [
        unheard("proto", FAMILY, "the scheme", b"X-Forwarded-Proto: https", scope=https),
        unheard("proto-case", FAMILY, "in any case", b"X-Forwarded-Proto: HTTPS", scope=https),
        unheard("proto-other", FAMILY, "another is ignored", b"X-Forwarded-Proto: gopher"),
        unheard(
            "proto-last",
            FAMILY,
            "of several the last counts, which the proxy has added itself",
            b"X-Forwarded-Proto: https",
            b"X-Forwarded-Proto: http",
            without_tls=True,
        ),
        opened(
            "websocket",
            NUMBER,
            FAMILY,
            "https is wss to a WebSocket",
            handshake(b"X-Forwarded-Proto: https", b"X-Forwarded-For: 203.0.113.5:4711"),
            scope={"scheme": "wss", "client": ("203.0.113.5", 4711)},
            level=Level.CHOICE,
            client_is_told=True,
        ),
    ]


def _others() -> list[Case]:
    host = b"X-Forwarded-Host: example.com:8443"
    return [
        unheard(
            "host-unasked",
            FAMILY,
            "Host, port and prefix are believed only where asked for: few proxies remove a client's",
            host,
            b"X-Forwarded-Port: 8443",
            b"X-Forwarded-Prefix: /api",
            scope={
                "headers": [
                    (b"host", b"example.org"),
                    (b"x-forwarded-host", b"example.com:8443"),
                    (b"x-forwarded-port", b"8443"),
                    (b"x-forwarded-prefix", b"/api"),
                ]
            },
        ),
        unheard(
            "host",
            FAMILY,
            "Host and server are what the client has asked",
            host,
            options=ALL,
            scope={
                "server": ("example.com", 8443),
                "headers": [
                    (b"host", b"example.com:8443"),
                    (b"x-forwarded-host", b"example.com:8443"),
                ],
            },
        ),
        unheard(
            "host-malformed",
            FAMILY,
            "a host that is none is ignored",
            b"X-Forwarded-Host: example.com/x",
            options=ALL,
            scope={
                "headers": [(b"host", b"example.org"), (b"x-forwarded-host", b"example.com/x")],
            },
        ),
        unheard(
            "port",
            FAMILY,
            "the port of what the client has asked",
            b"X-Forwarded-Proto: https",
            b"X-Forwarded-Port: 8443",
            options=ALL,
            scope={"scheme": "https", "server": ("example.org", 8443)},
        ),
        unheard(
            "prefix",
            FAMILY,
            "the path that a proxy has taken away",
            b"X-Forwarded-Prefix: /api",
            options=ALL,
            scope={"root_path": "/api", "path": "/api/x", "raw_path": b"/x"},
        ),
        unheard(
            "prefix-root-path",
            FAMILY,
            "in front of --root-path",
            b"X-Forwarded-Prefix: /api",
            options=(*ALL, "--root-path", "/own"),
            scope={"root_path": "/api/own", "path": "/api/own/x"},
        ),
        unheard(
            "prefix-malformed",
            FAMILY,
            "a prefix that would name another host is ignored",
            b"X-Forwarded-Prefix: //evil.example",
            options=ALL,
        ),
    ]


def _standard() -> list[Case]:
    def element(name: str, says: str, *lines: bytes, **scope: Any) -> Case:
        return said(
            f"forwarded-{name}",
            STANDARD,
            says,
            *(b"Forwarded: " + line for line in lines),
            scope={"client": CLIENT, **scope},
            options=FORWARDED,
        )

    whole = b'for="203.0.113.5";proto=https;host="example.com:81";by=_us'
    told = {"scheme": "https", "server": ("example.com", 81)}
    return [
        element("for", "the client", b"for=203.0.113.5"),
        element(
            "whole", "its element tells everything", b"for=6.6.6.6;proto=http, " + whole, **told
        ),
        element("lines", "over several lines", b"for=6.6.6.6", whole, **told),
        element(
            "ipv6", "IPv6 is quoted", b'for="[2001:db8::1]:4711"', client=("2001:db8::1", 4711)
        ),
        element("forged", "a client's quote swallows nothing", b'for=", ' + whole, **told),
        unheard(
            "forwarded-hidden",
            "RFC 7239 6.3",
            "a hidden client is the proxy's; what else it says counts",
            b"Forwarded: for=_x;proto=https",
            options=FORWARDED,
            scope={"scheme": "https"},
        ),
        unheard(
            "forwarded-malformed",
            "RFC 7239 4",
            "what cannot be read is ignored",
            b"Forwarded: for=203.0.113.5;for=203.0.113.5;proto=https",
            options=FORWARDED,
        ),
        unheard(
            "forwarded-alone",
            STANDARD,
            "who asks for Forwarded believes nothing else: a client may have sent it",
            b"X-Forwarded-For: 203.0.113.5",
            b"X-Forwarded-Proto: https",
            options=FORWARDED,
        ),
        unheard(
            "forwarded-unasked",
            STANDARD,
            "and the other way round, which is the default",
            b"Forwarded: for=203.0.113.5;proto=https;host=example.com",
        ),
    ]


def _trust() -> list[Case]:
    everything = (
        b"X-Forwarded-For: 203.0.113.5",
        b"X-Forwarded-Proto: https",
        b"X-Forwarded-Host: example.com",
        b"X-Forwarded-Port: 81",
        b"X-Forwarded-Prefix: /api",
    )
    stranger = ("--forwarded-allow-ips", "10.0.0.0/8,unix")
    unix = ("--uds", "{folder}/esg.sock")
    over_unix: dict[str, Any] = {"splittable": False, "alone": True, "esg_only": True}

    def socket(name: str, allowed: str, client: tuple[str, int] | None, says: str) -> Case:
        return accepted(
            f"unix-{name}",
            NUMBER,
            FAMILY,
            says,
            b"GET / HTTP/1.1\r\n" + HOST + b"X-Forwarded-For: 203.0.113.5\r\n\r\n",
            options=(*unix, "--forwarded-allow-ips", allowed),
            scope={"client": client},
            level=Level.CHOICE,
            **over_unix,
        )

    return [
        unheard(
            "stranger",
            "RFC 7239 8.1",
            "what others than trusted proxies say changes nothing",
            *everything,
            options=(*ALL, *stranger),
            log_has=(r'127\.0\.0\.1:{port} - "GET /x HTTP/1\.1" 200',),
        ),
        unheard(
            "stranger-forwarded",
            "RFC 7239 8.1",
            "in whatever family",
            b"Forwarded: for=203.0.113.5;proto=https",
            options=(*FORWARDED, *stranger),
        ),
        unheard(
            "off",
            FAMILY,
            "nor do they where it is off",
            *everything,
            options=("--no-proxy-headers",),
        ),
        said(
            "everyone",
            FAMILY,
            "where everyone is trusted, so is the whole chain",
            b"X-Forwarded-For: 6.6.6.6, 203.0.113.5",
            options=("--forwarded-allow-ips", "*"),
            scope={"client": ("6.6.6.6", 0)},
        ),
        said(
            "environment",
            FAMILY,
            "uvicorn's variable names the proxies, too",
            b"X-Forwarded-For: 203.0.113.5, 10.1.1.1",
            environment={"FORWARDED_ALLOW_IPS": "127.0.0.0/8, 10.1.1.1"},
            scope={"client": CLIENT},
        ),
        socket(
            "stranger", "127.0.0.1", None, "who comes over a UNIX socket is no loopback address"
        ),
        socket("unix", "unix", CLIENT, "but can be trusted by that word"),
        socket("path", "{folder}/esg.sock", CLIENT, "or by the socket's path"),
    ]


CASES = (*_client(), *_scheme(), *_others(), *_standard(), *_trust())
