"""What the sites share: the lines they tell a test, the gate they wait at, their texts."""

from __future__ import annotations

import hashlib
import json
import os
import sys
import threading
from pathlib import Path
from typing import IO

import anyio

# The pieces of /stream.
PIECES = ("first\n", "second\n", "third\n")
# What /broken sends before it fails, and what it and /error fail with.
BEGINNING = "beginning\n"
MISTAKE = "on purpose"
# Seconds between two pieces of a stream that does not end.
PAUSE = 0.02
SUBPROTOCOL = "esg"
FILE = Path(os.environ.get("ECOSYSTEM_FILE", os.devnull))


def tell(what: str) -> None:
    """Tell the test what happened, as a line of standard output."""
    sys.stdout.write(f"# {what}\n")
    sys.stdout.flush()


def digest(file: IO[bytes]) -> str:
    """Read a file to its end; return its SHA-256."""
    found = hashlib.sha256()
    while piece := file.read(2**18):
        found.update(piece)
    return found.hexdigest()


class Gate:
    """Let one coroutine past for each time that it is opened; on any loop."""

    def __init__(self) -> None:
        self._opened = 0
        self._event: anyio.Event | None = None

    def open(self) -> None:
        """Let one more past."""
        self._opened += 1
        if self._event is not None:
            self._event.set()
            self._event = None

    async def wait(self) -> None:
        """Wait until it is opened."""
        while not self._opened:
            self._event = self._event or anyio.Event()
            await self._event.wait()
        self._opened -= 1


class ThreadGate:
    """The same for threads."""

    def __init__(self) -> None:
        self._opened = threading.Semaphore(0)

    def open(self) -> None:
        """Let one more past."""
        self._opened.release()

    def wait(self) -> None:
        """Wait until it is opened."""
        self._opened.acquire()


def json_again(content: bytes) -> str:
    """Read JSON and write it again."""
    return json.dumps(json.loads(content))
