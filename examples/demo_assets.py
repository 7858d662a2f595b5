"""The files of the demo page, read once and served from memory.

Every file carries an ETag and must be revalidated, so that a new version shows at once and an
unchanged one costs a 304 (RFC 9110 section 13.1.2, RFC 9111 section 5.2.2.4).
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from examples.demo_exchange import Exchange

PAGE = Path(__file__).with_name("demo_page")

CONTENT_TYPES = {
    ".html": b"text/html; charset=utf-8",
    ".css": b"text/css; charset=utf-8",
    ".js": b"text/javascript; charset=utf-8",
    ".svg": b"image/svg+xml",
}


@dataclass(frozen=True)
class Asset:
    """A file of the page."""

    body: bytes
    content_type: bytes
    etag: bytes


def read_assets() -> dict[str, Asset]:
    """Read the page's files, by the path they are served at; index.html is `/`."""
    assets = {}
    for file in sorted(PAGE.iterdir()):
        body = file.read_bytes()
        etag = b'"%s"' % hashlib.sha256(body).hexdigest()[:16].encode()
        path = "/" if file.name == "index.html" else f"/{file.name}"
        assets[path] = Asset(body, CONTENT_TYPES[file.suffix], etag)
    return assets


ASSETS = read_assets()


async def send_asset(exchange: Exchange) -> None:
    """Send a file of the page, or 304 if the client has it already."""
    asset = ASSETS[exchange.route_path]
    validators = [(b"etag", asset.etag), (b"cache-control", b"no-cache")]
    if asset.etag in known_etags(exchange):
        await exchange.start(304, validators)
        await exchange.send({"type": "http.response.body"})
        return
    await exchange.respond(200, asset.body, [(b"content-type", asset.content_type), *validators])


def known_etags(exchange: Exchange) -> set[bytes]:
    """Return the entity tags the client holds, compared weakly (RFC 9110 section 13.1.2)."""
    fields = [value for name, value in exchange.scope["headers"] if name == b"if-none-match"]
    return {tag.strip().removeprefix(b"W/") for tag in b",".join(fields).split(b",")}
