"""A client that sends far more than anybody should take."""

from __future__ import annotations

import itertools
from collections.abc import Iterable

from tests.client import Connection

# Seconds without a byte taken after which the server reads no more.
HELD_BACK = 0.6


def throw(client: Connection, blocks: Iterable[bytes], total: int) -> int:
    """Send until `total` bytes are taken, the server closes, or it has stopped reading.

    Returns:
        How many bytes were taken.
    """
    taken = 0
    client.socket.settimeout(HELD_BACK)
    try:
        for block in blocks:
            view = memoryview(block)
            while view and taken < total:
                size = client.socket.send(view)
                taken += size
                view = view[size:]
            if taken >= total:
                break
    except (TimeoutError, ConnectionError):
        pass
    return taken


def throw_repeatedly(client: Connection, block: bytes, total: int) -> int:
    """Send one block again and again; as `throw`."""
    return throw(client, itertools.repeat(block), total)
