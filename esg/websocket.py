"""The WebSocket vocabulary: close codes, events, and what a session asks of those around it.

A `Codec` turns one client's bytes into events and messages into bytes; it has no socket, no clock
and no knowledge of ASGI. `Answers` are those to the opening handshake.
Sources: RFC 6455 sections 5.5, 7.4; RFC 7692.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple, Protocol, TypeAlias

from esg.asgi import Buffer
from esg.errors import MessageError

# RFC 6455 section 7.4.1 and IANA's registry.
NORMAL_CLOSURE: Final = 1000
PROTOCOL_ERROR: Final = 1002
NO_STATUS: Final = 1005  # never on the wire: a close frame without a code
ABNORMAL: Final = 1006  # never on the wire: a connection lost without a close frame
INVALID_DATA: Final = 1007
TOO_BIG: Final = 1009
INTERNAL_ERROR: Final = 1011
SERVICE_RESTART: Final = 1012

_REGISTERED: Final = frozenset((1000, 1001, 1002, 1003, *range(1007, 1015)))

MAX_REASON: Final = 123  # bytes of UTF-8 behind the code of a close frame


def is_close_code(code: int) -> bool:
    """Tell whether a close frame may carry `code`, in either direction."""
    return code in _REGISTERED or 3000 <= code <= 4999


def close_arguments(message: Mapping[str, Any]) -> tuple[int, str]:
    """Return code and reason that a websocket.close asks for, by default 1000 and none.

    Raises:
        MessageError, TypeError: no close frame may say that (RFC 6455 sections 5.5.1, 7.4).
    """
    code = NORMAL_CLOSURE if message.get("code") is None else message["code"]
    reason = "" if message.get("reason") is None else message["reason"]
    if not isinstance(code, int) or not isinstance(reason, str):
        raise TypeError(f"code must be an int and reason a str, got {code!r} and {reason!r}")
    if not is_close_code(code):
        raise MessageError(f"close code {int(code)} cannot be sent")
    try:
        octets = reason.encode("utf-8")
    except UnicodeEncodeError as error:
        raise MessageError(f"reason cannot be sent as UTF-8: {error.reason}") from None
    if len(octets) > MAX_REASON:
        raise MessageError(f"reason has {len(octets)} bytes, more than {MAX_REASON}")
    return int(code), octets.decode("utf-8")  # of a subclass only the text counts


class DeflateParameters(NamedTuple):
    """What both sides agreed on for permessage-deflate (RFC 7692 section 7.1).

    Attributes:
        server_no_context_takeover: each of our messages is compressed by itself.
        client_no_context_takeover: each of the client's is.
        server_max_window_bits: the window, 8 to 15 bits, that ours look back on.
        client_max_window_bits: the window that the client's look back on.
    """

    server_no_context_takeover: bool
    client_no_context_takeover: bool
    server_max_window_bits: int
    client_max_window_bits: int


class Ping(NamedTuple):
    """A ping, to be answered by a pong with the same payload."""

    payload: bytes


class Pong(NamedTuple):
    """A pong, asked for or not."""

    payload: bytes


class Close(NamedTuple):
    """The client's close frame; `code` is NO_STATUS where it has none."""

    code: int
    reason: str


class Failure(NamedTuple):
    """Frames that no connection survives.

    Attributes:
        code: the close code to answer with.
        reason: what was wrong, for the close frame and the log; at most MAX_REASON bytes, and
            nothing of the client's data.
    """

    code: int
    reason: str


# A text message is its str, a binary message its bytes.
Event: TypeAlias = str | bytes | Ping | Pong | Close | Failure


class Codec(Protocol):
    """Decode one client's frames and encode ours.

    Attributes:
        buffered: bytes that were given and have not been decoded.
    """

    @property
    def buffered(self) -> int:
        """Return how many bytes were given and have not been decoded."""
        ...

    def receive_data(self, data: bytes) -> None:
        """Take bytes from the client, without looking at them."""

    def next_event(self) -> Event | None:
        """Decode up to the next event; None where more bytes are needed.

        Fragments come joined, as one message that is whole, inflated and within its size limit.
        After a Close or a Failure there is nothing more, whatever else comes.
        """
        ...

    def text(self, message: str) -> list[Buffer]:
        """Encode a text message.

        Raises:
            UnicodeEncodeError: it has a surrogate.
        """
        ...

    def binary(self, message: Buffer) -> list[Buffer]:
        """Encode a binary message; what is returned may refer to it."""
        ...

    def ping(self, payload: bytes) -> list[Buffer]:
        """Encode a ping of at most 125 bytes."""
        ...

    def pong(self, payload: bytes) -> list[Buffer]:
        """Encode a pong of at most 125 bytes."""
        ...

    def close(self, code: int, reason: str) -> list[Buffer]:
        """Encode a close frame; NO_STATUS makes it an empty one."""
        ...


class Denial(Protocol):
    """What the session asks of the state table of an HTTP response."""

    status: int
    disconnected: bool

    def send(self, message: Mapping[str, Any]) -> list[Buffer]:
        """Take a message and return what to write for it."""
        ...

    def flush_start(self) -> bytes:
        """Return the head of a start that has been held long enough, else nothing."""
        ...

    def needs_error_response(self) -> bool:
        """Tell whether the server itself can, and must, answer."""
        ...

    def abort(self) -> bool:
        """End a response that can never be complete; tell whether that is news."""
        ...


class Answers(Protocol):
    """How the opening handshake is answered on the wire."""

    def switch(self, subprotocol: object, headers: Sequence[tuple[object, object]]) -> bytes:
        """Check and serialise an acceptance."""
        ...

    def refuse(self, status: int) -> bytes:
        """Serialise an answer in the application's place."""
        ...

    def deny(self) -> Denial:
        """Begin a response of the application's own, behind which the connection closes."""
        ...
