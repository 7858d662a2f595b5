"""What fails on other servers, and why: `make ecosystem` sees that every entry is true."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

_CLOSES_UNANNOUNCED = (
    "the connection is closed behind the 500 without `Connection: close`: a client's next request "
    "on it is lost"
)
_NO_1006 = "a lost connection has the close code 1005, which says that a close frame came (1006)"
_SEND_IS_SILENT = "`send()` does not raise when the client has left: the stream goes on for ever"
_NOT_CANCELLED = "the process ends without the stream's `finally`"
_WSGI_THREAD = "the thread is not told that its client has left: the stream goes on for ever"
_WSGI_NOT_TERMINATED = "`wsgi.input_terminated` is not set: Flask takes chunked content for none"

# By framework and check, on every row of uvicorn.
UVICORN_FAILURES: Mapping[tuple[str, str], str] = {
    ("starlette", "exception"): _CLOSES_UNANNOUNCED,
    ("fastapi", "exception"): _CLOSES_UNANNOUNCED,
    ("sse-starlette", "exception"): _CLOSES_UNANNOUNCED,
    ("starlette", "client leaves a WebSocket"): _NO_1006,
    ("fastapi", "client leaves a WebSocket"): _NO_1006,
    ("channels", "client leaves a WebSocket"): _NO_1006,
    ("litestar", "client leaves a WebSocket"): _NO_1006,
    ("blacksheep", "client leaves a WebSocket"): _NO_1006,
    ("falcon", "client leaves a WebSocket"): _NO_1006,
    ("blacksheep", "client leaves a stream"): _SEND_IS_SILENT,
    ("falcon", "client leaves a stream"): _SEND_IS_SILENT,
    ("django", "shutdown with a stream open"): _NOT_CANCELLED,
    ("channels", "shutdown with a stream open"): _NOT_CANCELLED,
    ("quart", "shutdown with a stream open"): _NOT_CANCELLED,
    ("flask", "shutdown with a stream open"): _NOT_CANCELLED,
    ("django-wsgi", "shutdown with a stream open"): _NOT_CANCELLED,
    ("flask", "client leaves a stream"): _WSGI_THREAD,
    ("django-wsgi", "client leaves a stream"): _WSGI_THREAD,
    ("flask", "streamed request"): _WSGI_NOT_TERMINATED,
}


def _by_target() -> Iterator[tuple[tuple[str, str, str], str]]:
    for target in ("uvicorn-httptools", "uvicorn-h11"):
        for (framework, check), reason in UVICORN_FAILURES.items():
            yield (target, framework, check), reason


# By target, framework and check.
PEER_FAILURES: Mapping[tuple[str, str, str], str] = dict(_by_target())
