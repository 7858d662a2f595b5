"""Who accepts the next connection: even loads, whoever is slow, blocked or leaving."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random

import pytest

from esg.load_sharing import LoadShare, WorkerPage


@pytest.fixture
def page() -> Iterator[WorkerPage]:
    made = WorkerPage()
    yield made
    made.close()


def shares_of(page: WorkerPage, count: int) -> list[LoadShare]:
    for slot in range(count):
        page.clear(slot)
    shares = [LoadShare(page, slot) for slot in range(count)]
    for share in shares:
        share.join()
    return shares


def test_somebody_who_is_passed_over_meanwhile(page: WorkerPage) -> None:
    """Between its join and its look at the others, one of them takes it out."""
    share = LoadShare(page, 0)
    page.clear(0)
    assert share._fair_number() == 0


class Workers:
    """Let workers accept what is waiting, as the drivers do."""

    def __init__(self, page: WorkerPage, count: int) -> None:
        self.shares = shares_of(page, count)
        self.open = [0] * count
        self.now = 0.0

    def accept(self, worker: int, waiting: int) -> int:
        """Let one of them have its turn; return how many it has accepted."""
        share = self.shares[worker]
        new = min(waiting, share.room(self.open[worker], self.now))
        self.open[worker] += new
        share.accepted(self.open[worker], new)
        return new

    def accept_all(self, waiting: int, turns: Callable[[int], int]) -> int:
        """Let them have their turns until nothing waits; return how many turns that took."""
        taken = 0
        while waiting:
            waiting -= self.accept(turns(taken), waiting)
            self.now += 0.001
            taken += 1
            assert taken < 10_000
        return taken


@pytest.mark.parametrize(
    "turns",
    [lambda turn: turn % 4, lambda turn: Random(turn).randrange(4), lambda turn: turn // 5 % 4],
    ids=["round", "any", "in a row"],
)
def test_connections_are_shared_evenly(page: WorkerPage, turns: Callable[[int], int]) -> None:
    workers = Workers(page, 4)
    taken = workers.accept_all(256, turns)
    assert max(workers.open) <= 1.2 * 64
    assert taken < 256  # each turn takes more where there are more


def test_who_has_least_takes_what_comes(page: WorkerPage) -> None:
    workers = Workers(page, 4)
    workers.accept_all(64, lambda turn: turn % 4)
    workers.open[2] = 0
    workers.shares[2].set_open(0)
    assert workers.accept(0, 1) == 0
    assert workers.accept(2, 1) == 1


def test_a_few_are_shared_to_the_connection(page: WorkerPage) -> None:
    workers = Workers(page, 4)
    workers.accept_all(8, lambda turn: turn % 4)
    assert sorted(workers.open) == [2, 2, 2, 2]


def test_alone_everything_is_ours(page: WorkerPage) -> None:
    workers = Workers(page, 1)
    assert workers.accept_all(1000, lambda _: 0) < 100


def test_one_that_is_blocked_is_waited_for_once(page: WorkerPage) -> None:
    workers = Workers(page, 3)
    waited = workers.accept_all(2, lambda turn: turn % 2) + workers.accept_all(
        2, lambda turn: turn % 2
    )
    assert waited > 50
    assert workers.accept_all(20, lambda turn: turn % 2) < 40
    assert sorted(workers.open) == [0, 12, 12]
    assert workers.accept(2, 1) == 1  # it is back
    assert workers.accept(0, 1) == 0  # and counts again


def test_the_wait_begins_again_when_somebody_accepts(page: WorkerPage) -> None:
    workers = Workers(page, 2)
    assert workers.accept(0, 1) == 1
    for _ in range(10):
        for _ in range(50):
            assert workers.accept(0, 1) == 0
        workers.open[1] = 0
        workers.shares[1].set_open(0)
        assert workers.accept(1, 1) == 1
        workers.shares[1].set_open(0)


def test_two_waits_are_not_one(page: WorkerPage) -> None:
    workers = Workers(page, 2)
    workers.accept(0, 1)
    for _ in range(500):
        workers.now += 2  # nothing has come for so long
        assert workers.accept(0, 1) == 0


def test_who_leaves_does_not_count(page: WorkerPage) -> None:
    workers = Workers(page, 2)
    workers.accept(0, 1)
    assert workers.accept(0, 1) == 0
    workers.shares[1].leave()
    assert workers.accept(0, 1) == 1


def test_a_page_is_shared_by_its_descriptor(page: WorkerPage) -> None:
    import os  # noqa: PLC0415 - for this test alone

    other = WorkerPage(os.dup(page.descriptor))
    page.clear(3)
    LoadShare(other, 3).beat(12.5)
    LoadShare(other, 3).set_open(7)
    assert (page.beats[3], page.connections[3], other.used) == (12.5, 7, 4)
    page.clear(3)
    assert (page.beats[3], page.connections[3]) == (0.0, 0)
    other.close()
