"""Which files count for --reload, by globs; and, where there is no watchfiles, when they change."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from fnmatch import translate
from pathlib import Path
from typing import Final, TypeAlias

# Time of change, size and number of a file: an editor may put a new file in an old one's place.
Stamp: TypeAlias = tuple[int, int, int]

# uvicorn's, too.
INCLUDED: Final = ("*.py",)
EXCLUDED: Final = (".*", ".py[cod]", ".sw.*", "~*")
_WILD: Final = re.compile(r"[*?[]")


class WatchedFiles:
    """Tell which files count.

    A glob without a slash is about names: of files to include, of files and directories to exclude.
    One with a slash is about paths, absolute or below a watched directory. Both lists add to the
    defaults; a default that stands in the other list counts no more. A file that is included without
    a wildcard is meant, whatever its name is excluded by.

    Args:
        directories: where they are.
        include: globs of files, besides `INCLUDED`.
        exclude: globs of files and directories, besides `EXCLUDED`.
    """

    def __init__(
        self, directories: Iterable[str], include: Sequence[str], exclude: Sequence[str]
    ) -> None:
        self.directories = [Path(directory).resolve() for directory in directories]
        self._include = _Globs([*(glob for glob in INCLUDED if glob not in exclude), *include])
        self._exclude = _Globs([*(glob for glob in EXCLUDED if glob not in include), *exclude])
        self._named = _Globs([glob for glob in include if not _WILD.search(glob)])

    def covers(self, path: Path) -> bool:
        """Tell whether a file counts."""
        for directory in self.directories:
            if path.is_relative_to(directory):
                below = path.relative_to(directory)
                parents = [*below.parents][:-1]
                if self._counts(directory, below) and not any(
                    self._exclude.match(directory, parent) for parent in parents
                ):
                    return True
        return False

    def _counts(self, top: Path, below: Path) -> bool:
        """Tell whether a file counts, as far as its directories go."""
        return self._named.match(top, below) or (
            self._include.match(top, below) and not self._exclude.match(top, below)
        )

    def stamps(self) -> dict[Path, Stamp]:
        """Return what tells a change of each file that counts."""
        return {path: stamp for d in self.directories for path, stamp in self._below(d, d)}

    def _below(self, top: Path, directory: Path) -> Iterator[tuple[Path, Stamp]]:
        try:
            entries = list(os.scandir(directory))
        except OSError:  # it has just gone
            return
        for entry in entries:
            path = Path(entry.path)
            below = path.relative_to(top)
            if entry.is_dir(follow_symlinks=False):
                if not self._exclude.match(top, below):
                    yield from self._below(top, path)
            elif self._counts(top, below):
                try:
                    status = path.stat()
                except OSError:
                    continue
                yield path, (status.st_mtime_ns, status.st_size, status.st_ino)


class _Globs:
    def __init__(self, globs: Sequence[str]) -> None:
        names = [glob for glob in globs if "/" not in glob]
        paths = [glob.rstrip("/") for glob in globs if "/" in glob]
        self._names = re.compile("|".join(map(translate, names)) or "(?!)")
        self._paths = re.compile("|".join(map(translate, paths)) or "(?!)")

    def match(self, top: Path, below: Path) -> bool:
        return bool(
            self._names.match(below.name)
            or self._paths.match(below.as_posix())
            or self._paths.match((top / below).as_posix())
        )
