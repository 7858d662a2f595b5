"""Any server under attack, as a tree of processes: its memory, its sockets, its answers."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.client import Connection
from tests.server import REPOSITORY, environment

APP = "tests.apps.held:app"
START_BOUND = 60.0
# Seconds within which a server in peace answers anybody.
ANSWER_BOUND = 10.0
# What the system gives each of its processes of address space at most: 16 GiB, in kilobytes.
MOST_ADDRESSES = 16 * 2**20


@dataclass
class Attacked:
    """One running server.

    Args:
        command: its command line, with {app} and {port} left open.
    """

    command: tuple[str, ...]
    port: int = 0
    _process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    def __enter__(self) -> Self:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        words = [word.format(app=APP, port=self.port) for word in self.command]
        limited = ["sh", "-c", f'ulimit -v {MOST_ADDRESSES}; exec "$@"', "sh", *words]
        self._process = subprocess.Popen(
            limited,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=REPOSITORY,
            env=environment(),
            start_new_session=True,
        )
        deadline = time.monotonic() + START_BOUND
        while not (self._listens() and self.serves()):
            assert time.monotonic() < deadline, self.command
            time.sleep(0.1)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        frames: TracebackType | None,
    ) -> None:
        assert self._process is not None
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    @property
    def address(self) -> tuple[str, int]:
        """Where it listens."""
        return ("127.0.0.1", self.port)

    def _listens(self) -> bool:
        with suppress(OSError):
            socket.create_connection(self.address).close()
            return True
        return False

    def serves(self) -> bool:
        """Tell whether it answers a simple request."""
        try:
            client = Connection(self.address)
            with client:
                client.socket.settimeout(ANSWER_BOUND)
                return client.get("/").body == b"hello"
        except Exception:
            return False

    def processes(self) -> Iterator[int]:
        """Give the numbers of its processes."""
        assert self._process is not None
        waiting = [self._process.pid]
        while waiting:
            number = waiting.pop()
            with suppress(OSError):
                for task in Path(f"/proc/{number}/task").iterdir():
                    waiting += map(int, (task / "children").read_text("ascii").split())
                yield number

    def forget_peak(self) -> None:
        """Have `peak` begin anew."""
        for number in self.processes():
            with suppress(OSError):
                Path(f"/proc/{number}/clear_refs").write_text("5")

    def resident(self, what: str = "VmRSS") -> int:
        """Return the bytes of memory that its processes have, or have had at most (VmHWM)."""
        total = 0
        for number in self.processes():
            with suppress(OSError):
                status = Path(f"/proc/{number}/status").read_text("ascii")
                if found := re.search(rf"{what}:\s+(\d+) kB", status):
                    total += int(found[1]) * 1024
        return total

    def sockets(self) -> int:
        """Count the sockets that its processes have open."""
        found = 0
        for number in self.processes():
            with suppress(OSError):
                for entry in Path(f"/proc/{number}/fd").iterdir():
                    with suppress(OSError):
                        found += str(entry.readlink()).startswith("socket:")
        return found
