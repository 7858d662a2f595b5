"""Transfer-Encoding in all its forms, and beside Content-Length."""

from __future__ import annotations

from tests.conformance.behaviours import READ_AND_ECHO
from tests.conformance.cases.build import get
from tests.conformance.cases.message_framing.build import SMUGGLED, echoed, head, unframed
from tests.conformance.model import Case, Fate, Level

TRANSFER = "RFC 9112 section 6.1"
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
                head(b"Transfer-Encoding: " + value) + content,
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
                head(b"Transfer-Encoding: " + value) + content,
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
                head(*fields) + content,
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
                head(*fields) + content,
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
                head(*fields) + content,
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
            head(b"Transfer-Encoding: chunked", version=b"1.0") + content,
            level=Level.CHOICE,
        ),
        unframed(
            "both-http-1.0",
            75,
            TRANSFER,
            "both fields in HTTP/1.0",
            head(b"Content-Length: 5", b"Transfer-Encoding: chunked", version=b"1.0") + content,
            level=Level.CHOICE,
        ),
        echoed(
            "transfer-encoding-upper-case",
            74,
            TRANSFER,
            "coding names ignore case",
            head(b"TRANSFER-ENCODING: ChUnKeD") + b"5\r\nhello\r\n0\r\n\r\n",
            b"hello",
        ),
        echoed(
            "transfer-encoding-outer-whitespace",
            74,
            TRANSFER,
            "outer whitespace is not its",
            head(b"Transfer-Encoding: \t chunked \t") + b"5\r\nhello\r\n0\r\n\r\n",
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


CASES = tuple(_transfer_encoding())
