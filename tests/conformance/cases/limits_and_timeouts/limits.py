"""Limits on what a request may hold."""

from __future__ import annotations

from typing import Any

from tests.conformance.behaviours import READ_AND_ECHO, READ_BODY
from tests.conformance.cases.build import (
    DISCONNECT,
    HOST,
    accepted,
    get,
    ok,
    post,
    post_chunked,
    received,
    rejected,
)
from tests.conformance.model import Call, Case, Level

LIMITS = (
    "--limit-head-size",
    "1024",
    "--limit-fields",
    "10",
    "--limit-target-size",
    "100",
    "--limit-body-size",
    "1000",
)
TOO_LARGE_FIELDS = "RFC 6585 section 5"
TARGET_TOO_LONG = "RFC 9110 section 15.5.15"
CONTENT_TOO_LARGE = "RFC 9110 section 15.5.14"


def _fields(count: int) -> bytes:
    """Write a request with `count` fields, Host among them."""
    lines = b"".join(b"X-%d: y\r\n" % n for n in range(count - 1))
    return b"GET / HTTP/1.1\r\n" + HOST + lines + b"\r\n"


def _head(size: int) -> bytes:
    """Write a request whose head has `size` bytes."""
    frame = b"GET / HTTP/1.1\r\n" + HOST + b"X: "
    return frame + b"v" * (size - len(frame) - 4) + b"\r\n\r\n"


def _limits() -> list[Case]:
    def over(name: str, clause: str, says: str, sent: bytes, status: int, **more: Any) -> Case:
        return rejected(name, 80, clause, says, sent, status=status, options=LIMITS, **more)

    def under(name: str, clause: str, says: str, sent: bytes, **more: Any) -> Case:
        return accepted(name, 80, clause, says, sent, options=LIMITS, **more)

    chunk = b"%x\r\n" % 500 + b"x" * 500 + b"\r\n"
    late = {
        "app": ((READ_BODY,),),
        "calls": (Call(holds=(DISCONNECT,), lacks=(received(more=False),)),),
    }
    return [
        under("head-at-limit", TOO_LARGE_FIELDS, "a head of the limit's size", _head(1024)),
        over("head-over-limit", TOO_LARGE_FIELDS, "one byte more", _head(1025), 431),
        over("head-endless", TOO_LARGE_FIELDS, "a head that never ends", _head(3000)[:-4], 431),
        over(
            "head-endless-name",
            TOO_LARGE_FIELDS,
            "a field name that never ends",
            b"GET / HTTP/1.1\r\n" + HOST + b"x" * 2000,
            431,
        ),
        over("head-one-field-large", TOO_LARGE_FIELDS, "one large field", _head(2000), 431),
        under("fields-at-limit", TOO_LARGE_FIELDS, "as many fields as allowed", _fields(10)),
        over("fields-over-limit", TOO_LARGE_FIELDS, "one field more", _fields(11), 431),
        under(
            "target-at-limit",
            TARGET_TOO_LONG,
            "a target of the limit's size",
            get(b"/" + b"a" * 99),
        ),
        over("target-over-limit", TARGET_TOO_LONG, "one byte more", get(b"/" + b"a" * 100), 414),
        over(
            "target-over-limit-query",
            TARGET_TOO_LONG,
            "the query belongs to the target",
            get(b"/?" + b"a" * 99),
            414,
        ),
        over(
            "target-over-limit-absolute",
            TARGET_TOO_LONG,
            "so does the authority",
            get(b"http://example.org/" + b"a" * 90),
            414,
        ),
        over(
            "target-endless",
            TARGET_TOO_LONG,
            "a target that never ends",
            b"GET /" + b"a" * 500,
            414,
        ),
        over(
            "target-over-all-limits",
            TARGET_TOO_LONG,
            "a target beyond the head's limit is still a target too long",
            get(b"/" + b"a" * 3000),
            414,
            level=Level.CHOICE,
        ),
        under(
            "content-at-limit",
            CONTENT_TOO_LARGE,
            "content of the limit's size",
            post(b"x" * 1000),
            app=(READ_AND_ECHO,),
            responses=(ok(b"x" * 1000),),
            splittable=False,
        ),
        over(
            "content-over-limit",
            CONTENT_TOO_LARGE,
            "one byte more is refused by its length",
            post(b"x" * 1001),
            413,
        ),
        over(
            "content-over-limit-far",
            CONTENT_TOO_LARGE,
            "a huge length is refused at once",
            get(b"/", b"Content-Length: 99999999999"),
            413,
        ),
        over(
            "content-over-limit-expect",
            CONTENT_TOO_LARGE,
            "it is refused instead of asked for",
            get(b"/", b"Content-Length: 5000", b"Expect: 100-continue"),
            413,
        ),
        under(
            "chunked-at-limit",
            CONTENT_TOO_LARGE,
            "chunked content of the limit's size",
            post_chunked(chunk * 2 + b"0\r\n\r\n"),
            app=(READ_AND_ECHO,),
            responses=(ok(b"x" * 1000),),
            splittable=False,
        ),
        over(
            "chunked-over-limit",
            CONTENT_TOO_LARGE,
            "chunked content is counted, and refused when it is too much",
            post_chunked(chunk * 2 + b"1\r\nx\r\n0\r\n\r\n"),
            413,
            splittable=False,
            **late,
        ),
        over(
            "chunk-over-limit",
            CONTENT_TOO_LARGE,
            "the size of one chunk is enough",
            post_chunked(b"fffff\r\n" + b"x" * 10),
            413,
            **late,
        ),
        over(
            "trailers-over-limit",
            TOO_LARGE_FIELDS,
            "trailers are limited as fields are",
            post_chunked(b"0\r\n" + b"".join(b"X-%d: y\r\n" % n for n in range(11)) + b"\r\n"),
            431,
            level=Level.CHOICE,
            **late,
        ),
        rejected(
            "default-fields",
            80,
            TOO_LARGE_FIELDS,
            "a hundred fields are the default limit",
            _fields(101),
            status=431,
            level=Level.CHOICE,
            splittable=False,
            esg_only=True,
        ),
        accepted(
            "default-fields-under",
            80,
            TOO_LARGE_FIELDS,
            "a hundred fields pass",
            _fields(100),
            splittable=False,
        ),
        rejected(
            "default-head",
            80,
            TOO_LARGE_FIELDS,
            "64 KiB of head are the default limit",
            _head(65537),
            status=431,
            level=Level.CHOICE,
            splittable=False,
            esg_only=True,
        ),
        accepted(
            "default-head-under",
            80,
            TOO_LARGE_FIELDS,
            "64 KiB of head pass",
            _head(65536),
            splittable=False,
            esg_only=True,
        ),
        rejected(
            "default-target",
            80,
            TARGET_TOO_LONG,
            "8 KiB of target are the default limit",
            get(b"/" + b"a" * 8192),
            status=414,
            level=Level.CHOICE,
            splittable=False,
            esg_only=True,
        ),
        accepted(
            "default-target-under",
            80,
            "RFC 9110 section 4.1",
            "8000 octets of target pass",
            get(b"/" + b"a" * 7999),
            splittable=False,
            level=Level.SHOULD,
        ),
    ]


CASES = tuple(_limits())
