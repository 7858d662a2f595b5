"""The rows that a test can run on: ESG's implementations, each on each of its loops."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import Final

from esg.errors import StartupError
from esg.implementation import Implementation, resolve

# Named as IMPLEMENTATION-LOOP.
ROWS: Final = ("pure-asyncio", "pure-uvloop", "pure-trio", "fast-asyncio", "fast-uvloop")


def implementation_of(row: str) -> Implementation:
    """Return what serves on a row.

    Args:
        row: one of ROWS.

    Raises:
        ValueError: there is no such row.
        StartupError: it cannot run here.
    """
    if row not in ROWS:
        raise ValueError(f"there is no row {row!r}; the rows are {', '.join(ROWS)}")
    impl, loop = row.split("-")
    return resolve(impl, loop)


def why_missing(row: str) -> str | None:
    """Say why a row cannot run here, None if it can.

    Raises:
        ValueError: there is no such row.
    """
    try:
        implementation_of(row)
    except StartupError as error:
        return str(error)
    return None


def available_rows() -> tuple[str, ...]:
    """Return the rows that can run here; `pure-asyncio` always can."""
    return tuple(row for row in ROWS if why_missing(row) is None)


def chosen_rows(names: Iterable[str]) -> tuple[str, ...]:
    """Return the rows that somebody asks for by name.

    Args:
        names: of rows; none for all that can run.

    Raises:
        ValueError: there is no such row, or it cannot run here.
    """
    wanted = tuple(dict.fromkeys(names))
    for row in wanted:
        missing = why_missing(row)
        if missing:
            raise ValueError(f"the row {row} cannot run: {missing}")
    return wanted or available_rows()


def matching_rows(rows: Iterable[str], patterns: Iterable[str]) -> tuple[str, ...]:
    """Return those of some rows that any pattern, such as "*-asyncio", matches.

    Raises:
        ValueError: a pattern matches no row that there could ever be.
    """
    wanted = tuple(patterns)
    for pattern in wanted:
        if not any(fnmatchcase(row, pattern) for row in ROWS):
            raise ValueError(f"{pattern!r} matches no row; the rows are {', '.join(ROWS)}")
    return tuple(row for row in rows if any(fnmatchcase(row, p) for p in wanted))
