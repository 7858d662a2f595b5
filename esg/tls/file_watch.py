"""Whether files have changed, and have come to rest since.

They are looked at, every now and then, instead of being watched by the kernel: that works on every
file system, and for symbolic links that are pointed elsewhere, as Kubernetes does it.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TypeAlias

_Look: TypeAlias = tuple[tuple[int, ...] | None, ...]


class FileWatch:
    """Tell when files are to be read again.

    Args:
        files: their paths. What they hold when the watch is made counts as read.
    """

    def __init__(self, files: Iterable[str]) -> None:
        self._paths = [Path(file) for file in files]
        self._last = self._read = self._look()

    def has_changes(self) -> bool:
        """Tell, once for each change, that files have changed since they were read.

        A change counts when the next look finds nothing new: a certificate and its key take a
        moment to be written.
        """
        before, self._last = self._last, self._look()
        if self._last != before or self._last == self._read:
            return False
        self._read = self._last
        return True

    def count_as_read(self) -> None:
        """Take note that the files are read now, changed or not."""
        self._last = self._read = self._look()

    def _look(self) -> _Look:
        return tuple(map(_state, self._paths))


def _state(path: Path) -> tuple[int, ...] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    # The last, because permissions may have been what was wrong.
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns
