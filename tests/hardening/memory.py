"""How much memory a server has had at most since a moment (Linux)."""

from __future__ import annotations

from pathlib import Path

from tests.server import ServerProcess

MEBIBYTE = 2**20
# How much the peak may lie above what the server had before, whatever a client does.
BOUND = 16 * MEBIBYTE


class Growth:
    """The growth of a process's resident memory since this was made, at its peak."""

    def __init__(self, server: ServerProcess) -> None:
        # The kernel forgets the peak so far.
        Path(f"/proc/{server.pid}/clear_refs").write_text("5")
        self._server = server
        self._before = server.memory("VmRSS")

    @property
    def size(self) -> int:
        """The growth in bytes."""
        return self._server.memory("VmHWM") - self._before
