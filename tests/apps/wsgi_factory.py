"""A factory of a WSGI application."""

from __future__ import annotations

from typing import Any


def make_app() -> Any:
    """Return the application."""

    def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b"made"]

    return app
