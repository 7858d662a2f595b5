"""What the supervisor and a worker say to each other: a JSON object on each line of a socket.

To the worker: its settings first, then `retire`, `stop` or `force`. From it: `failed` before it
serves, `serving`, `enough` and `leaving`. Everything else has a better place: how a worker fares is in
the shared page, and that one side is gone shows at the end of the stream.
"""

from __future__ import annotations

import base64
import json
import pickle
import signal
import socket
from collections.abc import Iterator
from typing import Any, Final, TypeAlias

from esg.config import Config

Told: TypeAlias = dict[str, Any]
# A terminal sends these to the whole group. A worker is started with them blocked, until it has said
# what is to become of them: else they would end it while it imports.
GROUP_SIGNALS: Final = (signal.SIGINT, signal.SIGHUP, signal.SIGQUIT)
# Longer than any line of a worker's; its text is cut to less.
_LONGEST_LINE = 1 << 20
_READ_SIZE = 65536


def line(**said: Any) -> bytes:
    """Return a message as bytes."""
    return json.dumps(said).encode() + b"\n"


class Lines:
    """Gather the messages in a stream of bytes."""

    def __init__(self) -> None:
        self._buffer = b""

    def feed(self, data: bytes) -> Iterator[Told]:
        """Yield the messages that are complete by now.

        Raises:
            ValueError: this is no message.
        """
        self._buffer += data
        while b"\n" in self._buffer:
            text, _, self._buffer = self._buffer.partition(b"\n")
            message = json.loads(text)
            if not isinstance(message, dict):
                raise ValueError("a message must be an object")
            yield message
        if len(self._buffer) > _LONGEST_LINE:
            raise ValueError("a message is too long")


def messages(channel: socket.socket) -> Iterator[Told]:
    """Yield what comes over a blocking socket, until its other end is closed."""
    lines = Lines()
    while data := _received(channel):
        yield from lines.feed(data)


def _received(channel: socket.socket) -> bytes:
    try:
        return channel.recv(_READ_SIZE)
    except ConnectionError:
        return b""


def config_text(config: Config) -> str:
    """Write a configuration for a worker, which trusts its supervisor.

    Raises:
        pickle.PicklingError, AttributeError, TypeError: it holds what has no name to find it by.
    """
    return base64.b64encode(pickle.dumps(config)).decode("ascii")


def config_of(text: str) -> Config:
    """Read what `config_text` wrote."""
    config: Config = pickle.loads(base64.b64decode(text))  # noqa: S301 - from the supervisor
    return config
