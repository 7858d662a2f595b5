"""Whether a connection lives on after an exchange, and what must be read or thrown away first.

Must not know sockets or timers. Obeys RFC 9112 sections 9.3, 9.5 and 9.6. HTTP/1.0 never
persists here: its keep-alive is a convention without a specification.
"""

from __future__ import annotations

from typing import Final

DRAIN_LIMIT: Final = 65536  # bytes of unread content worth reading to keep a connection

# What follows a complete response.
REUSE: Final = 0  # read the next request
DRAIN: Final = 1  # read the rest of this request's content first, DRAIN_LIMIT bytes at most
LINGER: Final = 2  # send FIN, throw away what still comes, so that the client can read the answer
CLOSE: Final = 3  # nothing can be on its way: close


def request_persists(http_version: str, connection: tuple[bytes, ...]) -> bool:
    """Tell whether the client lets the connection persist (RFC 9112 section 9.3).

    Args:
        http_version: "1.0" or "1.1".
        connection: the lower-case options of the request's Connection fields.
    """
    return http_version != "1.0" and b"close" not in connection


def drainable(content_length: int, received: int, awaits_continue: bool) -> bool:
    """Tell whether unread content may be read away to keep the connection.

    Args:
        content_length: the declared length, -1 where chunked.
        received: bytes of content that have come so far.
        awaits_continue: the client was told no 100 and may never send the content, nor say so
            (RFC 9110 section 10.1.1).
    """
    return not awaits_continue and content_length - received <= DRAIN_LIMIT


def after_response(
    client_persists: bool, keep_alive: bool, request_complete: bool, can_drain: bool
) -> int:
    """Decide what follows a complete response.

    Args:
        client_persists: the client may send another request: only then can one be on its way.
        keep_alive: both sides let the connection persist.
        request_complete: the request has been read to its end.
        can_drain: the verdict of `drainable`.

    Returns:
        REUSE, DRAIN, LINGER or CLOSE.
    """
    if not keep_alive:
        return LINGER if client_persists or not request_complete else CLOSE
    if request_complete:
        return REUSE
    return DRAIN if can_drain else LINGER
