"""ASGI 2 applications: a class, and a function that is told of the scope alone."""

from __future__ import annotations

import json

from esg.asgi import Receive, Scope, Send
from tests.apps.stage import answer, tell


class Application:
    """One scope's application."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope

    async def __call__(self, receive: Receive, send: Send) -> None:
        """Serve it."""
        if self.scope["type"] == "lifespan":
            for _ in range(2):
                kind = (await receive())["type"]
                tell(kind.replace(".", ": "))
                await send({"type": f"{kind}.complete"})
            return
        size, more = 0, True
        while more:
            event = await receive()
            size, more = size + len(event["body"]), event["more_body"]
        version = self.scope["asgi"]["version"]
        shown = {"path": self.scope["path"], "version": version, "size": size}
        await answer(send, json.dumps(shown).encode())


def lazy(scope: Scope) -> object:
    """Make the application when it is known what for."""

    async def application(receive: Receive, send: Send) -> None:
        await Application(scope)(receive, send)

    return application
