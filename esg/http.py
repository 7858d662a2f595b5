"""The HTTP vocabulary: what an exchange asks of a response's plan, of its wire, and of files.

The exchange is `rules.http_exchange`; `rules.response_head` has the plan and the wire of HTTP/1.1,
`file_part` the files.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, Protocol, TypeAlias

# What is written: a Buffer, or a file of which the driver sends as many bytes as its length says.
Piece: TypeAlias = Any

_DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS: Final = (
    *("Jan", "Feb", "Mar", "Apr", "May", "Jun"),
    *("Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
)


def http_date(timestamp: int) -> str:
    """Write a time as an IMF-fixdate (RFC 9110 section 5.6.7).

    `email.utils` writes it, too, and brings half of `email` into every process.

    Args:
        timestamp: seconds since the epoch.
    """
    at = time.gmtime(timestamp)
    date = f"{_DAYS[at.tm_wday]}, {at.tm_mday:02} {_MONTHS[at.tm_mon - 1]} {at.tm_year:04}"
    return f"{date} {at.tm_hour:02}:{at.tm_min:02}:{at.tm_sec:02} GMT"


class Plan(Protocol):
    """Be a checked response start."""

    status: int
    length: int
    has_content: bool
    trailers: bool


class Wire(Protocol):
    """Be a protocol version's serialisation of a response."""

    keep_alive: bool
    trailers_due: bool

    def start(self, response: Any) -> None:
        """Take a checked response start."""

    def declare_length(self, length: int) -> None:
        """Declare the content's length, if the application has not."""

    def head(self) -> bytes:
        """Serialise the start."""
        ...

    def frame(self, data: Piece, final: bool) -> list[Piece]:
        """Serialise a piece of content."""
        ...

    def trailers(self, fields: Any, final: bool) -> bytes:
        """Check and serialise trailers."""
        ...

    def early_hint(self, links: Any) -> bytes:
        """Check and serialise links of an interim response."""
        ...


class File(Protocol):
    """Be a part of a file that has been opened."""

    def __len__(self) -> int:
        """Return its size in bytes."""
        ...

    def take(self) -> Piece:
        """Return what stands for its content, and outlives `close`.

        Raises:
            MessageError: it cannot be read.
        """
        ...

    def close(self) -> None:
        """Close it."""


PlanResponse = Callable[[str, object, Iterable[Iterable[object]]], Plan]
OpenFile = Callable[[Mapping[str, Any]], File]
