"""Whether a connection lives on after an exchange, and what must be read or thrown away first.

Must not know sockets or timers. Obeys RFC 9112 sections 9.3, 9.5 and 9.6. HTTP/1.0 never
persists here: its keep-alive is a convention without a specification.
"""

from __future__ import annotations

from typing import Final

# What follows a complete response.
REUSE: Final = 0  # read the next request
DRAIN: Final = 1  # read the rest of this request's content away first
LINGER: Final = 2  # send FIN, throw away what still comes, so that the client can read the answer


def request_persists(http_version: str, connection: tuple[bytes, ...]) -> bool:
    """Tell whether the client lets the connection persist (RFC 9112 section 9.3).

    Args:
        http_version: "1.0" or "1.1".
        connection: the lower-case options of the request's Connection fields.
    """
    return http_version != "1.0" and b"close" not in connection


def after_response(keep_alive: bool, request_complete: bool, can_drain: bool) -> int:
    """Decide what follows a complete response.

    Args:
        keep_alive: both sides let the connection persist.
        request_complete: the request has been read to its end.
        can_drain: what is unread is little enough.

    Returns:
        REUSE, DRAIN or LINGER. Never an immediate close: even a client that asked for one may
        have sent a byte too many, and closing on unread bytes resets the connection.
    """
    if not keep_alive:
        return LINGER
    if request_complete:
        return REUSE
    return DRAIN if can_drain else LINGER
