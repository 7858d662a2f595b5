"""The frameworks: where their sites are, the loops they run on, and what they do not have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.ecosystem.sites import SITES

ASYNCIO = ("asyncio", "uvloop")
ANY_LOOP = (*ASYNCIO, "trio")

_NO_DISCONNECT = "a view is not told"
_NO_LIFESPAN = "ignores the lifespan"


@dataclass(frozen=True)
class Framework:
    """One framework as its site uses it.

    Args:
        id: the distribution's name, and how it is used.
        app: the site, "module:attribute".
        loops: what it runs on.
        distributions: whose versions the matrix names.
        wsgi: whether it is WSGI.
        file: the path of its file.
        ranges: whether it sends a part of a file that is asked for.
        binary_messages: whether the WebSocket of the site takes them.
        forgets_errors: whether it leaves exceptions of its tasks to the event loop's log.
        lacks: checks that it has nothing for, with the reason.
    """

    id: str
    app: str
    distributions: tuple[str, ...]
    loops: tuple[str, ...] = ASYNCIO
    wsgi: bool = False
    file: str = "/file"
    ranges: bool = False
    binary_messages: bool = True
    forgets_errors: bool = False
    lacks: Mapping[str, str] = field(default_factory=dict)


_WSGI_LACKS = {
    "lifespan": "WSGI has none",
    "WebSocket": "WSGI has none",
    "client leaves a waiting request": "WSGI tells nothing",
    "client leaves a WebSocket": "WSGI has none",
}
_IN_STARLETTE = "that is Starlette's"
FRAMEWORKS = (
    Framework(
        "starlette", f"{SITES}.starlette_site:app", ("starlette",), loops=ANY_LOOP, ranges=True
    ),
    Framework("fastapi", f"{SITES}.fastapi_site:app", ("fastapi",), loops=ANY_LOOP, ranges=True),
    Framework(
        "django",
        f"{SITES}.django_site:app",
        ("django",),
        lacks={
            "lifespan": _NO_LIFESPAN,
            "background task": "none that outlives a request",
            "WebSocket": "that is Channels'",
            "client leaves a WebSocket": "that is Channels'",
        },
    ),
    Framework(
        "channels",
        f"{SITES}.channels_site:app",
        ("channels", "django"),
        lacks={"lifespan": _NO_LIFESPAN, "background task": "none that outlives a request"},
    ),
    Framework(
        "quart", f"{SITES}.quart_site:app", ("quart", "quart-trio"), loops=ANY_LOOP, ranges=True
    ),
    Framework("litestar", f"{SITES}.litestar_site:app", ("litestar",), loops=ANY_LOOP),
    Framework(
        "blacksheep",
        f"{SITES}.blacksheep_site:app",
        ("blacksheep",),
        file="/files/file.bin",
        ranges=True,
        lacks={"background task": "none"},
    ),
    Framework(
        "falcon",
        f"{SITES}.falcon_site:app",
        ("falcon",),
        file="/files/file.bin",
        ranges=True,
        binary_messages=False,
        lacks={"client leaves a waiting request": _NO_DISCONNECT},
    ),
    Framework(
        "flask",
        f"{SITES}.flask_site:app",
        ("flask",),
        loops=ANY_LOOP,
        wsgi=True,
        ranges=True,
        lacks=_WSGI_LACKS,
    ),
    Framework(
        "django-wsgi",
        f"{SITES}.django_wsgi_site:app",
        ("django",),
        loops=ANY_LOOP,
        wsgi=True,
        lacks={
            **_WSGI_LACKS,
            "background task": "none that outlives a request",
            "streamed request": "it reads no content without a Content-Length",
        },
    ),
    Framework(
        "sse-starlette",
        f"{SITES}.events_site:app",
        ("sse-starlette",),
        loops=ANY_LOOP,
        lacks=dict.fromkeys(
            (
                *("routing", "JSON", "form", "50 MiB upload", "streamed request", "file"),
                *("cookies", "WebSocket", "client leaves a waiting request"),
                "client leaves a WebSocket",
            ),
            _IN_STARLETTE,
        ),
    ),
    Framework(
        "python-socketio",
        f"{SITES}.socketio_site:app",
        ("python-socketio",),
        forgets_errors=True,
        lacks=dict.fromkeys(
            ("routing", "form", "50 MiB upload", "streamed request", "file", "cookies"),
            "that is the application's behind it",
        ),
    ),
    Framework(
        "strawberry",
        f"{SITES}.graphql_site:app",
        ("strawberry-graphql",),
        lacks=dict.fromkeys(
            ("form", "streamed request", "file", "cookies", "background task"), _IN_STARLETTE
        )
        | {"client leaves a waiting request": "a resolver is not told"},
    ),
)
