"""The workers' table: who starts, who leaves, and when. Times are said, not waited for."""

from __future__ import annotations

import math
from collections.abc import Iterable

import pytest

from esg.supervisor.table import (
    FORCED,
    FORGET_AFTER,
    RELOAD_PATIENCE,
    SLACK,
    STABLE_AFTER,
    START_ATTEMPTS,
    UNANSWERED,
    Act,
    Decision,
    Policy,
    State,
    WorkerTable,
)


def made(**policy: float | bool) -> WorkerTable:
    return WorkerTable(Policy(**policy))  # type: ignore[arg-type]


def serving(workers: int = 2, now: float = 0.0, **policy: float) -> WorkerTable:
    """Make a table whose workers 1, 2, ... serve since `now`."""
    table = made(workers=workers, **policy)
    table.decide(now)
    for number in tuple(table.members):
        table.ready(number, now)
    assert table.decide(now) == []
    return table


def starts(decisions: Iterable[Decision]) -> list[int]:
    return [number for act, number in decisions if act is Act.START]


def has_old(table: WorkerTable) -> bool:
    return table.has_old


def state(table: WorkerTable, number: int) -> State:
    return table.members[number].state


def test_all_start_together() -> None:
    table = made(workers=3)
    assert table.decide(0) == [(Act.START, 1), (Act.START, 2), (Act.START, 3)]
    assert table.decide(0) == []
    assert table.deadline(0) == math.inf


def test_a_renewal_replaces_one_after_the_other() -> None:
    table = serving(2)
    table.renew(5)
    assert table.decide(5) == [(Act.START, 3)]
    assert table.decide(5) == []  # the old ones serve on until it is ready
    table.ready(3, 6)
    assert table.decide(6) == [(Act.START, 4), (Act.RETIRE, 1)]
    assert state(table, 1) is State.RETIRING
    assert not table.ended(1, 7)
    table.ready(4, 8)
    assert table.decide(8) == [(Act.RETIRE, 2)]
    assert table.renewing is False


def test_a_renewal_ends_who_has_not_started() -> None:
    table = made(workers=2)
    table.decide(0)
    table.ready(1, 1)
    table.renew(2)
    assert table.decide(2) == [(Act.TERMINATE, 2), (Act.START, 3)]
    assert table.renewing
    table.ended(2, 3)
    table.ready(3, 3)
    assert starts(table.decide(3)) == [4]


def test_a_marked_worker_leaves_once_another_serves() -> None:
    table = serving(2)
    assert table.mark(1, "it has had 10 requests")
    assert not table.mark(1, "it is old")
    assert table.members[1].marked == "it has had 10 requests"
    assert table.decide(1) == [(Act.START, 3)]
    table.ready(3, 2)
    assert table.decide(2) == [(Act.RETIRE, 1)]


def test_a_worker_that_has_died_is_replaced_at_once() -> None:
    table = serving(2)
    assert table.ended(1, STABLE_AFTER)
    assert table.decide(STABLE_AFTER) == [(Act.START, 3)]


def test_those_that_die_again_and_again_wait_longer() -> None:
    table = serving(1)
    now = 1.0
    waits = []
    for _ in range(9):
        (number,) = table.members
        table.ended(number, now)
        before = now
        if not table.decide(now):
            now = table.deadline(now)
            assert len(starts(table.decide(now))) == 1
        waits.append(now - before)
        (number,) = table.members
        table.ready(number, now)
        now += 1
    assert waits == [0, 0.5, 1, 2, 5, 10, 30, 30, 30]
    now += STABLE_AFTER
    (number,) = table.members
    table.ended(number, now)
    assert len(starts(table.decide(now))) == 1


def test_a_failure_long_ago_does_not_count() -> None:
    table = serving(2)
    table.ended(1, 1)
    assert starts(table.decide(1)) == [3]
    table.ended(3, 1 + FORGET_AFTER, "no database")
    assert starts(table.decide(1 + FORGET_AFTER)) == [4]


def test_after_failures_one_starts_at_a_time() -> None:
    table = serving(3)
    for number in (1, 2):
        table.ended(number, 1)
    assert starts(table.decide(1)) == []
    assert starts(table.decide(table.deadline(1))) == [4]
    assert starts(table.decide(2)) == []
    table.ready(4, 3)
    assert starts(table.decide(3)) == [5]


def test_the_first_reported_failure_of_the_first_start_ends_all() -> None:
    table = made(workers=2)
    table.decide(0)
    table.ended(1, 1, "module 'x' not found")
    assert table.failure == "module 'x' not found"
    assert table.decide(1) == [(Act.TERMINATE, 2)]
    assert not table.finished
    table.ended(2, 2, "module 'x' not found")
    assert table.finished


def test_a_crash_loop_at_the_start_ends_all() -> None:
    table = made(workers=1)
    now = 0.0
    for attempt in range(1, START_ATTEMPTS + 1):
        (number,) = starts(table.decide(now))
        table.ended(number, now)
        assert table.finished == (attempt == START_ATTEMPTS)
        now = now if table.deadline(now) == math.inf else table.deadline(now)
    assert table.failure == "the workers end before they serve"
    assert starts(table.decide(now)) == []


def test_while_one_serves_starts_are_tried_for_ever() -> None:
    table = serving(2)
    table.ended(1, 0)
    now = 0.0
    for _ in range(3 * START_ATTEMPTS):
        (number,) = starts(table.decide(now))
        assert table.ended(number, now, "no database")
        now = table.deadline(now)
    assert not table.stopping


def test_a_renewal_that_fails_keeps_who_serves() -> None:
    table = serving(2)
    table.renew(1)
    (new,) = starts(table.decide(1))
    assert table.ended(new, 2, "a syntax error")
    assert has_old(table)
    table.keep_old()
    assert not has_old(table)
    assert not table.renewing
    assert table.decide(100) == []


def test_more_and_fewer() -> None:
    table = serving(2)
    table.resize(3)
    assert table.decide(1) == [(Act.START, 3)]
    table.ready(3, 2)
    assert table.decide(2) == []
    table.resize(2)
    assert table.decide(3) == [(Act.RETIRE, 1)]  # the oldest
    table.resize(0)
    assert table.decide(4) == [(Act.RETIRE, 2)]
    assert table.wanted == 1


def test_who_leaves_by_itself_is_replaced_at_once() -> None:
    table = serving(2, stop_bound=5)
    assert table.leave(1, 3)
    assert state(table, 1) is State.RETIRING
    assert table.decide(3) == [(Act.START, 3)]
    assert not table.leave(1, 4)  # it may be told twice
    table.ready(3, 4)
    assert table.decide(4) == []
    assert not table.ended(1, 5)
    assert table.decide(5) == []


def test_who_leaves_by_itself_has_the_time_of_a_stop() -> None:
    table = serving(1, stop_bound=5)
    table.leave(1, 3)
    assert (Act.KILL, 1) in table.decide(3 + 5 + SLACK)


def test_who_has_not_served_cannot_leave() -> None:
    table = made(workers=1)
    table.decide(0)
    assert not table.leave(1, 1)
    assert state(table, 1) is State.STARTING


def test_age() -> None:
    table = serving(2, max_age=60)
    assert table.deadline(1) == 60
    assert table.decide(59) == []
    assert table.decide(60) == [(Act.ANNOUNCE, 1), (Act.ANNOUNCE, 2), (Act.START, 3)]
    table.ready(3, 61)
    assert table.decide(61) == [(Act.START, 4), (Act.RETIRE, 1)]


def test_a_blocked_loop() -> None:
    table = serving(2, silence=30)
    table.beat(2, 20)
    assert table.decide(30) == []
    assert table.decide(31) == [(Act.DUMP, 1), (Act.TERMINATE, 1), (Act.START, 3)]
    assert table.members[1].marked == "its event loop has been blocked for 31.0 s"
    assert table.deadline(31) == 31 + UNANSWERED
    assert table.decide(31 + UNANSWERED) == [(Act.KILL, 1)]
    assert not table.ended(1, 34)


def test_a_loop_that_goes_on_has_the_time_of_a_stop() -> None:
    table = serving(1, silence=30, stop_bound=10)
    table.decide(31)
    table.beat(1, 32)
    assert table.deadline(32) == 32 + 10 + SLACK


def test_start_up_may_take_as_long_as_it_wants() -> None:
    table = made(workers=1, silence=30)
    table.decide(0)
    assert table.decide(10_000) == []


def test_stop() -> None:
    table = serving(2, stop_bound=40)
    table.stop(1)
    assert table.decide(1) == [(Act.TERMINATE, 1), (Act.TERMINATE, 2)]
    assert not table.ended(1, 2)
    assert table.deadline(2) == 41 + SLACK
    assert table.decide(41 + SLACK) == [(Act.KILL, 2)]
    table.ended(2, 60)
    assert table.finished
    assert table.failure == ""


def test_stop_at_once() -> None:
    table = serving(1)
    table.stop(1)
    table.stop(2)
    assert table.decide(2) == [(Act.TERMINATE, 1), (Act.TERMINATE, 1), (Act.FORCE, 1)]
    assert table.deadline(2) == 2 + FORCED


def test_a_stop_without_a_bound_waits() -> None:
    table = serving(1)
    table.stop(1)
    table.decide(1)
    assert table.deadline(1) == math.inf


def test_who_retires_for_too_long_is_killed() -> None:
    table = serving(1, stop_bound=10)
    table.mark(1, "it is old")
    (new,) = starts(table.decide(1))
    table.ready(new, 2)
    assert table.decide(2) == [(Act.RETIRE, 1)]
    assert table.decide(2 + 10 + SLACK) == [(Act.KILL, 1)]


def test_a_reload_waits_for_the_end_of_the_old_one() -> None:
    table = made(reload=True, stop_bound=10)
    assert table.decide(0) == [(Act.START, 1)]
    table.ready(1, 1)
    table.renew(2)
    assert table.decide(2) == [(Act.TERMINATE, 1)]
    assert table.decide(2 + RELOAD_PATIENCE) == [(Act.FORCE, 1)]
    assert not table.ended(1, 4)
    assert table.decide(4) == [(Act.START, 2)]


@pytest.mark.parametrize("failure", ["a syntax error", ""])
def test_a_reload_that_fails_waits_for_the_next_change(failure: str) -> None:
    table = made(reload=True)
    table.decide(0)
    assert table.ended(1, 1, failure)
    assert table.decide(100) == []
    assert not table.stopping
    table.renew(101)
    assert table.decide(101) == [(Act.START, 2)]


def test_a_change_during_the_start_starts_again() -> None:
    table = made(reload=True)
    table.decide(0)
    table.renew(1)
    assert table.decide(1) == [(Act.TERMINATE, 1)]
    table.ended(1, 2)
    assert table.decide(2) == [(Act.START, 2)]


def test_late_news_changes_nothing() -> None:
    table = serving(1)
    table.stop(1)
    table.ready(1, 2)
    assert state(table, 1) is State.STOPPING
    assert not table.mark(1, "it is old")


def test_who_has_ended_is_told_nothing_more() -> None:
    table = serving(2)
    table.stop(1)
    assert not table.ended(1, 1)
    assert table.decide(1) == [(Act.TERMINATE, 2)]


def test_a_blocked_loop_of_one_that_retires() -> None:
    table = serving(1, silence=30)
    table.mark(1, "it is old")
    (new,) = starts(table.decide(1))
    table.ready(new, 2)
    table.decide(2)
    table.beat(new, 31)
    assert table.decide(31) == [(Act.DUMP, 1), (Act.TERMINATE, 1)]
