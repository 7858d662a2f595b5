"""Extensions of ASGI by which the server sends files: path send and zero copy send."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tests.conformance.behaviours import (
    HELLO,
    PROBE,
    PROBE_BODY,
    body,
    send,
    sized,
    special,
    start,
    try_send,
)
from tests.conformance.cases.build import (
    BODY_SENT,
    RETURNED,
    START_SENT,
    accepted,
    case,
    ended,
    error,
    get,
    hello,
    mark,
    ok,
    refused,
    sent,
)
from tests.conformance.model import Call, Case, Fate, Level, Response, Script
from tests.conformance.scripted.application import filler

PATH = "http.response.pathsend"
PART = "http.response.zerocopysend"
PATH_CLAUSE = "ASGI extensions, Path Send"
PART_CLAUSE = "ASGI extensions, Zero Copy Send"
DISCONNECTED_CLAUSE = "ASGI HTTP 2.5, Disconnected Client - send exception"

# Around what ESG reads instead of having it sent by the kernel, and more than one turn.
SIZES = (0, 1, 65_536, 65_537, 1_500_000)
SIZE = 100_000
CONTENT = filler(SIZE)
MADE = ("make_file", "f", SIZE)
CLOSES = {"connection": "close"}


def path(name: str = "f", kind: str = "path") -> dict[str, Any]:
    """Write an http.response.pathsend message."""
    return {"type": PATH, "path": special(kind, name)}


def part(name: str | bytes = "f", kind: str = "open file", **keys: Any) -> dict[str, Any]:
    """Write an http.response.zerocopysend message."""
    return {"type": PART, "file": special(kind, name), **keys}


def length(size: int) -> list[tuple[bytes, bytes]]:
    """Write the header of a content's length."""
    return [(b"content-length", b"%d" % size)]


def by_path(id: str, words: str, app: Script, response: Response, **more: Any) -> Case:
    """Write a case of path send."""
    request = more.pop("request", get())
    more.setdefault("needs", PATH)
    clause = more.pop("clause", PATH_CLAUSE)
    return accepted(
        id, 124, clause, words, request, app=(app,), responses=(response,), splittable=False, **more
    )


def by_part(id: str, words: str, app: Script, response: Response, **more: Any) -> Case:
    """Write a case of zero copy send."""
    request = more.pop("request", get())
    more.setdefault("needs", PART)
    return accepted(
        id,
        125,
        PART_CLAUSE,
        words,
        request,
        app=(app,),
        responses=(response,),
        splittable=False,
        **more,
    )


def _paths() -> list[Case]:
    return [
        *(
            by_path(
                f"path/{size}",
                f"a file of {size} bytes is sent whole; its length is declared if need be",
                (("make_file", "f", size), send(start()), send(path())),
                ok(filler(size), fields={"content-length": str(size)}),
            )
            for size in SIZES
        ),
        by_path(
            "path-offered",
            "the scope offers it, to HTTP/1.0, too",
            HELLO,
            hello(),
            request=get(version=b"1.0"),
            calls=(Call(offers=(PATH, PART)),),
            needs=PATH,
            esg_only=True,
            fate=Fate.CLOSED,
        ),
        by_path(
            "path-with-a-length",
            "the application's headers go out as they are",
            (
                MADE,
                send(start(203, [(b"X-A", b"1"), (b"Content-Length", b"%d" % SIZE)])),
                send(path()),
            ),
            Response(203, {"content-length": str(SIZE), "x-a": "1"}, body=CONTENT),
        ),
        by_path(
            "path-to-http-1.0",
            "with a length, and closed behind it",
            (MADE, send(start()), send(path())),
            ok(CONTENT, fields={"content-length": str(SIZE), **CLOSES}),
            request=get(version=b"1.0"),
            fate=Fate.CLOSED,
        ),
        by_path(
            "path-of-head",
            "HEAD gets the length alone",
            (MADE, send(start()), send(path())),
            Response(200, {"content-length": str(SIZE)}, body=b"", method="HEAD"),
            request=get(method=b"HEAD"),
        ),
        by_path(
            "path-with-304",
            "a 304 has no content, whatever the file has",
            (MADE, send(start(304)), send(path())),
            Response(304, body=b""),
        ),
        by_path(
            "path-with-204",
            "nor has a 204",
            (MADE, send(start(204)), send(path())),
            Response(204, {"content-length": None}, body=b""),
        ),
        by_path(
            "path-with-trailers",
            "trailers follow it, so it goes in chunks",
            (
                MADE,
                send(start(200, trailers=True)),
                send(path()),
                send({"type": "http.response.trailers", "headers": [(b"x-sum", b"9")]}),
            ),
            ok(CONTENT, trailers=((b"x-sum", b"9"),), fields={"content-length": None}),
            request=get(b"/", b"TE: trailers"),
            esg_only=True,
        ),
        by_path(
            "path-relative",
            "a relative path is taken from the working directory",
            (MADE, send(start()), send(path(kind="relative path"))),
            ok(CONTENT),
            level=Level.CHOICE,
        ),
        accepted(
            "paths-in-a-row",
            124,
            PATH_CLAUSE,
            "several on one connection, pipelined, and an ordinary response behind them",
            get() * 3,
            app=(
                (MADE, send(start()), send(path())),
                (("make_file", "g", 1_500_000), send(start()), send(path("g"))),
                PROBE,
            ),
            responses=(ok(CONTENT), ok(filler(1_500_000)), ok(PROBE_BODY)),
            calls=(Call(), Call(), Call()),
            needs=PATH,
            splittable=False,
        ),
        by_path(
            "path-then-body",
            "what comes after it is ignored",
            (MADE, send(start()), send(path()), send(body(b"late"))),
            ok(CONTENT),
        ),
        *_refused_paths(),
    ]


MISSING: dict[str, Script] = {
    "missing": (send(start()), send(path())),
    "vanished": (MADE, ("remove_file", "f"), send(start()), send(path())),
    "directory": (send(start()), send(path(""))),
    "not-a-string": (MADE, send(start()), send({"type": PATH, "path": 5})),
    "no-path": (MADE, send(start()), send({"type": PATH})),
    "too-short": (MADE, send(start(200, length(SIZE + 1))), send(path())),
    "too-long": (MADE, send(start(200, length(SIZE - 1))), send(path())),
}


def _refused_paths() -> list[Case]:
    nothing_sent = [
        case(
            f"path-refused/{name}",
            124,
            PATH_CLAUSE,
            "what cannot be sent raises, and nothing of the response goes out",
            get(),
            app=(app,),
            responses=(error(500),),
            calls=(Call(order=(START_SENT, refused(PATH))),),
            needs=PATH,
            splittable=False,
        )
        for name, app in MISSING.items()
    ]
    return [
        *nothing_sent,
        by_path(
            "path-missing-is-no-disconnect",
            "a missing file is no OSError, as that would say that the client has gone",
            (("swallow", (send(start()), send(path()))),),
            error(500),
            clause=DISCONNECTED_CLAUSE,
            calls=(Call(order=(refused(PATH), ended("MessageError"))),),
            fate=Fate.CLOSED,
            log_has=("cannot open",),
        ),
        by_path(
            "path-missing-then-404",
            "the application may still say that it is not there",
            (
                send(start(200)),
                try_send(path()),
                send(start(404, sized(b"gone"))),
                send(body(b"gone")),
            ),
            Response(404, body=b"gone"),
            level=Level.CHOICE,
            esg_only=True,
            calls=(Call(order=(START_SENT, refused(PATH), START_SENT, BODY_SENT, RETURNED)),),
        ),
        by_path(
            "path-after-body",
            "it cannot be mixed with http.response.body",
            (
                MADE,
                send(start()),
                send(body(b"a", True)),
                try_send(path()),
                send(body(b"b")),
            ),
            ok(b"ab"),
            calls=(Call(order=(BODY_SENT, refused(PATH), BODY_SENT)),),
        ),
        by_path(
            "path-before-start",
            "it cannot come before the start",
            (MADE, try_send(path()), *HELLO),
            hello(),
            calls=(Call(order=(refused(PATH), START_SENT, BODY_SENT)),),
        ),
    ]


RANGES: tuple[tuple[str, dict[str, Any], bytes], ...] = (
    ("whole", {}, CONTENT),
    ("count", {"count": 80_000}, CONTENT[:80_000]),
    ("offset", {"offset": 10}, CONTENT[10:]),
    ("range", {"offset": 10, "count": 80_000}, CONTENT[10:80_010]),
    ("small-range", {"offset": 99_000, "count": 10}, CONTENT[99_000:99_010]),
    ("count-behind-the-end", {"offset": 20_000, "count": SIZE}, CONTENT[20_000:]),
    ("offset-behind-the-end", {"offset": SIZE + 1, "count": 5}, b""),
    ("nothing", {"count": 0}, b""),
)


def _parts() -> list[Case]:
    return [
        *(
            by_part(
                f"part/{name}",
                "as much of the file goes out as the message says",
                (MADE, send(start()), send(part(**keys))),
                ok(content, fields={"transfer-encoding": "chunked"}),
            )
            for name, keys, content in RANGES
        ),
        by_part(
            "part-with-a-length",
            "with a Content-Length as without",
            (MADE, send(start(200, length(90_000))), send(part(offset=10_000))),
            ok(CONTENT[10_000:], fields={"content-length": "90000", "transfer-encoding": None}),
        ),
        by_part(
            "parts",
            "several, mixed with bodies",
            (
                MADE,
                send(start()),
                send(body(b"<", True)),
                send(part(count=70_000, more_body=True)),
                send(body(b"|", True)),
                send(part(offset=5, count=3, more_body=True)),
                send(part(offset=0, count=SIZE, more_body=True)),
                send(body(b">")),
            ),
            ok(b"<" + CONTENT[:70_000] + b"|" + CONTENT[5:8] + CONTENT + b">"),
        ),
        by_part(
            "parts-with-a-length",
            "several, with a Content-Length",
            (
                MADE,
                send(start(200, length(SIZE + 2))),
                send(body(b"<", True)),
                send(part(more_body=True)),
                send(body(b">")),
            ),
            ok(b"<" + CONTENT + b">"),
        ),
        by_part(
            "part-from-the-position",
            "without an offset it begins at the file's position",
            (
                MADE,
                send(start()),
                ("read_file", "f", 16),
                send(part()),
            ),
            ok(CONTENT[16:]),
        ),
        by_part(
            "position-moves-on",
            "which then moves on; an offset does not move it",
            (
                MADE,
                send(start()),
                send(part(count=70_000, more_body=True)),
                send(part(offset=8, count=8, more_body=True)),
                ("read_file", "f", 8),
                send(part()),
            ),
            ok(CONTENT[:70_000] + CONTENT[8:16] + CONTENT[70_008:]),
            level=Level.CHOICE,
            calls=(Call(order=(sent(PART), mark("0008750 "), sent(PART))),),
        ),
        by_part(
            "file-stays-open",
            "the application closes its file itself",
            (
                MADE,
                send(start()),
                send(part(more_body=True)),
                send(part(count=4, offset=0)),
                ("read_file", "f", 1),
            ),
            ok(CONTENT + CONTENT[:4]),
            calls=(Call(order=(sent(PART), sent(PART), mark(""), RETURNED)),),
        ),
        by_part(
            "part-by-descriptor",
            "a bare descriptor will do",
            (MADE, send(start()), send(part(kind="descriptor", offset=90_000))),
            ok(CONTENT[90_000:]),
            level=Level.CHOICE,
            esg_only=True,
        ),
        by_part(
            "part-to-http-1.0",
            "without a length it ends with the connection",
            (MADE, send(start()), send(part())),
            ok(CONTENT, fields={"transfer-encoding": None, **CLOSES}),
            request=get(version=b"1.0"),
            fate=Fate.CLOSED,
        ),
        by_part(
            "part-of-head",
            "HEAD gets no content",
            (MADE, send(start()), send(part())),
            Response(200, body=b"", method="HEAD"),
            request=get(method=b"HEAD"),
        ),
        by_part(
            "part-with-trailers",
            "trailers follow it",
            (
                MADE,
                send(start(200, trailers=True)),
                send(part()),
                send({"type": "http.response.trailers", "headers": [(b"x-sum", b"9")]}),
            ),
            ok(CONTENT, trailers=((b"x-sum", b"9"),)),
            request=get(b"/", b"TE: trailers"),
            esg_only=True,
        ),
        *_refused_parts(),
    ]


UNSENDABLE: dict[str, dict[str, Any]] = {
    "no-descriptor": part(b"abc", kind="BytesIO"),
    "no-file": {"type": PART},
    "negative-offset": part(offset=-1),
    "negative-count": part(count=-1),
    "offset-is-no-number": part(offset="1"),
}


def _refused_parts() -> list[Case]:
    nothing_sent = [
        by_part(
            f"part-refused/{name}",
            "a message without sense raises, and a good one may follow",
            (MADE, send(start()), send(body(b"a", True)), try_send(message), send(part(count=2))),
            ok(b"a" + CONTENT[:2]),
            calls=(Call(order=(BODY_SENT, refused(PART), sent(PART), RETURNED)),),
        )
        for name, message in UNSENDABLE.items()
    ]
    return [
        *nothing_sent,
        by_part(
            "part-before-start",
            "it cannot come before the start",
            (MADE, try_send(part()), *HELLO),
            hello(),
            calls=(Call(order=(refused(PART), START_SENT, BODY_SENT)),),
        ),
        case(
            "part-too-long",
            125,
            PART_CLAUSE,
            "more than the Content-Length is refused as of any body, and the connection aborted",
            get(),
            app=(
                (
                    MADE,
                    send(start(200, length(8))),
                    send(body(b"abc", True)),
                    send(part()),
                ),
            ),
            responses=(ok(b"abc", complete=False),),
            calls=(Call(order=(BODY_SENT, refused(PART))),),
            fate=Fate.CLOSED,
            needs=PART,
            splittable=False,
        ),
    ]


# Files go when the call ends; another server may send them later than that.
CASES = tuple(replace(case, esg_only=True) for case in (*_paths(), *_parts()))
