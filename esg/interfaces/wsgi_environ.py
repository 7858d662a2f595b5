"""From an ASGI HTTP scope to a WSGI environ.

Strings carry bytes as Latin-1 (PEP 3333, "Unicode Issues"). Names with an underscore are left out:
`X_Forwarded_For` would pass for `X-Forwarded-For`, which proxies watch over.
"""

from __future__ import annotations

import sys
from typing import Any, Final
from urllib.parse import unquote_to_bytes
from wsgiref.util import FileWrapper as StandardFileWrapper

from esg.asgi import Scope

_DEFAULT_PORTS: Final = {"http": "80", "https": "443"}
_BLOCK: Final = 65536  # bytes
_UNPREFIXED: Final = {"content-type": "CONTENT_TYPE", "content-length": "CONTENT_LENGTH"}


class FileWrapper(StandardFileWrapper):
    """Iterate over a file in large blocks, for each crosses from a thread to the loop.

    Args:
        filelike: what has a read(size).
        blksize: a suggestion (PEP 3333, "Optional Platform-Specific File Handling"); frameworks
            make it as small as 4096 bytes.
    """

    def __init__(self, filelike: Any, blksize: int = 0) -> None:
        super().__init__(filelike, max(blksize, _BLOCK))


def environ_of(scope: Scope) -> dict[str, Any]:
    """Return all of a request's environ but what the server alone knows: input and threads."""
    host, port = scope["server"] or ("", None)
    client_host, client_port = scope["client"] or ("", None)
    raw_path, query = scope["raw_path"].decode("latin-1"), scope["query_string"].decode("latin-1")
    script_name, path_info = _paths(scope["root_path"], scope["raw_path"])
    environ = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": script_name,
        "PATH_INFO": path_info,
        "QUERY_STRING": query,
        "REQUEST_URI": f"{raw_path}?{query}" if query else raw_path,
        # A UNIX socket has a path, and no port.
        "SERVER_NAME": host if port is not None else "localhost",
        "SERVER_PORT": str(port) if port is not None else _DEFAULT_PORTS[scope["scheme"]],
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "REMOTE_ADDR": client_host,
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope["scheme"],
        "wsgi.errors": sys.stderr,
        "wsgi.run_once": False,
        "wsgi.file_wrapper": FileWrapper,
        # The input ends where the content does, however that was framed.
        "wsgi.input_terminated": True,
    }
    if client_port:  # a proxy need not have told it
        environ["REMOTE_PORT"] = str(client_port)
    _add_fields(environ, scope["headers"])
    return environ


def _paths(root_path: str, raw_path: bytes) -> tuple[str, str]:
    """Split a path into where the application is mounted and what lies below."""
    root, path = root_path.encode(), unquote_to_bytes(raw_path)
    if path == root or path.startswith(root + b"/"):
        path = path[len(root) :]
    if path == b"*":  # OPTIONS of the whole server: a PATH_INFO is empty or begins with /
        path = b""
    return root.decode("latin-1"), path.decode("latin-1")


def _add_fields(environ: dict[str, Any], headers: list[tuple[bytes, bytes]]) -> None:
    """Add the header fields; those of one name are joined (RFC 9110 section 5.3)."""
    for raw_name, raw_value in headers:
        field_name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
        if "_" in field_name:
            continue
        name = _UNPREFIXED.get(field_name) or f"HTTP_{field_name.upper().replace('-', '_')}"
        if name in environ:
            separator = "; " if field_name == "cookie" else ","
            value = f"{environ[name]}{separator}{value}"
        environ[name] = value
