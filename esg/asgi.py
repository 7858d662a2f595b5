"""The ASGI vocabulary: scope and message types, callables, and the versions that ESG claims.

Source: ASGI specification 3.0, HTTP & WebSocket message format 2.5, lifespan 2.0.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final, TypeAlias

Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
# An application returns nothing; one that returns something is told so.
ASGIApp: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[object]]
# What a user may hand over: ASGI 3, ASGI 2 or WSGI.
AnyApp: TypeAlias = Callable[..., Any]
Headers: TypeAlias = list[tuple[bytes, bytes]]
Buffer: TypeAlias = bytes | bytearray | memoryview

ASGI_VERSION: Final = "3.0"
HTTP_SPEC_VERSION: Final = "2.5"
WEBSOCKET_SPEC_VERSION: Final = "2.5"
LIFESPAN_SPEC_VERSION: Final = "2.0"


def plain_buffer(name: str, data: object) -> Buffer:
    """Return content that an application sends as what can be measured and written.

    Of a subclass only the octets count, not what its methods say of them: a length that is none
    would break the framing.

    Args:
        name: of the message's entry, for the error.
        data: that entry.

    Raises:
        TypeError: it is not bytes, nor what is as good.
    """
    if type(data) is bytes or type(data) is bytearray:
        return data
    if isinstance(data, memoryview):
        return data.cast("B") if data.c_contiguous else data.tobytes()
    if not isinstance(data, (bytes, bytearray)):
        raise TypeError(f"{name} must be bytes, got {type(data).__name__}")
    return b"".join((data,))
