"""Log every event and frame that passes a codec (level trace)."""

from __future__ import annotations

from typing import Any

from esg.asgi import Buffer
from esg.logs import TRACE, logger
from esg.websocket import Codec, Event


class TracingCodec:
    """Log what another codec decodes and encodes, messages as sizes; see `esg.websocket.Codec`.

    Args:
        codec: does the work.
        name: of the session, for the log.
    """

    __slots__ = ("_codec", "_name")

    def __init__(self, codec: Codec, name: str) -> None:
        self._codec = codec
        self._name = name

    @property
    def buffered(self) -> int:
        """Return how many bytes were given and have not been decoded."""
        return self._codec.buffered

    def receive_data(self, data: bytes) -> None:
        """Take bytes from the client."""
        self._codec.receive_data(data)

    def next_event(self) -> Event | None:
        """Decode up to the next event, and log it."""
        event = self._codec.next_event()
        if event is not None:
            logger.log(TRACE, "%s < %s", self._name, _shown(event))
        return event

    def text(self, message: str) -> list[Buffer]:
        """Log and encode a text message."""
        frames = self._codec.text(message)
        self._log_sent(_shown(message), frames)
        return frames

    def binary(self, message: Buffer) -> list[Buffer]:
        """Log and encode a binary message."""
        frames = self._codec.binary(message)
        self._log_sent(f"binary of {len(message)} bytes", frames)
        return frames

    def ping(self, payload: bytes) -> list[Buffer]:
        """Log and encode a ping."""
        frames = self._codec.ping(payload)
        self._log_sent(f"ping {payload!r}", frames)
        return frames

    def pong(self, payload: bytes) -> list[Buffer]:
        """Log and encode a pong."""
        frames = self._codec.pong(payload)
        self._log_sent(f"pong {payload!r}", frames)
        return frames

    def close(self, code: int, reason: str) -> list[Buffer]:
        """Log and encode a close frame."""
        frames = self._codec.close(code, reason)
        self._log_sent(f"close {code} {reason!r}", frames)
        return frames

    def _log_sent(self, what: str, frames: list[Buffer]) -> None:
        logger.log(TRACE, "%s > %s in %d bytes", self._name, what, sum(map(len, frames)))


def _shown(event: Any) -> str:
    if isinstance(event, str):
        return f"text of {len(event)} characters"
    if isinstance(event, bytes):
        return f"binary of {len(event)} bytes"
    return f"{type(event).__name__.lower()} {' '.join(repr(part) for part in event)}"
