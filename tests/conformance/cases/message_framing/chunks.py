"""Chunk lines, their extensions, and trailers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tests.conformance.behaviours import READ_BODY
from tests.conformance.cases.build import DISCONNECT, case, error, post_chunked, received
from tests.conformance.cases.message_framing.build import SMUGGLED, echoed
from tests.conformance.model import Call, Case, Fate, Level, Step

CHUNKED = "RFC 9112 section 7.1"
EXTENSIONS = "RFC 9112 section 7.1.1"
TRAILERS = "RFC 9112 section 7.1.2"


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


CASES = tuple(_chunk_lines())
