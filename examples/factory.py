"""An application made by a function: `GREETING=Hi esg --factory examples.factory:create_app`.

The factory runs once, in the process that serves, before the first connection: the place to
read settings. What needs a running event loop belongs into lifespan start-up instead.
"""

import os
import time

from examples.asgi_types import Application, Receive, Scope, Send


def create_app() -> Application:
    """Return an application that greets with the environment's GREETING ("Hello")."""
    greeting = os.environ.get("GREETING", "Hello")

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the `lifespan` and `http` scopes; raise NotImplementedError for others."""
        if scope["type"] == "lifespan":
            await live(scope, receive, send)
        elif scope["type"] == "http":
            await greet(greeting, scope, send)
        else:
            raise NotImplementedError(f"this application does not speak {scope['type']}")

    return app


async def live(scope: Scope, receive: Receive, send: Send) -> None:
    """Note the time of start-up in the lifespan state, which every request gets a copy of."""
    await receive()  # lifespan.startup
    scope["state"]["started_at"] = time.monotonic()
    await send({"type": "lifespan.startup.complete"})
    await receive()  # lifespan.shutdown
    await send({"type": "lifespan.shutdown.complete"})


async def greet(greeting: str, scope: Scope, send: Send) -> None:
    """Answer with the greeting and the seconds since start-up."""
    uptime = time.monotonic() - scope["state"]["started_at"]
    body = f"{greeting}! Serving for {uptime:.1f} s.\n".encode()
    headers = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", b"%d" % len(body)),
    ]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})
