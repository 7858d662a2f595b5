"""A folder of files, each sent by the kernel.

    STATIC_FILES=site esg --factory examples.static_files:serve

A path that ends with a slash is its index.html. Nothing outside of the folder is served, also where
a link leads there. `make docs-serve` shows the documentation by this.
"""

from __future__ import annotations

import mimetypes
import os
from email.utils import formatdate
from pathlib import Path

import anyio

from examples.asgi_types import Application, Receive, Scope, Send

Headers = list[tuple[bytes, bytes]]


def serve() -> Application:
    """Return an application for the folder that the environment's STATIC_FILES names."""
    return static_files(Path(os.environ.get("STATIC_FILES", ".")))


def static_files(folder: Path) -> Application:
    """Return an application that serves the files of a folder."""
    root = folder.resolve()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the `http` scope; raise NotImplementedError for others."""
        if scope["type"] != "http":
            raise NotImplementedError(f"this application does not speak {scope['type']}")
        if scope["method"] not in ("GET", "HEAD"):
            await answer(send, 405, [(b"allow", b"GET, HEAD")])
        elif (file := found(root, scope)) is None:
            await answer(send, 404, [])
        elif file.is_dir():
            await answer(send, 308, [(b"location", slashed(scope))])
        else:
            await send_file(file, scope, send)

    return app


def found(root: Path, scope: Scope) -> Path | None:
    """Return the file, or the folder, that a path names; None where there is none in the root."""
    path = scope["path"].removeprefix(scope["root_path"])
    if "\0" in path:
        return None
    named = (root / path.lstrip("/")).resolve()
    if path.endswith("/"):
        named /= "index.html"
    return named if named.is_relative_to(root) and named.exists() else None


def slashed(scope: Scope) -> bytes:
    """Return the path with a slash behind it, as it came; one in front, or it names a host."""
    path: bytes = scope["raw_path"]
    return b"/" + path.strip(b"/") + b"/"


async def send_file(file: Path, scope: Scope, send: Send) -> None:
    """Send a file, unless the client has it."""
    status = await anyio.Path(file).stat()
    modified = formatdate(status.st_mtime, usegmt=True).encode()
    if dict(scope["headers"]).get(b"if-modified-since") == modified:
        await answer(send, 304, [])
        return
    kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    charset = "; charset=utf-8" if kind.startswith("text/") else ""
    headers = [
        (b"content-type", f"{kind}{charset}".encode()),
        (b"content-length", b"%d" % status.st_size),
        (b"last-modified", modified),
        (b"cache-control", b"no-cache"),
        (b"x-content-type-options", b"nosniff"),
    ]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    if scope["method"] == "HEAD":
        await send({"type": "http.response.body"})
    elif "http.response.pathsend" in scope.get("extensions", {}):
        await send({"type": "http.response.pathsend", "path": str(file)})
    else:
        await send({"type": "http.response.body", "body": await anyio.Path(file).read_bytes()})


async def answer(send: Send, status: int, headers: Headers) -> None:
    """Answer without content."""
    length = [] if status == 304 else [(b"content-length", b"0")]
    await send({"type": "http.response.start", "status": status, "headers": [*headers, *length]})
    await send({"type": "http.response.body"})
