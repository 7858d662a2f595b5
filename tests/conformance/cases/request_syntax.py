"""The request line and the line structure of the head (RFC 9112 sections 2 and 3)."""

from __future__ import annotations

from tests.conformance.cases.build import HOST, accepted, get, hello, rejected
from tests.conformance.model import Call, Case, Level

SECTION_2_2 = "RFC 9112 section 2.2"
SECTION_2_3 = "RFC 9112 section 2.3"
SECTION_3 = "RFC 9112 section 3"
SECTION_3_2 = "RFC 9112 section 3.2"
METHODS = "RFC 9110 section 9.1"


# Section 3 lets a server ignore whitespace around a request line, a bare CR too; section 2.2 lets
# it skip lines that begin with whitespace instead of refusing them.
LEFT_OPEN = (
    "leading-lf",
    "leading-cr",
    "leading-space",
    "leading-tab",
    "cr-cr-lf",
    "whitespace-line-before-fields",
    "tab-before-first-field",
)


def _line_endings() -> list[Case]:
    """Heads whose lines end in anything but CRLF, and empty lines before the request."""
    forms = {
        "bare-lf-everywhere": b"GET / HTTP/1.1\nHost: example.org\n\n",
        "bare-lf-request-line": b"GET / HTTP/1.1\nHost: example.org\r\n\r\n",
        "bare-lf-field-line": b"GET / HTTP/1.1\r\nHost: example.org\nX: y\r\n\r\n",
        "bare-lf-last-field": b"GET / HTTP/1.1\r\nHost: example.org\n\r\n",
        "bare-lf-blank-line": b"GET / HTTP/1.1\r\nHost: example.org\r\n\n",
        "bare-cr-everywhere": b"GET / HTTP/1.1\rHost: example.org\r\r\n\r\n",
        "bare-cr-request-line": b"GET / HTTP/1.1\rHost: example.org\r\n\r\n",
        "bare-cr-field-line": b"GET / HTTP/1.1\r\nHost: example.org\rX: y\r\n\r\n",
        "cr-cr-lf": b"GET / HTTP/1.1\r\r\nHost: example.org\r\n\r\n",
        "lf-cr": b"GET / HTTP/1.1\n\rHost: example.org\r\n\r\n",
        "two-leading-crlf": b"\r\n\r\n" + get(),
        "three-leading-crlf": b"\r\n\r\n\r\n" + get(),
        "leading-lf": b"\n" + get(),
        "leading-cr": b"\r" + get(),
        "leading-crlf-lf": b"\r\n\n" + get(),
        "leading-space": b" " + get(),
        "leading-tab": b"\t" + get(),
        "leading-nul": b"\x00" + get(),
        "whitespace-line-before-fields": b"GET / HTTP/1.1\r\n \r\n" + HOST + b"\r\n",
        "space-before-first-field": b"GET / HTTP/1.1\r\n Host: example.org\r\n\r\n",
        "tab-before-first-field": b"GET / HTTP/1.1\r\n\tX: y\r\nHost: example.org\r\n\r\n",
    }

    def level(name: str) -> Level:
        """Tell how much sections 2.2 and 3 demand: least of a bare LF and of empty lines."""
        if "bare-lf" in name or name in LEFT_OPEN or "leading-crlf" in name:
            return Level.CHOICE
        return Level.SHOULD if name == "leading-nul" else Level.MUST

    return [
        rejected(
            name,
            78 if "leading" in name else 77,
            SECTION_2_2,
            f"a head with {name.replace('-', ' ')} is no valid head",
            raw,
            level=level(name),
        )
        for name, raw in forms.items()
    ] + [
        accepted(
            "one-leading-crlf",
            78,
            SECTION_2_2,
            "one empty line before the request line is ignored",
            b"\r\n" + get(),
            level=Level.SHOULD,
        ),
        accepted(
            "leading-crlf-between-requests",
            78,
            SECTION_2_2,
            "one empty line after a request, before the next, is ignored",
            get() + b"\r\n" + get(),
            responses=(hello(), hello()),
            calls=(Call(), Call()),
            level=Level.SHOULD,
        ),
    ]


# RFC 9112 section 3 lets a server take any of these for the space between words.
WORD_BOUNDARIES = ("two-spaces", "tab", "trailing", "vertical-tab", "form-feed")


def _request_lines() -> list[Case]:
    """Request lines that do not match `method SP request-target SP HTTP-version`."""
    forms = {
        "two-spaces-after-method": b"GET  / HTTP/1.1",
        "two-spaces-before-version": b"GET /  HTTP/1.1",
        "tab-for-space": b"GET\t/ HTTP/1.1",
        "tab-before-version": b"GET /\tHTTP/1.1",
        "trailing-space": b"GET / HTTP/1.1 ",
        "trailing-tab": b"GET / HTTP/1.1\t",
        "no-version": b"GET /",
        "no-version-trailing-space": b"GET / ",
        "no-target": b"GET HTTP/1.1",
        "empty-target": b"GET  HTTP/1.1",
        "method-only": b"GET",
        "extra-word": b"GET / x HTTP/1.1",
        "vertical-tab-for-space": b"GET\x0b/ HTTP/1.1",
        "form-feed-for-space": b"GET /\x0cHTTP/1.1",
        "non-breaking-space": b"GET\xa0/ HTTP/1.1",
        "response-line": b"HTTP/1.1 200 OK",
        "nul-in-method": b"G\x00T / HTTP/1.1",
        "nul-in-target": b"GET /a\x00b HTTP/1.1",
        "nul-in-version": b"GET / HTTP/1.\x001",
    }
    return [
        rejected(
            f"request-line-{name}",
            77,
            SECTION_3,
            f"a request line with {name.replace('-', ' ')} is invalid",
            line + b"\r\n" + HOST + b"\r\n",
            level=Level.CHOICE if name.startswith(WORD_BOUNDARIES) else Level.SHOULD,
        )
        for name, line in forms.items()
    ]


def _methods() -> list[Case]:
    unknown = {
        "lower-case": b"get",
        "mixed-case": b"Get",
        "unknown": b"FOO",
        "prefix": b"GE",
        "longer": b"GETS",
        "punctuation": b"!#$%&'*+-.^_`|~",
        "digits": b"123",
        "pri": b"PRI",
        "rtsp": b"SETUP",
        "rtsp-describe": b"DESCRIBE",
    }
    no_token = {
        "slash": b"GE/T",
        "colon": b"GET:",
        "parenthesis": b"(GET)",
        "quote": b'"GET"',
        "comma": b"GET,POST",
        "at": b"GET@",
        "high-octet": b"G\xc9T",
        "delete": b"G\x7fT",
        "bracket": b"[GET]",
        "brace": b"{GET}",
        "equals": b"GET=",
        "question": b"GET?",
    }
    known = (
        b"ACL BIND CHECKOUT COPY DELETE GET LINK LOCK M-SEARCH MERGE MKACTIVITY "
        b"MKCALENDAR MKCOL MOVE NOTIFY OPTIONS PATCH POST PROPFIND PROPPATCH PURGE PUT QUERY "
        b"REBIND REPORT SEARCH SOURCE SUBSCRIBE TRACE UNBIND UNLINK UNLOCK UNSUBSCRIBE"
    )
    return [
        *(
            rejected(
                f"method-{name}",
                6,
                METHODS,
                f"the unrecognised method {method.decode()} is answered with 501",
                get(method=method),
                status=501,
                alternatives=(400, 405),
                level=Level.CHOICE,
            )
            for name, method in unknown.items()
        ),
        *(
            rejected(
                f"method-no-token-{name}",
                6,
                METHODS,
                f"a method with {name} is no token",
                get(method=method),
                level=Level.SHOULD,
            )
            for name, method in no_token.items()
        ),
        *(
            accepted(
                f"method-{method.decode().lower()}",
                6,
                METHODS,
                f"the method {method.decode()} reaches the application as it is",
                get(method=method),
                scope={"method": method.decode()},
                level=Level.MUST if method == b"GET" else Level.CHOICE,
            )
            for method in known.split()
        ),
        rejected(
            "method-connect",
            81,
            "RFC 9110 section 9.3.6",
            "CONNECT is not implemented",
            get(b"example.org:443", method=b"CONNECT"),
            status=501,
            alternatives=(400, 404, 405),
            level=Level.CHOICE,
        ),
        rejected(
            "method-connect-origin-form",
            81,
            "RFC 9110 section 9.3.6",
            "CONNECT with a path is not implemented either",
            get(method=b"CONNECT"),
            status=501,
            alternatives=(400, 404, 405),
            level=Level.CHOICE,
        ),
    ]


def _versions() -> list[Case]:
    other_major = {
        "0.9": b"HTTP/0.9",
        "2.0": b"HTTP/2.0",
        "3.0": b"HTTP/3.0",
        "9.9": b"HTTP/9.9",
        "0.0": b"HTTP/0.0",
    }
    malformed = {
        "lower-case": b"http/1.1",
        "mixed-case": b"Http/1.1",
        "two-digits": b"HTTP/1.10",
        "two-digit-major": b"HTTP/11.1",
        "leading-zero": b"HTTP/01.1",
        "no-minor": b"HTTP/1",
        "no-minor-digit": b"HTTP/1.",
        "no-major": b"HTTP/.1",
        "comma": b"HTTP/1,1",
        "letters": b"HTTP/a.b",
        "no-slash": b"HTTP1.1",
        "space-inside": b"HTTP/ 1.1",
        "three-parts": b"HTTP/1.1.1",
        "sign": b"HTTP/+1.1",
        "other-protocol": b"HTTPS/1.1",
        "rtsp": b"RTSP/1.0",
        "icecast": b"ICE/1.0",
        "hex": b"HTTP/0x1.1",
        "superscript": b"HTTP/1.\xb9",
    }
    return [
        *(
            rejected(
                f"version-{name}",
                79,
                "RFC 9110 section 15.6.6",
                f"the major version of HTTP/{name} is not supported",
                b"GET / " + version + b"\r\n" + HOST + b"\r\n",
                status=505,
                alternatives=(400,),
                level=Level.SHOULD,
            )
            for name, version in other_major.items()
        ),
        *(
            rejected(
                f"version-malformed-{name}",
                79,
                SECTION_2_3,
                f"{version!r} is no HTTP-version",
                b"GET / " + version + b"\r\n" + HOST + b"\r\n",
                level=Level.SHOULD,
            )
            for name, version in malformed.items()
        ),
        *(
            accepted(
                f"version-1.{minor}",
                79,
                "RFC 9110 section 2.5",
                f"HTTP/1.{minor} is treated as HTTP/1.1",
                get(version=b"1.%d" % minor),
                scope={"http_version": "1.1"},
                level=Level.SHOULD,
            )
            for minor in (1, 2, 9)
        ),
        rejected(
            "version-h2-preface",
            79,
            "RFC 9113 section 3.4",
            "the HTTP/2 preface on a plain port is an unsupported version",
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
            status=505,
            alternatives=(400,),
            level=Level.CHOICE,
            esg_only=True,  # Others speak HTTP/2 there.
        ),
    ]


# Forms of the grammar (section 3.2) that no clause tells a server to refuse.
NOT_REFUSED_BY_GRAMMAR = (
    "asterisk-with-get",
    "authority-form",
    "other-scheme",
    "javascript",
    "port-too-large",
)


def _targets() -> list[Case]:
    invalid = {
        "space": b"/a b",
        "tab": b"/a\tb",
        "non-ascii": b"/caf\xc3\xa9",
        "high-octet": b"/\xff",
        "delete": b"/a\x7f",
        "escape": b"/\x1b",
        "fragment": b"/a#frag",
        "empty-fragment": b"/a#",
        "fragment-only": b"#frag",
        "no-leading-slash": b"path",
        "query-only": b"?q=1",
        "asterisk-with-get": b"*",
        "asterisk-path": b"*/a",
        "authority-form": b"example.org:80",
        "other-scheme": b"ftp://example.org/",
        "scheme-only": b"http:",
        "no-authority": b"http://",
        "empty-authority": b"http:///path",
        "userinfo": b"http://user@example.org/",
        "userinfo-password": b"http://user:secret@example.org/",
        "one-slash": b"http:/path",
        "bad-port": b"http://example.org:port/",
        "port-too-large": b"http://example.org:65536/",
        "bad-ipv6": b"http://[::1/",
        "backslash-authority": b"http://example.org\\x/",
        "absolute-fragment": b"http://example.org/a#f",
        "absolute-space": b"http://exa mple.org/",
        "javascript": b"javascript:alert(1)",
        "absolute-bad-escape-host": b"http://exa%zz.org/",
    }
    return [
        rejected(
            f"target-{name}",
            12 if "fragment" in name else 11,
            SECTION_3_2,
            f"the request-target {target!r} is invalid",
            get(target),
            level=Level.CHOICE if name in NOT_REFUSED_BY_GRAMMAR else Level.SHOULD,
        )
        for name, target in invalid.items()
    ]


FIRST_OCTETS = {
    "tls-client-hello": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    "nul": b"\x00",
    "high-octet": b"\xff",
    "space": b" ",
    "vertical-tab": b"\x0b",
    "quote": b'"',
    "brace": b"{",
    "socks5": b"\x05\x01\x00",
}

FIRST_OCTET_CASES = [
    rejected(
        f"first-octet-{name}",
        77,
        SECTION_2_2,
        "a first octet that can begin no request is refused at once, without waiting for more",
        data,
        level=Level.CHOICE,
    )
    for name, data in FIRST_OCTETS.items()
]

CASES = (
    *_line_endings(),
    *_request_lines(),
    *_methods(),
    *_versions(),
    *_targets(),
    *FIRST_OCTET_CASES,
)
