"""What the validator raises, and who gets to hear of it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, Literal

Culprit = Literal["application", "server"]

# The texts that clauses are quoted from.
ASGI: Final = "ASGI 3.0"
HTTP: Final = "ASGI HTTP & WebSocket 2.5, HTTP"
WEBSOCKET: Final = "ASGI HTTP & WebSocket 2.5, WebSocket"
LIFESPAN: Final = "ASGI Lifespan 2.0"
EXTENSIONS: Final = "ASGI Extensions"
TLS: Final = "ASGI TLS 0.2"


class Forbidden(Exception):
    """Carry what a rule of the validator found, for the validator to say who did it, and where.

    Args:
        what: what is forbidden, in words.
        clause: the specification's section.
    """

    def __init__(self, what: str, clause: str) -> None:
        super().__init__(what, clause)
        self.what = what
        self.clause = clause


class ASGIViolation(AssertionError):
    """Say who broke which clause of the ASGI specification, and how.

    Args:
        culprit: "application" or "server".
        what: what was done, in words.
        clause: the specification's section.
        where: the request or scope during which it happened.
    """

    def __init__(self, culprit: Culprit, what: str, clause: str, where: str = "") -> None:
        super().__init__(culprit, what, clause, where)
        self.culprit = culprit
        self.what = what
        self.clause = clause
        self.where = where

    def __str__(self) -> str:
        where = f" ({self.where})" if self.where else ""
        return f"the {self.culprit} {self.what}{where} [{self.clause}]"


_lock = threading.Lock()
_collections: list[list[ASGIViolation]] = []


@contextmanager
def collect_violations() -> Iterator[list[ASGIViolation]]:
    """Gather every violation that any validator of this process raises while the block runs.

    An application may swallow what is raised inside of it; whoever collects sees it all the same.
    """
    found: list[ASGIViolation] = []
    with _lock:
        _collections.append(found)
    try:
        yield found
    finally:
        with _lock:
            _collections[:] = [kept for kept in _collections if kept is not found]


def report(violation: ASGIViolation) -> None:
    """Add a violation to all collections that are open."""
    with _lock:
        for collection in _collections:
            collection.append(violation)
