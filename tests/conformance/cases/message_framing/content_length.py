"""Content-Length in all its forms."""

from __future__ import annotations

from tests.conformance.cases.build import get, post
from tests.conformance.cases.message_framing.build import SMUGGLED, echoed, head, unframed
from tests.conformance.model import Case, Level

LENGTH = "RFC 9112 section 6.2"
MESSAGE_BODY = "RFC 9112 section 6.3"
# Lists of one number (section 6.3, and RFC 9110 section 5.6.1 for empty members).
EQUAL = ("list-equal", "list-no-space", "list-trailing-comma", "list-leading-comma")


def _content_length() -> list[Case]:
    invalid = {
        "plus": b"+5",
        "minus": b"-5",
        "two-numbers": b"5 6",
        "list-equal": b"5, 5",
        "list-unequal": b"5, 6",
        "list-no-space": b"5,5",
        "list-trailing-comma": b"5,",
        "list-leading-comma": b",5",
        "semicolon": b"5;",
        "hex": b"0x5",
        "hex-digit": b"a",
        "fraction": b"5.0",
        "exponent": b"5e0",
        "underscore": b"1_0",
        "empty": b"",
        "blank": b"  ",
        "quoted": b'"5"',
        "full-width": "\uff15".encode(),
        "arabic-digit": "\u0665".encode(),
        "superscript": b"\xb2",
        "over-63-bits": b"9223372036854775808",
        "over-64-bits": b"18446744073709551621",
        "very-long": b"9" * 100,
        "vertical-tab": b"\x0b5",
        "nul": b"5\x00",
        "letters": b"five",
        "octal-prefix": b"0o5",
        "percent": b"%35",
        "non-breaking-space": b"\xa05",
        "newline-inside": b"5\n6",
    }
    content = b"hello" + SMUGGLED
    return [
        *(
            unframed(
                f"content-length-{name}",
                73,
                LENGTH,
                f"{value[:40]!r} is no valid Content-Length",
                head(b"Content-Length: " + value) + content,
                level=Level.CHOICE if "over" in name or name in EQUAL else Level.MUST,
            )
            for name, value in invalid.items()
        ),
        unframed(
            "content-length-twice-equal",
            73,
            MESSAGE_BODY,
            "two Content-Length fields",
            head(b"Content-Length: 5", b"Content-Length: 5") + content,
            level=Level.CHOICE,
        ),
        unframed(
            "content-length-twice-unequal",
            73,
            MESSAGE_BODY,
            "two different Content-Lengths",
            head(b"Content-Length: 5", b"Content-Length: 6") + content,
        ),
        unframed(
            "content-length-twice-zero-first",
            73,
            MESSAGE_BODY,
            "0, then 5",
            head(b"Content-Length: 0", b"X: y", b"content-length: 5") + content,
        ),
        unframed(
            "content-length-get-invalid",
            73,
            LENGTH,
            "it is judged for GET, too",
            get(b"/", b"Content-Length: x"),
        ),
        unframed(
            "content-length-http-1.0-invalid",
            73,
            LENGTH,
            "and in HTTP/1.0",
            head(b"Content-Length: +5", version=b"1.0") + content,
        ),
        echoed(
            "content-length-zero",
            20,
            LENGTH,
            "a Content-Length of 0 is no content",
            head(b"Content-Length: 0"),
            b"",
        ),
        echoed("content-length-one", 20, LENGTH, "one octet", post(b"x"), b"x"),
        echoed(
            "content-length-exact",
            20,
            LENGTH,
            "the content is what the length says",
            post(b"hello world"),
            b"hello world",
        ),
        echoed(
            "content-length-leading-zeros",
            20,
            LENGTH,
            "1*DIGIT may begin with zeros",
            head(b"Content-Length: 005") + b"hello",
            b"hello",
        ),
        echoed(
            "content-length-outer-whitespace",
            20,
            LENGTH,
            "whitespace around it is not its",
            head(b"Content-Length: \t 5 \t ") + b"hello",
            b"hello",
        ),
        echoed(
            "content-length-get",
            20,
            LENGTH,
            "GET may have content, too",
            get(b"/", b"Content-Length: 5") + b"hello",
            b"hello",
        ),
        echoed(
            "content-length-delete",
            20,
            LENGTH,
            "DELETE may have content, too",
            post(b"hello", method=b"DELETE"),
            b"hello",
        ),
        echoed(
            "content-length-all-octets",
            20,
            LENGTH,
            "content is octets, not text",
            post(bytes(range(256))),
            bytes(range(256)),
        ),
        echoed(
            "content-length-looks-like-request",
            20,
            LENGTH,
            "content that looks like a request is content",
            post(SMUGGLED),
            SMUGGLED,
        ),
        echoed("no-length-no-content", 20, MESSAGE_BODY, "neither field: no content", head(), b""),
    ]


CASES = tuple(_content_length())
