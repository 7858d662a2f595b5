"""Field lines, Host, and the request-target's authority (RFC 9110 section 5, RFC 9112 3.2, 5)."""

from __future__ import annotations

from tests.conformance.cases.build import HOST, accepted, get, rejected
from tests.conformance.model import Call, Case, Level

FIELD_SYNTAX = "RFC 9112 section 5"
FIELD_VALUES = "RFC 9110 section 5.5"
HOST_CLAUSE = "RFC 9112 section 3.2"
ABSOLUTE_FORM = "RFC 9112 section 3.2.2"


def _replaced(value: bytes) -> tuple[Case, ...]:
    """Write what section 5.5 allows instead of a refusal: a space in the octet's place."""
    headers = [(b"host", b"example.org"), (b"x-a", value.strip()), (b"x-last", b"1")]
    return (accepted("replaced", 71, FIELD_VALUES, "", scope={"headers": headers}),)


def _with_line(line: bytes) -> bytes:
    """Write a request with one more raw field line between two sound ones."""
    return b"GET / HTTP/1.1\r\n" + HOST + line + b"\r\nX-Last: 1\r\n\r\n"


def _level_of_line(name: str) -> Level:
    """Tell how much is demanded: RFC 9112 leaves a server the choice to unfold (section 5.2)."""
    if "obs-fold" in name:
        return Level.CHOICE
    # Section 5.1 demands a 400; of other lines section 2.2 recommends it.
    return Level.MUST if name.endswith("before-colon") or "before-colon-" in name else Level.SHOULD


def _field_lines() -> list[Case]:
    invalid = {
        "space-before-colon": (69, b"X-A : 1"),
        "tab-before-colon": (69, b"X-A\t: 1"),
        "space-before-colon-host": (69, b"Host : other"),
        "space-before-colon-content-length": (69, b"Content-Length : 5"),
        "space-before-colon-transfer-encoding": (69, b"Transfer-Encoding : chunked"),
        "obs-fold": (70, b"X-A: 1\r\n folded"),
        "obs-fold-tab": (70, b"X-A: 1\r\n\tfolded"),
        "obs-fold-empty": (70, b"X-A: 1\r\n "),
        "obs-fold-many": (70, b"X-A: 1\r\n 2\r\n 3"),
        "obs-fold-transfer-encoding": (70, b"Transfer-Encoding:\r\n chunked"),
        "obs-fold-content-length": (70, b"Content-Length:\r\n 5"),
        "no-colon": (69, b"X-A"),
        "no-colon-with-space": (69, b"X-A 1"),
        "empty-name": (69, b": 1"),
        "name-with-space": (69, b"X A: 1"),
        "name-with-tab": (69, b"X\tA: 1"),
        "name-with-nul": (69, b"X\x00A: 1"),
        "name-with-delete": (69, b"X\x7fA: 1"),
        "name-with-high-octet": (69, b"X-\xc3\xa4: 1"),
    }
    separators = {
        "parenthesis": b"(",
        "closing-parenthesis": b")",
        "comma": b",",
        "slash": b"/",
        "semicolon": b";",
        "less": b"<",
        "equals": b"=",
        "greater": b">",
        "question": b"?",
        "at": b"@",
        "bracket": b"[",
        "backslash": b"\\",
        "closing-bracket": b"]",
        "brace": b"{",
        "closing-brace": b"}",
        "quote": b'"',
    }
    return [
        *(
            rejected(
                name,
                number,
                FIELD_SYNTAX,
                f"the field line {line!r} is invalid",
                _with_line(line),
                level=_level_of_line(name),
            )
            for name, (number, line) in invalid.items()
        ),
        *(
            rejected(
                f"name-with-{name}",
                69,
                FIELD_SYNTAX,
                f"{octet.decode()} is no token character, so it cannot be in a field name",
                _with_line(b"X" + octet + b"A: 1"),
                level=Level.SHOULD,
            )
            for name, octet in separators.items()
        ),
    ]


def _control_octets() -> list[Case]:
    octets = [octet for octet in (*range(0x20), 0x7F) if octet not in b"\t\r\n"]
    return [
        *(
            rejected(
                f"control-{octet:02x}-in-value",
                71,
                FIELD_VALUES,
                f"the control octet {octet:#04x} must not be in a field value",
                _with_line(b"X-A: a%cb" % octet),
                or_else=_replaced(b"a b") if octet == 0 else (),
                level=Level.MUST if octet == 0 else Level.CHOICE,
            )
            for octet in octets
        ),
        *(
            rejected(
                f"control-{octet:02x}-ends-value",
                71,
                FIELD_VALUES,
                f"the control octet {octet:#04x} at the end is not trimmed away",
                _with_line(b"X-A: a%c" % octet),
                or_else=_replaced(b"a") if octet == 0 else (),
                level=Level.MUST if octet == 0 else Level.CHOICE,
            )
            for octet in (0x00, 0x0B, 0x0C, 0x1C, 0x1D, 0x1E, 0x1F, 0x7F)
        ),
        rejected(
            "bare-cr-in-value",
            71,
            FIELD_VALUES,
            "a bare CR must not be in a field value",
            _with_line(b"X-A: a\rb"),
            or_else=_replaced(b"a b"),
        ),
        rejected(
            "bare-cr-ends-value",
            71,
            FIELD_VALUES,
            "a bare CR before CRLF is not trimmed",
            _with_line(b"X-A: a\r"),
            or_else=_replaced(b"a"),
        ),
        rejected(
            "bare-lf-in-value",
            71,
            FIELD_VALUES,
            "a bare LF must not be in a field value",
            _with_line(b"X-A: a\nb"),
            or_else=_replaced(b"a b"),
        ),
        rejected(
            "bare-lf-smuggles-field",
            71,
            FIELD_VALUES,
            "a bare LF must not start another field line",
            _with_line(b"X-A: a\nTransfer-Encoding: chunked"),
            level=Level.CHOICE,
        ),
    ]


# Octets beyond ASCII "SHOULD" be taken as opaque data (RFC 9110 section 5.5); names with an
# underscore are dropped by servers that fear for what becomes of them in CGI's variables.
OPAQUE = (
    "obs-text",
    "non-breaking-space-kept",
    "next-line-kept",
    "all-token-characters",
    "underscore-is-not-a-hyphen",
)


def _lawful_fields() -> list[Case]:
    host = (b"host", b"example.org")
    last = (b"x-last", b"1")
    lawful = {
        "empty-value": (b"X-A:", b"x-a", b""),
        "only-whitespace-value": (b"X-A: \t ", b"x-a", b""),
        "no-space-after-colon": (b"X-A:1", b"x-a", b"1"),
        "outer-whitespace": (b"X-A: \t 1 \t ", b"x-a", b"1"),
        "inner-whitespace": (b"X-A: a \t b", b"x-a", b"a \t b"),
        "obs-text": (b"X-A: caf\xc3\xa9 \xff", b"x-a", b"caf\xc3\xa9 \xff"),
        "non-breaking-space-kept": (b"X-A: \xa0a\xa0", b"x-a", b"\xa0a\xa0"),
        "next-line-kept": (b"X-A: \x85a\x85", b"x-a", b"\x85a\x85"),
        "colon-in-value": (b"X-A: a:b:c", b"x-a", b"a:b:c"),
        "all-token-characters": (b"!#$%&'*+-.^_`|~9A: 1", b"!#$%&'*+-.^_`|~9a", b"1"),
        "mixed-case-name": (b"X-MiXeD-CaSe: VaLuE", b"x-mixed-case", b"VaLuE"),
        "underscore-is-not-a-hyphen": (
            b"Transfer_Encoding: chunked",
            b"transfer_encoding",
            b"chunked",
        ),
        "quoted": (b'X-A: "a, b"', b"x-a", b'"a, b"'),
        "long-value": (b"X-A: " + b"v" * 4000, b"x-a", b"v" * 4000),
    }
    return [
        accepted(
            f"lawful-{name}",
            5,
            FIELD_VALUES,
            f"{name.replace('-', ' ')} arrives as it is",
            _with_line(line),
            scope={"headers": [host, (key, value), last]},
            level=Level.SHOULD if name in OPAQUE else Level.MUST,
            splittable=name != "long-value",
        )
        for name, (line, key, value) in lawful.items()
    ]


# RFC 3986 section 3.2 lets a name be empty, and a port be any number.
OF_THE_GRAMMAR = ("port-too-large", "port-very-large", "port-only")


def _hosts() -> list[Case]:
    bad = {
        "space": b"exa mple.org",
        "tab": b"exa\tmple.org",
        "slash": b"example.org/path",
        "scheme": b"http://example.org",
        "userinfo": b"user@example.org",
        "comma-port": b"a:80,b:81",
        "question": b"example.org?q",
        "fragment": b"example.org#f",
        "backslash": b"example.org\\x",
        "quote": b'"example.org"',
        "brackets-open": b"[::1",
        "brackets-close": b"::1]",
        "empty-brackets": b"[]",
        "bare-ipv6": b"::1",
        "ipv6-letters": b"[fe80::zz]",
        "ipv6-too-long": b"[1:2:3:4:5:6:7:8:9]",
        "ipv6-tail": b"[::1]x",
        "port-letters": b"h:http",
        "port-sign": b"h:+80",
        "port-negative": b"h:-1",
        "port-too-large": b"h:65536",
        "port-very-large": b"h:4294967376",
        "two-ports": b"h:80:80",
        "port-only": b":80",
        "high-octet": b"caf\xc3\xa9.org",
        "bad-escape": b"exa%zzmple",
        "short-escape": b"example%4",
        "less": b"<example>",
        "brace": b"{example}",
        "caret": b"exa^mple",
        "pipe": b"exa|mple",
        "backtick": b"exa`mple",
    }
    good = {
        "name": b"example.org",
        "upper-case": b"EXAMPLE.org",
        "port": b"example.org:8080",
        "empty-port": b"example.org:",
        "largest-port": b"example.org:65535",
        "ipv4": b"127.0.0.1",
        "ipv4-port": b"127.0.0.1:80",
        "ipv6": b"[::1]",
        "ipv6-port": b"[2001:db8::1]:8443",
        "ipv6-ipv4": b"[::ffff:1.2.3.4]",
        "trailing-dot": b"example.org.",
        "underscore": b"my_host",
        "escape": b"exa%6dple.org",
        "sub-delims": b"a!$&'()*+;=b",
        "tilde": b"a~b",
    }
    line = b"GET / HTTP/1.1\r\n"
    return [
        rejected(
            "host-missing",
            68,
            HOST_CLAUSE,
            "a request in HTTP/1.1 has a Host field",
            line + b"X: y\r\n\r\n",
        ),
        rejected(
            "host-missing-no-fields",
            68,
            HOST_CLAUSE,
            "no field at all means no Host either",
            line + b"\r\n",
        ),
        rejected(
            "host-missing-absolute-form",
            68,
            HOST_CLAUSE,
            "the absolute form does not replace the Host field",
            b"GET http://example.org/ HTTP/1.1\r\n\r\n",
        ),
        rejected(
            "host-missing-options",
            68,
            HOST_CLAUSE,
            "OPTIONS * needs a Host field, too",
            b"OPTIONS * HTTP/1.1\r\n\r\n",
        ),
        rejected(
            "host-twice",
            68,
            HOST_CLAUSE,
            "two Host fields are ambiguous",
            line + b"Host: a\r\nHost: b\r\n\r\n",
        ),
        rejected(
            "host-twice-equal",
            68,
            HOST_CLAUSE,
            "two equal Host fields are too many",
            line + b"Host: a\r\nHost: a\r\n\r\n",
        ),
        rejected(
            "host-twice-apart",
            68,
            HOST_CLAUSE,
            "two Host fields, others between them",
            line + b"Host: a\r\nX: y\r\nhOsT: a\r\n\r\n",
        ),
        rejected(
            "host-twice-http-1.0",
            68,
            HOST_CLAUSE,
            "HTTP/1.0 may not have two either",
            b"GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n",
        ),
        rejected(
            "host-twice-absolute-form",
            68,
            HOST_CLAUSE,
            "the absolute form does not excuse two Host fields",
            b"GET http://a/ HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        ),
        rejected(
            "host-invalid-absolute-form",
            68,
            HOST_CLAUSE,
            "an invalid Host field is invalid beside an absolute form, too",
            b"GET http://a/ HTTP/1.1\r\nHost: a b\r\n\r\n",
        ),
        rejected(
            "host-invalid-http-1.0",
            68,
            HOST_CLAUSE,
            "HTTP/1.0 may not have an invalid Host",
            b"GET / HTTP/1.0\r\nHost: a b\r\n\r\n",
        ),
        *(
            rejected(
                f"host-{name}",
                68,
                HOST_CLAUSE,
                f"{value!r} is no valid Host",
                line + b"Host: " + value + b"\r\n\r\n",
                level=Level.CHOICE if name in OF_THE_GRAMMAR else Level.MUST,
            )
            for name, value in bad.items()
        ),
        *(
            accepted(
                f"host-valid-{name}",
                68,
                HOST_CLAUSE,
                f"{value!r} is a valid Host",
                line + b"Host: " + value + b"\r\n\r\n",
                scope={"headers": [(b"host", value)]},
            )
            for name, value in good.items()
        ),
        accepted(
            "host-empty",
            68,
            HOST_CLAUSE,
            "an empty Host is what a client sends where the target has no authority",
            line + b"Host:\r\n\r\n",
            scope={"headers": [(b"host", b"")]},
        ),
    ]


def _absolute_form() -> list[Case]:
    def target(  # noqa: PLR0917 - a case reads as the row of a table
        name: str, form: bytes, path: str, query: bytes, host: bytes, says: str
    ) -> Case:
        return accepted(
            f"absolute-form-{name}",
            7,
            ABSOLUTE_FORM,
            says,
            get(form),
            # ASGI does not say what becomes of the authority: its path is "the request target".
            calls=(
                Call(
                    scope={"query_string": query},
                    ours={
                        "path": path,
                        "raw_path": path.encode(),
                        "headers": [(b"host", host)],
                    },
                ),
            ),
        )

    return [
        accepted(
            "absolute-form-authority",
            7,
            ABSOLUTE_FORM,
            "the application is told the authority of the target, not the Host field beside it",
            get(b"http://h/p"),
            scope={"path": "/p", "headers": [(b"host", b"h")]},
            level=Level.SHOULD,
        ),
        target(
            "path-and-query",
            b"http://h/p?q",
            "/p",
            b"q",
            b"h",
            "the absolute form is split, and its authority replaces the Host field",
        ),
        target("port", b"http://h:81/p", "/p", b"", b"h:81", "the port belongs to the authority"),
        target("no-path", b"http://h", "/", b"", b"h", "an empty path is /"),
        target("no-path-query", b"http://h?q=1", "/", b"q=1", b"h", "an empty path with a query"),
        target("upper-case-scheme", b"HTTP://h/p", "/p", b"", b"h", "schemes ignore case"),
        target("https", b"https://h/p", "/p", b"", b"h", "https is a scheme of HTTP, too"),
        target("ipv6", b"http://[::1]:80/p", "/p", b"", b"[::1]:80", "an IPv6 literal"),
        target(
            "second-authority",
            b"http://h//other/p",
            "//other/p",
            b"",
            b"h",
            "a double slash in the path is no second authority",
        ),
        target(
            "url-in-query",
            b"http://h/p?u=http://x/?y",
            "/p",
            b"u=http://x/?y",
            b"h",
            "a query may hold slashes and question marks",
        ),
    ]


CASES = (*_field_lines(), *_control_octets(), *_lawful_fields(), *_hosts(), *_absolute_form())
