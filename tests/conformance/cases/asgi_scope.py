"""The HTTP connection scope (ASGI HTTP 2.5, "HTTP Connection Scope").

`scope_form` checks the types of every scope in every case; these cases check the values.
"""

from __future__ import annotations

from typing import Any

from tests.conformance.behaviours import HELLO, LIFESPAN, READ_AND_HELLO, answer
from tests.conformance.cases.build import HOST, accepted, get, hello, mark, ok, post, refusable
from tests.conformance.model import AwaitResponse, Call, Case, Fate, Level

SCOPE = "ASGI HTTP 2.5, HTTP Connection Scope"
ROOT_PATH = "ASGI HTTP 2.5, scope root_path and raw_path"
STATE = "ASGI lifespan 2.0, Lifespan State"


def _paths() -> list[Case]:
    def path(name: str, number: int, target: bytes, decoded: str, says: str, **more: Any) -> Case:
        raw_path, _, query = target.partition(b"?")
        return accepted(
            f"path-{name}",
            number,
            SCOPE,
            says,
            get(target),
            scope={"path": decoded, "raw_path": raw_path, "query_string": query},
            **more,
        )

    return [
        path("root", 1, b"/", "/", "the shortest path"),
        path(
            "escapes",
            1,
            b"/a%20b%2Fc%C3%A9?x=%20y",
            "/a b/cé",
            "path is decoded, raw_path and query_string are as received",
        ),
        path("lower-case-escapes", 1, b"/%c3%a9", "/é", "escapes may be in lower case"),
        path(
            "not-utf-8",
            9,
            b"/a%ffb",
            "/a\ufffdb",
            "octets that are no UTF-8 become U+FFFD",
            level=Level.CHOICE,
        ),
        path(
            "truncated-utf-8",
            9,
            b"/%C3",
            "/\ufffd",
            "a truncated sequence becomes U+FFFD",
            level=Level.CHOICE,
        ),
        path(
            "surrogate",
            9,
            b"/%ED%A0%80",
            "/\ufffd\ufffd\ufffd",
            "surrogates are no UTF-8",
            level=Level.CHOICE,
        ),
        path(
            "bad-escape",
            10,
            b"/a%zzb",
            "/a%zzb",
            "a bad escape stays as it is",
            level=Level.CHOICE,
        ),
        path(
            "short-escape",
            10,
            b"/a%4",
            "/a%4",
            "a short escape stays as it is",
            level=Level.CHOICE,
        ),
        path(
            "lone-percent",
            10,
            b"/100%",
            "/100%",
            "a lone percent sign stays as it is",
            level=Level.CHOICE,
        ),
        path("double-escape", 1, b"/%2525", "/%25", "escapes are decoded once"),
        path(
            "escaped-question", 1, b"/a%3Fb?c", "/a?b", "an escaped question mark starts no query"
        ),
        refusable(
            path("escaped-nul", 1, b"/a%00b", "/a\x00b", "an escaped NUL is decoded like others"),
            400,
        ),
        refusable(
            path(
                "escaped-crlf",
                1,
                b"/a%0D%0Ab",
                "/a\r\nb",
                "an escaped CR LF is decoded like others",
            ),
            400,
        ),
        path("plus", 1, b"/a+b?c+d", "/a+b", "a plus is a plus"),
        path("dots", 1, b"/a/../b/./c", "/a/../b/./c", "dot segments are the application's"),
        path("double-slash", 1, b"//a//b", "//a//b", "empty segments are kept"),
        path(
            "double-slash-host",
            1,
            b"//example.com/x",
            "//example.com/x",
            "a path that begins with two slashes is no authority",
        ),
        path("empty-query", 1, b"/a?", "/a", "an empty query is empty"),
        path("two-questions", 1, b"/a?b?c", "/a", "the query may hold question marks"),
        path(
            "odd-octets",
            1,
            b'/a|b"<>\\^`{}',
            '/a|b"<>\\^`{}',
            "visible octets outside of the URI grammar pass",
            level=Level.CHOICE,
        ),
        path("semicolon", 1, b"/a;b=c", "/a;b=c", "parameters belong to the path"),
        path(
            "query-odd-octets",
            1,
            b"/?a=[1]&b={2}",
            "/",
            "the query is handed on as it is",
            level=Level.CHOICE,
        ),
        accepted(
            "path-asterisk",
            8,
            "RFC 9112 section 3.2.4",
            "OPTIONS * has the path *",
            get(b"*", method=b"OPTIONS"),
            scope={"path": "*", "raw_path": b"*", "query_string": b"", "method": "OPTIONS"},
        ),
        accepted(
            "path-options",
            8,
            "RFC 9112 section 3.2.4",
            "OPTIONS of a path has that path",
            get(b"/x", method=b"OPTIONS"),
            scope={"path": "/x"},
        ),
        accepted(
            "path-asterisk-absolute",
            8,
            "RFC 9112 section 3.2.4",
            "OPTIONS of an authority without a path means the server itself",
            get(b"http://h", method=b"OPTIONS"),
            scope={"path": "*", "raw_path": b"*"},
            level=Level.CHOICE,
        ),
    ]


def _basics() -> list[Case]:
    return [
        accepted(
            "basics",
            2,
            SCOPE,
            "type, versions, scheme and method",
            get(),
            scope={
                "type": "http",
                "http_version": "1.1",
                "scheme": "http",
                "method": "GET",
                "root_path": "",
            },
        ),
        accepted(
            "no-tls",
            15,
            "ASGI TLS extension 0.2, When to use",
            "without TLS the scheme is http and the extensions have no tls",
            get(),
            scope={"scheme": "http"},
            without_tls=True,
        ),
        accepted(
            "tls",
            126,
            "ASGI TLS extension 0.2, Connection Scope",
            "over TLS the scope has the extension, version and cipher suite as integers",
            get(),
            calls=(Call(offers=("tls",)),),
            over_tls=True,
        ),
        accepted(
            "spec-version",
            2,
            SCOPE,
            "ESG claims 2.5 of the HTTP specification",
            get(),
            scope={"asgi": {"version": "3.0", "spec_version": "2.5"}},
            esg_only=True,
            level=Level.CHOICE,
        ),
        accepted(
            "http-1.0",
            2,
            SCOPE,
            "the version of an HTTP/1.0 request",
            b"GET / HTTP/1.0\r\n\r\n",
            scope={"http_version": "1.0", "headers": []},
            fate=Fate.CLOSED,
            level=Level.SHOULD,
        ),
        accepted(
            "headers-order",
            5,
            SCOPE,
            "names in lower case, in order, duplicates apart, all bytes",
            get(b"/", b"A: 1", b"X: z", b"A: 2", b"a: 3"),
            scope={
                "headers": [
                    (b"host", b"example.org"),
                    (b"a", b"1"),
                    (b"x", b"z"),
                    (b"a", b"2"),
                    (b"a", b"3"),
                ]
            },
        ),
        accepted(
            "headers-cookies",
            5,
            SCOPE,
            "cookies are not joined or split",
            get(b"/", b"Cookie: a=1; b=2", b"Cookie: c=3"),
            scope={
                "headers": [
                    (b"host", b"example.org"),
                    (b"cookie", b"a=1; b=2"),
                    (b"cookie", b"c=3"),
                ]
            },
        ),
        accepted(
            "headers-content",
            5,
            SCOPE,
            "fields about the content are there, too",
            post(b"hi", b"Content-Type: text/plain"),
            scope={
                "headers": [
                    (b"host", b"example.org"),
                    (b"content-length", b"2"),
                    (b"content-type", b"text/plain"),
                ]
            },
            app=(READ_AND_HELLO,),
        ),
        accepted(
            "headers-hop-by-hop",
            5,
            SCOPE,
            "the connection's fields are there, too",
            get(b"/", b"Connection: foo", b"TE: trailers", b"Keep-Alive: x"),
            scope={
                "headers": [
                    (b"host", b"example.org"),
                    (b"connection", b"foo"),
                    (b"te", b"trailers"),
                    (b"keep-alive", b"x"),
                ]
            },
        ),
        accepted(
            "forwarded-kept",
            5,
            SCOPE,
            "fields of proxies are handed on",
            get(b"/", b"Forwarded: for=1.2.3.4", b"X-Request-Id: r"),
            scope={
                "headers": [
                    (b"host", b"example.org"),
                    (b"forwarded", b"for=1.2.3.4"),
                    (b"x-request-id", b"r"),
                ]
            },
        ),
        accepted(
            "own-scope-per-request",
            14,
            SCOPE,
            "two requests on a connection have two scopes, down to asgi and extensions",
            get(b"/1"),
            AwaitResponse(1),
            get(b"/2"),
            app=((("spoil_scope",), *HELLO),),
            responses=(hello(), hello()),
            calls=(Call(holds=(mark("spoilt=False"),)), Call(holds=(mark("spoilt=False"),))),
            level=Level.CHOICE,
            own_process=True,
        ),
        accepted(
            "method-in-scope",
            2,
            SCOPE,
            "the method is upper case, as received",
            get(method=b"PATCH"),
            scope={"method": "PATCH"},
        ),
    ]


def _root_path() -> list[Case]:
    def mounted(name: str, target: bytes, path: str, says: str) -> Case:
        return accepted(
            f"root-path-{name}",
            13,
            ROOT_PATH,
            says,
            get(target),
            scope={"root_path": "/api", "path": path, "raw_path": target.partition(b"?")[0]},
            options=("--root-path", "/api"),
            level=Level.CHOICE,
        )

    return [
        mounted("there", b"/api/x", "/api/x", "a path that begins with it is as received"),
        mounted("missing", b"/x", "/api/x", "another path gets it in front, once"),
        mounted("exact", b"/api", "/api", "the root path itself"),
        mounted("exact-slash", b"/api/", "/api/", "the root path with a slash"),
        mounted("part-of-segment", b"/apix", "/api/apix", "segments count as a whole"),
        mounted("escaped", b"/%61pi/x", "/api/x", "the decoded path is compared"),
        mounted("twice", b"/api/api/x", "/api/api/x", "a second occurrence is the application's"),
        mounted("root", b"/", "/api/", "the shortest path"),
        mounted("query", b"/x?y=/api", "/api/x", "the query does not matter"),
        accepted(
            "root-path-trailing-slash",
            13,
            ROOT_PATH,
            "a trailing slash of the option is dropped",
            get(b"/x"),
            scope={"root_path": "/api", "path": "/api/x"},
            options=("--root-path", "/api/"),
            level=Level.CHOICE,
        ),
    ]


def _context() -> list[Case]:
    fresh = (mark("variable=unset"),)
    stateful = (("set_state", {"n": 0, "l": []}), *LIFESPAN)
    at_start = (("contextvar", "from lifespan"), *LIFESPAN)
    return [
        accepted(
            "state-shallow-copy",
            17,
            STATE,
            "each request has a shallow copy of the lifespan's state",
            get(b"/1"),
            AwaitResponse(1),
            get(b"/2"),
            app=((("touch_state",), *HELLO),),
            responses=(hello(), hello()),
            calls=(Call(holds=(mark("n=0 l=[]"),)), Call(holds=(mark("n=0 l=['x']"),))),
            lifespan=stateful,
            own_process=True,
            splittable=False,
            needs="state",
        ),
        accepted(
            "context-isolated",
            18,
            "asyncio isolation",
            "a context variable set in one request is not seen by the next",
            get(b"/1"),
            AwaitResponse(1),
            get(b"/2"),
            app=(
                (("contextvar", "leaked"), *answer(b"x" * 200_000)),
                (("contextvar", "x"), *HELLO),
            ),
            responses=(ok(body_size=200_000), hello()),
            calls=(Call(holds=fresh), Call(holds=fresh)),
            level=Level.CHOICE,
        ),
        accepted(
            "context-isolated-pipelined",
            18,
            "asyncio isolation",
            "nor by a pipelined one",
            get(b"/1") + get(b"/2"),
            app=((("contextvar", "leaked"), *HELLO),),
            responses=(hello(), hello()),
            calls=(Call(holds=fresh), Call(holds=fresh)),
            level=Level.CHOICE,
        ),
        accepted(
            "context-isolated-content",
            18,
            "asyncio isolation",
            "nor by one with content",
            post(b"one") + post(b"two"),
            app=((("read_body",), ("contextvar", "leaked"), *HELLO),),
            responses=(hello(), hello()),
            calls=(Call(holds=fresh), Call(holds=fresh)),
            level=Level.CHOICE,
        ),
        accepted(
            "context-of-lifespan",
            19,
            "quality",
            "requests see what the lifespan's start-up set, each in its own copy",
            get(b"/1"),
            AwaitResponse(1),
            get(b"/2"),
            app=((("contextvar", "changed"), *HELLO),),
            responses=(hello(), hello()),
            calls=(Call(holds=(mark("variable=from lifespan"),)),) * 2,
            lifespan=at_start,
            own_process=True,
            splittable=False,
            level=Level.CHOICE,
        ),
    ]


def _sockets() -> list[Case]:
    return [
        accepted(
            "unix-socket",
            4,
            SCOPE,
            "over a UNIX socket, server is the path and None, client is absent or None",
            b"GET /unix HTTP/1.1\r\n" + HOST + b"\r\n",
            options=("--uds", "{folder}/esg.sock"),
            scope={"path": "/unix", "client": None},
            splittable=False,
            alone=True,
            esg_only=True,
        ),
        accepted(
            "unix-socket-keep-alive",
            4,
            SCOPE,
            "a UNIX socket carries many requests",
            get(b"/1") + get(b"/2"),
            options=("--uds", "{folder}/esg.sock"),
            responses=(hello(), hello()),
            calls=(Call(), Call()),
            splittable=False,
            alone=True,
            esg_only=True,
        ),
        accepted(
            "ipv6",
            3,
            SCOPE,
            "over IPv6 the addresses are IPv6 literals",
            get(),
            options=("--host", "::1"),
            esg_only=True,
        ),
        accepted(
            "factory",
            2,
            "quality",
            "--factory serves what the factory returns",
            get(),
            options=("--factory",),
            esg_only=True,
            application="tests.conformance.scripted:make_app",
        ),
    ]


CASES = (*_paths(), *_basics(), *_root_path(), *_context(), *_sockets())
