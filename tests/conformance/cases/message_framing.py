"""Where a request's content ends: Content-Length, Transfer-Encoding, the chunked coding.

Each of these forms, read differently by two servers in a row, smuggles a request.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tests.conformance.behaviours import READ_AND_ECHO, READ_BODY
from tests.conformance.cases.build import (
    DISCONNECT,
    HOST,
    accepted,
    case,
    error,
    get,
    ok,
    post,
    post_chunked,
    received,
    rejected,
)
from tests.conformance.model import Call, Case, Fate, Level, Step

LENGTH = "RFC 9112 section 6.2"
MESSAGE_BODY = "RFC 9112 section 6.3"
TRANSFER = "RFC 9112 section 6.1"
CHUNKED = "RFC 9112 section 7.1"
EXTENSIONS = "RFC 9112 section 7.1.1"
TRAILERS = "RFC 9112 section 7.1.2"

SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: example.org\r\n\r\n"


def _head(*lines: bytes, version: bytes = b"1.1") -> bytes:
    return (
        b"POST / HTTP/"
        + version
        + b"\r\n"
        + HOST
        + b"".join(line + b"\r\n" for line in lines)
        + b"\r\n"
    )


def unframed(
    id: str, number: int, clause: str, says: str, *sent: bytes | Step, **details: Any
) -> Case:
    """Write a case of framing that is refused, so that the connection cannot go on."""
    details.setdefault("fate", Fate.CLOSED)
    return rejected(id, number, clause, says, *sent, **details)


def echoed(  # noqa: PLR0917 - a case reads as the row of a table
    id: str, number: int, clause: str, says: str, sent: bytes, body: bytes, **details: Any
) -> Case:
    """Write a case of content that the application receives and sends back."""
    return accepted(
        id,
        number,
        clause,
        says,
        sent,
        app=(READ_AND_ECHO,),
        responses=(ok(body),),
        calls=(Call(body=body, lacks=(DISCONNECT,)),),
        **details,
    )


def broken(id: str, clause: str, says: str, *sent: bytes | Step, **details: Any) -> Case:
    """Write a case of content whose framing breaks after the head was accepted.

    Whether a server still answers is left to it (RFC 9112 section 8), not what it tells the
    application.
    """
    details.setdefault("calls", (Call(holds=(DISCONNECT,), lacks=(received(more=False),)),))
    details |= {"app": ((READ_BODY,),), "fate": Fate.CLOSED}
    unanswered = case(id, 76, clause, says, *sent, **details)
    answered = replace(unanswered, responses=(error(400, 500),))
    # Nor does a server that waits for all of the content call the application.
    uncalled = (replace(answered, calls=()), replace(unanswered, calls=()))
    return replace(answered, or_else=(unanswered, *uncalled))


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
                _head(b"Content-Length: " + value) + content,
                level=Level.CHOICE if "over" in name or name in EQUAL else Level.MUST,
            )
            for name, value in invalid.items()
        ),
        unframed(
            "content-length-twice-equal",
            73,
            MESSAGE_BODY,
            "two Content-Length fields",
            _head(b"Content-Length: 5", b"Content-Length: 5") + content,
            level=Level.CHOICE,
        ),
        unframed(
            "content-length-twice-unequal",
            73,
            MESSAGE_BODY,
            "two different Content-Lengths",
            _head(b"Content-Length: 5", b"Content-Length: 6") + content,
        ),
        unframed(
            "content-length-twice-zero-first",
            73,
            MESSAGE_BODY,
            "0, then 5",
            _head(b"Content-Length: 0", b"X: y", b"content-length: 5") + content,
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
            _head(b"Content-Length: +5", version=b"1.0") + content,
        ),
        echoed(
            "content-length-zero",
            20,
            LENGTH,
            "a Content-Length of 0 is no content",
            _head(b"Content-Length: 0"),
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
            _head(b"Content-Length: 005") + b"hello",
            b"hello",
        ),
        echoed(
            "content-length-outer-whitespace",
            20,
            LENGTH,
            "whitespace around it is not its",
            _head(b"Content-Length: \t 5 \t ") + b"hello",
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
        echoed("no-length-no-content", 20, MESSAGE_BODY, "neither field: no content", _head(), b""),
    ]


# Chunked is the final coding here: what is wrong beside binds the sender (sections 6.1 and 7).
LINES = {
    "two-lines-chunked": Level.SHOULD,
    "two-lines-identity-last": Level.MUST,
    "two-lines-empty-last": Level.CHOICE,
    "leading-comma": Level.CHOICE,
    "trailing-comma": Level.CHOICE,
}
CHUNKED_LAST = ("chunked-twice", "chunked-twice-apart", "parameter", "semicolon")


def _transfer_encoding() -> list[Case]:
    content = b"5\r\nhello\r\n0\r\n\r\n" + SMUGGLED
    not_chunked_last = {
        "xchunked": b"xchunked",
        "chunkedx": b"chunkedx",
        "identity": b"identity",
        "gzip": b"gzip",
        "chunked-then-gzip": b"chunked, gzip",
        "chunked-twice": b"chunked, chunked",
        "chunked-twice-apart": b"chunked, gzip, chunked",
        "chunked-identity": b"chunked, identity",
        "empty": b"",
        "comma": b",",
        "quoted": b'"chunked"',
        "parameter": b"chunked;q=1",
        "space-inside": b"chun ked",
        "chunked-space-word": b"chunked x",
        "semicolon": b"chunked;",
        "high-octet": b"chunked\xff",
        "non-breaking-space": b"\xa0chunked",
        "slash": b"chunked/1",
    }
    control = {
        "vertical-tab-before": b"\x0bchunked",
        "vertical-tab-after": b"chunked\x0b",
        "form-feed": b"\x0cchunked",
        "nul": b"chunked\x00",
        "bare-cr": b"chunked\r",
        "bare-lf": b"\nchunked",
    }
    not_implemented = {
        "gzip-chunked": (b"Transfer-Encoding: gzip, chunked",),
        "deflate-gzip-chunked": (b"Transfer-Encoding: deflate, gzip, chunked",),
        "gzip-chunked-lines": (b"Transfer-Encoding: gzip", b"Transfer-Encoding: chunked"),
        "identity-chunked": (b"Transfer-Encoding: identity, chunked",),
        "unknown-chunked": (b"Transfer-Encoding: foo, chunked",),
    }
    lines = {
        "two-lines-chunked": (b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked"),
        "two-lines-identity-last": (b"Transfer-Encoding: chunked", b"Transfer-Encoding: identity"),
        "two-lines-empty-last": (b"Transfer-Encoding: chunked", b"Transfer-Encoding:"),
        "leading-comma": (b"Transfer-Encoding: , chunked",),
        "trailing-comma": (b"Transfer-Encoding: chunked,",),
    }
    both = {
        "length-then-coding": (b"Content-Length: 5", b"Transfer-Encoding: chunked"),
        "coding-then-length": (b"Transfer-Encoding: chunked", b"Content-Length: 5"),
        "zero-length": (b"Content-Length: 0", b"Transfer-Encoding: chunked"),
        "matching-length": (b"Content-Length: 15", b"Transfer-Encoding: chunked"),
        "mixed-case": (b"cONTENT-lENGTH: 5", b"tRANSFER-eNCODING: CHUNKED"),
        "invalid-length": (b"Content-Length: x", b"Transfer-Encoding: chunked"),
        "unknown-coding": (b"Content-Length: 5", b"Transfer-Encoding: foo"),
    }
    by_the_coding = echoed("", 72, TRANSFER, "", b"", b"hello", fate=Fate.CLOSED)
    return [
        *(
            unframed(
                f"transfer-encoding-{name}",
                74,
                TRANSFER,
                f"{value!r} does not end in chunked, or has it twice",
                _head(b"Transfer-Encoding: " + value) + content,
                alternatives=(501,),
                level=Level.SHOULD if name in CHUNKED_LAST else Level.MUST,
            )
            for name, value in not_chunked_last.items()
        ),
        *(
            unframed(
                f"transfer-encoding-{name}",
                71,
                "RFC 9110 section 5.5",
                f"{value!r} holds a control octet",
                _head(b"Transfer-Encoding: " + value) + content,
                alternatives=(501,),
            )
            for name, value in control.items()
        ),
        *(
            unframed(
                f"transfer-encoding-{name}",
                74,
                TRANSFER,
                "a coding that the server does not know is not implemented",
                _head(*fields) + content,
                status=501,
                alternatives=(400,),
                level=Level.SHOULD,
            )
            for name, fields in not_implemented.items()
        ),
        *(
            unframed(
                f"transfer-encoding-{name}",
                74,
                TRANSFER,
                "the list of codings is ambiguous",
                _head(*fields) + content,
                alternatives=(501,),
                level=LINES[name],
            )
            for name, fields in lines.items()
        ),
        *(
            unframed(
                f"both-{name}",
                72,
                TRANSFER,
                "Transfer-Encoding beside Content-Length is refused, or holds alone and for once",
                _head(*fields) + content,
                alternatives=(501,),
                app=(READ_AND_ECHO,),
                or_else=() if name == "unknown-coding" else (by_the_coding,),
            )
            for name, fields in both.items()
        ),
        unframed(
            "transfer-encoding-http-1.0",
            75,
            TRANSFER,
            "HTTP/1.0 has no transfer codings",
            _head(b"Transfer-Encoding: chunked", version=b"1.0") + content,
            level=Level.CHOICE,
        ),
        unframed(
            "both-http-1.0",
            75,
            TRANSFER,
            "both fields in HTTP/1.0",
            _head(b"Content-Length: 5", b"Transfer-Encoding: chunked", version=b"1.0") + content,
            level=Level.CHOICE,
        ),
        echoed(
            "transfer-encoding-upper-case",
            74,
            TRANSFER,
            "coding names ignore case",
            _head(b"TRANSFER-ENCODING: ChUnKeD") + b"5\r\nhello\r\n0\r\n\r\n",
            b"hello",
        ),
        echoed(
            "transfer-encoding-outer-whitespace",
            74,
            TRANSFER,
            "outer whitespace is not its",
            _head(b"Transfer-Encoding: \t chunked \t") + b"5\r\nhello\r\n0\r\n\r\n",
            b"hello",
        ),
        echoed(
            "transfer-encoding-get",
            74,
            TRANSFER,
            "GET may have chunked content",
            get(b"/", b"Transfer-Encoding: chunked") + b"5\r\nhello\r\n0\r\n\r\n",
            b"hello",
        ),
    ]


# Trailers that no sender may write (RFC 9110 section 6.5.1): to refuse them is no less lawful.
FORBIDDEN_TRAILERS = ("trailer-content-length", "trailer-transfer-encoding", "trailer-host")


def _chunk_lines() -> list[Case]:
    lawful = {
        "one-chunk": b"5\r\nhello\r\n0\r\n\r\n",
        "two-chunks": b"2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n",
        "one-octet-chunks": b"1\r\nh\r\n1\r\ne\r\n1\r\nl\r\n1\r\nl\r\n1\r\no\r\n0\r\n\r\n",
        "leading-zeros": b"0005\r\nhello\r\n000\r\n\r\n",
        "extension-name": b"5;a\r\nhello\r\n0\r\n\r\n",
        "extension-value": b"5;a=b\r\nhello\r\n0;last\r\n\r\n",
        "extension-quoted": b'5;a="b c;d"\r\nhello\r\n0\r\n\r\n',
        "extension-quoted-pair": b'5;a="\\"\\\\"\r\nhello\r\n0\r\n\r\n',
        "extensions-many": b"5;a;b=c;d=e\r\nhello\r\n0;z=1\r\n\r\n",
        "trailer": b"5\r\nhello\r\n0\r\nX-Trailer: 1\r\n\r\n",
        "trailers-many": b"5\r\nhello\r\n0\r\nA: 1\r\nB: 2\r\nA: 3\r\n\r\n",
        "trailer-content-length": b"5\r\nhello\r\n0\r\nContent-Length: 99\r\n\r\n",
        "trailer-transfer-encoding": b"5\r\nhello\r\n0\r\nTransfer-Encoding: chunked\r\n\r\n",
        "trailer-host": b"5\r\nhello\r\n0\r\nHost: other.example\r\n\r\n",
        "extension-and-trailer": b"5;x=y\r\nhello\r\n0;x\r\nT: 1\r\n\r\n",
    }
    invalid = {
        "no-size": b"\r\nhello\r\n0\r\n\r\n",
        "letters": b"xyz\r\nhello\r\n0\r\n\r\n",
        "hex-prefix": b"0x5\r\nhello\r\n0\r\n\r\n",
        "plus": b"+5\r\nhello\r\n0\r\n\r\n",
        "minus": b"-5\r\nhello\r\n0\r\n\r\n",
        "underscore": b"0_5\r\nhello\r\n0\r\n\r\n",
        "fraction": b"5.0\r\nhello\r\n0\r\n\r\n",
        "suffix": b"5h\r\nhello\r\n0\r\n\r\n",
        "full-width": b"\xef\xbc\x95\r\nhello\r\n0\r\n\r\n",
        "leading-space": b" 5\r\nhello\r\n0\r\n\r\n",
        "leading-tab": b"\t5\r\nhello\r\n0\r\n\r\n",
        "trailing-space": b"5 \r\nhello\r\n0\r\n\r\n",
        "trailing-tab": b"5\t\r\nhello\r\n0\r\n\r\n",
        "two-numbers": b"5 5\r\nhello\r\n0\r\n\r\n",
        "comma": b"5,5\r\nhello\r\n0\r\n\r\n",
        "over-64-bits": b"10000000000000005\r\nhello\r\n0\r\n\r\n",
        "very-long": b"0" * 40 + b"5\r\nhello\r\n0\r\n\r\n",
        "size-bare-lf": b"5\nhello\r\n0\r\n\r\n",
        "size-bare-cr": b"5\rhello\r\n0\r\n\r\n",
        "size-cr-cr-lf": b"5\r\r\nhello\r\n0\r\n\r\n",
        "data-bare-lf": b"5\r\nhello\n0\r\n\r\n",
        "data-no-crlf": b"5\r\nhello0\r\n\r\n",
        "data-too-long": b"4\r\nhello\r\n0\r\n\r\n",
        "data-two-junk-octets": b"5\r\nhelloXX0\r\n\r\n",
        "data-bare-cr": b"5\r\nhello\r0\r\n\r\n",
        "data-space-crlf": b"5\r\nhello \r\n0\r\n\r\n",
        "last-chunk-bare-lf": b"5\r\nhello\r\n0\n\r\n",
        "extension-empty": b"5;\r\nhello\r\n0\r\n\r\n",
        "extension-no-semicolon": b"5 a=b\r\nhello\r\n0\r\n\r\n",
        "extension-bare-lf": b"5;a\nhello\r\n0\r\n\r\n",
        "extension-lf-inside": b"5;a\n;b\r\nhello\r\n0\r\n\r\n",
        "extension-bare-cr": b"5;a\rb\r\nhello\r\n0\r\n\r\n",
        "extension-nul": b"5;a\x00\r\nhello\r\n0\r\n\r\n",
        "extension-control": b"5;a\x0b\r\nhello\r\n0\r\n\r\n",
        "extension-no-name": b"5;=b\r\nhello\r\n0\r\n\r\n",
        "extension-no-value": b"5;a=\r\nhello\r\n0\r\n\r\n",
        "extension-open-quote": b'5;a="b\r\nhello\r\n0\r\n\r\n',
        "extension-lf-in-quotes": b'5;a="\n"\r\nhello\r\n0\r\n\r\n',
        "extension-separator": b"5;a@b\r\nhello\r\n0\r\n\r\n",
        "trailer-space-before-colon": b"5\r\nhello\r\n0\r\nX : 1\r\n\r\n",
        "trailer-no-colon": b"5\r\nhello\r\n0\r\nX\r\n\r\n",
        "trailer-no-name": b"5\r\nhello\r\n0\r\n: 1\r\n\r\n",
        "trailer-obs-fold": b"5\r\nhello\r\n0\r\nX: 1\r\n 2\r\n\r\n",
        "trailer-bare-lf": b"5\r\nhello\r\n0\r\nX: 1\n\r\n",
        "trailer-bare-cr": b"5\r\nhello\r\n0\r\nX: 1\rY: 2\r\n\r\n",
        "trailer-nul": b"5\r\nhello\r\n0\r\nX: \x00\r\n\r\n",
        "trailer-control": b"5\r\nhello\r\n0\r\nX: \x01\r\n\r\n",
        "trailer-name-space": b"5\r\nhello\r\n0\r\nX Y: 1\r\n\r\n",
        "trailer-is-request": b"5\r\nhello\r\n0\r\n" + SMUGGLED,
        "end-bare-lf": b"5\r\nhello\r\n0\r\n\n",
        # No line end will come.
        "size-never": b"GET /",
        "trailing-space-open": b"5 ",
        "size-bare-cr-open": b"5\rh",
        "very-long-open": b"0" * 16,
        "extension-empty-open": b"5;\r",
        "extension-control-open": b'5;a="\x0b',
        "extension-after-quotes-open": b'5;a="b"c',
    }
    choice = (
        "never",
        "open",
        "over-64",
        "obs-fold",
        "space",
        "tab",
        "bare-lf",
        "very-long",
        "extension",
        "trailer-control",
    )

    def level(name: str) -> Level:
        """Tell how much is demanded: a server may discard trailers, however they look."""
        if any(word in name for word in choice):
            return Level.CHOICE
        return Level.SHOULD if name.startswith("trailer") else Level.MUST

    return [
        *(
            echoed(
                f"chunked-{name}",
                21,
                TRAILERS if "trailer" in name else CHUNKED,
                "the application sees the content and nothing of its framing",
                post_chunked(coded),
                b"hello",
                level=Level.CHOICE if name in FORBIDDEN_TRAILERS else Level.MUST,
            )
            for name, coded in lawful.items()
        ),
        *(
            broken(
                f"chunk-{name}",
                EXTENSIONS if "extension" in name else TRAILERS if "trailer" in name else CHUNKED,
                f"{coded[:30]!r} breaks the framing",
                post_chunked(coded),
                level=level(name),
            )
            for name, coded in invalid.items()
        ),
        broken(
            "chunk-space-before-extension",
            EXTENSIONS,
            "whitespace before an extension is bad, and refused",
            post_chunked(b"5 ;a=b\r\nhello\r\n0\r\n\r\n"),
            level=Level.CHOICE,
        ),
        broken(
            "chunk-space-after-semicolon",
            EXTENSIONS,
            "whitespace inside an extension is bad, and refused",
            post_chunked(b"5; a=b\r\nhello\r\n0\r\n\r\n"),
            level=Level.CHOICE,
        ),
        echoed(
            "chunked-upper-case-hex",
            21,
            CHUNKED,
            "sizes may be in upper case",
            post_chunked(b"A\r\n0123456789\r\n0\r\n\r\n"),
            b"0123456789",
        ),
        echoed(
            "chunked-lower-case-hex",
            21,
            CHUNKED,
            "sizes may be in lower case",
            post_chunked(b"1a\r\n" + b"x" * 26 + b"\r\n0\r\n\r\n"),
            b"x" * 26,
        ),
        echoed(
            "chunked-empty",
            21,
            CHUNKED,
            "chunked content may be empty",
            post_chunked(b"0\r\n\r\n"),
            b"",
        ),
        echoed(
            "chunked-crlf-in-data",
            21,
            CHUNKED,
            "data may look like framing",
            post_chunked(b"9\r\n\r\n0\r\n\r\n\r\n\r\n0\r\n\r\n"),
            b"\r\n0\r\n\r\n\r\n",
        ),
    ]


CASES = (*_content_length(), *_transfer_encoding(), *_chunk_lines())
