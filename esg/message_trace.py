"""Log every ASGI message that passes between the server and an application (level trace)."""

from __future__ import annotations

from itertools import count
from typing import Any

from esg.asgi import ASGIApp, Message, Receive, Scope, Send
from esg.logs import TRACE, logger


def trace_messages(app: ASGIApp) -> ASGIApp:
    """Wrap an application so that its scopes and messages are logged, bodies as sizes."""
    numbers = count(1)

    async def traced(scope: Scope, receive: Receive, send: Send) -> Any:
        name = f"{scope['type']} #{next(numbers)}"

        async def traced_receive() -> Message:
            message = await receive()
            logger.log(TRACE, "%s received %s", name, _shown(message))
            return message

        async def traced_send(message: Message) -> None:
            logger.log(TRACE, "%s sent %s", name, _shown(message))
            await send(message)

        logger.log(TRACE, "%s started %s", name, _shown(scope))
        try:
            result = await app(scope, traced_receive, traced_send)
        except BaseException as error:
            logger.log(TRACE, "%s raised %r", name, error)
            raise
        logger.log(TRACE, "%s returned", name)
        return result

    return traced


def _shown(message: Any) -> str:
    if not isinstance(message, dict):
        return repr(message)
    parts = [f"{key!r}: {_shown_value(key, value)}" for key, value in message.items()]
    return "{" + ", ".join(parts) + "}"


def _shown_value(key: str, value: Any) -> str:
    if key in ("body", "bytes", "text") and hasattr(value, "__len__"):
        return f"<{len(value)} {'characters' if isinstance(value, str) else 'bytes'}>"
    if key == "state":
        return f"<{len(value)} keys>"
    return repr(value)
