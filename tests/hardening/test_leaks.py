"""Abusive clients leave nothing behind: a sample of what `make leaks` does by the hundred thousand."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest

from tests.conftest import Serve
from tests.hardening import leaks
from tests.hardening.abuse import KINDS, Abuse, get
from tests.hardening.leaks import Watcher
from tests.rows import Row

COUNT = 100
# Those that need not wait for a timeout of the server's.
QUICK = [abuse for abuse in KINDS.values() if abuse.share == 1]


@pytest.fixture(scope="module")
def watcher(serve_module: Serve, row: Row) -> Iterator[Watcher]:
    """Return who watches a server of every row."""
    server = serve_module(*leaks.OPTIONS, app=leaks.APP, row=row)
    with closing(Watcher(server, QUICK)) as found:
        yield found


def test_nothing_is_left(watcher: Watcher) -> None:
    left = watcher.left_by(QUICK, COUNT)
    assert left.nothing, str(left)


@pytest.mark.exhaustive
@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_left_of_one_kind(watcher: Watcher, kind: str) -> None:
    left = watcher.left_by([KINDS[kind]], COUNT)
    assert left.nothing, str(left)


def test_what_is_left_is_seen(watcher: Watcher) -> None:
    """An application that keeps each request's send() keeps the server's objects by it."""
    left = watcher.left_by([Abuse(get("/keep"), b"kept")], 20, within=0.5)
    assert not left.nothing
    assert any(kind.startswith("esg.") and n >= 18 for kind, n in left.found.items()), str(left)
