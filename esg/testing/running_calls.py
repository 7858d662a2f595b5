"""Which calls of an application are still running: what a server that stops has to wait for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from esg.asgi import ASGIApp, Receive, Scope, Send


class RunningCalls:
    """Know the calls of an application that have begun and not ended."""

    def __init__(self) -> None:
        self._running: dict[int, str] = {}
        self._begun = 0

    def __iter__(self) -> Iterator[str]:
        return iter(tuple(self._running.values()))

    def following(self, app: ASGIApp) -> ASGIApp:
        """Return an application whose calls are known here."""

        async def followed(scope: Scope, receive: Receive, send: Send) -> object:
            with self._one(describe(scope)):
                return await app(scope, receive, send)

        return followed

    @contextmanager
    def _one(self, what: str) -> Iterator[None]:
        self._begun += 1
        number = self._begun
        self._running[number] = what
        try:
            yield
        finally:
            del self._running[number]


def describe(scope: Scope) -> str:
    """Name what an application was called for: `GET /path`, `websocket /path`, `lifespan`."""
    kind = scope.get("method") if scope["type"] == "http" else scope["type"]
    return f"{kind} {scope['path']}" if "path" in scope else str(kind)
