"""From a judged head and the connection's addresses to an ASGI scope.

Must not know the transport. Source: ASGI HTTP & WebSocket message format 2.5, "HTTP Connection
Scope"; RFC 3986 section 2.1 for percent-encoding.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

from esg.asgi import (
    ASGI_VERSION,
    HTTP_SPEC_VERSION,
    WEBSOCKET_SPEC_VERSION,
    Headers,
    Scope,
)

Address = tuple[str, int | None] | None


def decode_path(raw_path: bytes, root_path: str) -> str:
    """Decode the path and see that it begins with `root_path`.

    Args:
        raw_path: the request-target's path, percent-encoded ASCII. Bytes that are no UTF-8
            become U+FFFD; a bad escape stays as it is.
        root_path: where the application is mounted, "" or "/api". A path that does not begin
            with it, counted in whole segments, gets it in front once.
    """
    path = raw_path.decode("ascii")
    if "%" in path:
        path = unquote(path, encoding="utf-8", errors="replace")
    if root_path and path not in ("*", root_path) and not path.startswith(root_path + "/"):
        return root_path + path
    return path


def http_scope(
    *,
    method: str,
    http_version: str,
    raw_path: bytes,
    query: bytes,
    headers: Headers,
    scheme: str,
    client: Address,
    server: Address,
    root_path: str,
    state: dict[str, Any],
    extensions: dict[str, dict[str, Any]],
    takes_trailers: bool,
) -> Scope:
    """Build the scope of one HTTP request.

    Every mutable value is the request's own: `state` and `extensions` are copied one level
    deep (ASGI lifespan 2.0, "Lifespan State"). Extensions that depend on the request are added.
    """
    offered: dict[str, dict[str, Any]] = {name: value.copy() for name, value in extensions.items()}
    offered["http.response.pathsend"] = {}
    offered["http.response.zerocopysend"] = {}
    if http_version != "1.0":
        offered["http.response.early_hint"] = {}
    if takes_trailers:
        offered["http.response.trailers"] = {}
    return {
        "type": "http",
        "asgi": {"version": ASGI_VERSION, "spec_version": HTTP_SPEC_VERSION},
        "http_version": http_version,
        "method": method,
        "scheme": scheme,
        "path": decode_path(raw_path, root_path),
        "raw_path": raw_path,
        "query_string": query,
        "root_path": root_path,
        "headers": headers,
        "client": client,
        "server": server,
        "state": state.copy(),
        "extensions": offered,
    }


def websocket_scope(
    *,
    http_version: str,
    raw_path: bytes,
    query: bytes,
    headers: Headers,
    subprotocols: list[str],
    scheme: str,
    client: Address,
    server: Address,
    root_path: str,
    state: dict[str, Any],
    extensions: dict[str, dict[str, Any]],
) -> Scope:
    """Build the scope of one WebSocket, like that of a request.

    `subprotocols` are those offered, in the client's order; the extension for denial responses is
    added.
    """
    return {
        "type": "websocket",
        "asgi": {"version": ASGI_VERSION, "spec_version": WEBSOCKET_SPEC_VERSION},
        "http_version": http_version,
        "scheme": scheme,
        "path": decode_path(raw_path, root_path),
        "raw_path": raw_path,
        "query_string": query,
        "root_path": root_path,
        "headers": headers,
        "client": client,
        "server": server,
        "subprotocols": list(subprotocols),
        "state": state.copy(),
        "extensions": {
            "websocket.http.response": {},
            **{name: value.copy() for name, value in extensions.items()},
        },
    }
