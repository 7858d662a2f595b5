"""An application for servers of several processes under honest and hostile clients.

Routes of `held` are that one's; everything else is answered with the number of the process.
"""

from __future__ import annotations

from esg.asgi import Receive, Scope, Send
from tests.apps import held, processes


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Serve the route."""
    known = (scope["type"], scope.get("path", "")) in held.ROUTES
    await (held.app if known else processes.app)(scope, receive, send)
