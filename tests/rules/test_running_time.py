"""When an application is cancelled for its time, or for its client's."""

from __future__ import annotations

from types import ModuleType

import pytest

from tests.rules.twins import rule

running_time = rule("running_time")


def test_nothing_bounds_it(running_time: ModuleType) -> None:
    running = running_time.RunningTime(0, -1, 100)
    assert running.expired(1e9, False) == running_time.NONE
    assert running.expired(1e9, True) == running_time.NONE


def test_its_limit(running_time: ModuleType) -> None:
    running = running_time.RunningTime(5, -1, 100)
    assert running.expired(104.9, True) == running_time.NONE
    assert running.expired(105, True) == running_time.TOO_LONG


def test_its_clients_departure(running_time: ModuleType) -> None:
    running = running_time.RunningTime(0, 3, 100)
    assert running.expired(200, False) == running_time.NONE
    assert running.expired(201, True) == running_time.NONE
    assert running.expired(203.9, True) == running_time.NONE, "the grace begins when it is seen"
    assert running.expired(204, True) == running_time.CLIENT_LEFT


def test_no_grace(running_time: ModuleType) -> None:
    running = running_time.RunningTime(0, 0, 100)
    assert running.expired(100, True) == running_time.CLIENT_LEFT


def test_a_client_that_has_left_stays_away(running_time: ModuleType) -> None:
    running = running_time.RunningTime(0, 3, 100)
    assert running.expired(101, True) == running_time.NONE
    assert running.expired(104, False) == running_time.CLIENT_LEFT


@pytest.mark.parametrize("left", [True, False])
def test_both_bounds(running_time: ModuleType, left: bool) -> None:
    running = running_time.RunningTime(5, 1, 100)
    assert running.expired(103, left) == running_time.NONE
    wanted = running_time.CLIENT_LEFT if left else running_time.TOO_LONG
    assert running.expired(106, left) == wanted


def test_an_application_that_goes_on(running_time: ModuleType) -> None:
    for left, why in ((False, running_time.TOO_LONG), (True, running_time.CLIENT_LEFT)):
        running = running_time.RunningTime(5, 0, 100)
        assert running.expired(106, left) == why
        for now in (106, 107):
            assert running.expired(now, left) == running_time.GOES_ON
