"""Timeouts as data: RFC 9112 section 9.5, RFC 9110 section 15.5.9."""

from __future__ import annotations

from math import inf
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.rules.twins import rule

deadlines = rule("deadlines")

HTTP_SECONDS = {"HEAD": 10.0, "IDLE": 5.0, "BODY": 60.0, "WRITE": 30.0, "LINGER": 2.0}
SECONDS = HTTP_SECONDS | {"ACCEPT": 11.0, "PING": 20.0, "PONG": 21.0, "CLOSE": 12.0}
SECONDS["ANSWER"] = 1.0
FIXED = ("LINGER", "ANSWER")
READING = tuple(name for name in SECONDS if name != "WRITE")


def make(deadlines: ModuleType, **seconds: float) -> Any:
    """Make the timers of a connection."""
    values = {name.lower(): value for name, value in SECONDS.items() if name not in FIXED}
    return deadlines.Deadlines(deadlines.Timeouts(**(values | seconds)))


@pytest.mark.parametrize("name", SECONDS)
def test_timer_runs_out_after_its_time(deadlines: ModuleType, name: str) -> None:
    timers = make(deadlines)
    timer = getattr(deadlines, name)
    timers.arm(timer, 100.0)
    assert timers.next() == 100.0 + SECONDS[name]
    assert timers.expired(100.0) == deadlines.NONE
    assert timers.expired(100.0 + SECONDS[name] - 0.001) == deadlines.NONE
    assert timers.expired(100.0 + SECONDS[name]) == timer
    assert timers.expired(1e9) == timer


def test_nothing_runs_at_first(deadlines: ModuleType) -> None:
    timers = make(deadlines)
    assert timers.next() == inf
    assert timers.expired(1e9) == deadlines.NONE


@pytest.mark.parametrize("name", [name for name in SECONDS if name not in FIXED])
def test_zero_switches_a_timer_off(deadlines: ModuleType, name: str) -> None:
    timers = make(deadlines, **{name.lower(): 0})
    timers.arm(getattr(deadlines, name), 100.0)
    assert timers.next() == inf
    assert timers.expired(1e9) == deadlines.NONE


@pytest.mark.parametrize("first", READING)
@pytest.mark.parametrize("second", READING)
def test_reading_timers_replace_each_other(deadlines: ModuleType, first: str, second: str) -> None:
    timers = make(deadlines)
    timers.arm(getattr(deadlines, first), 100.0)
    timers.arm(getattr(deadlines, second), 200.0)
    assert timers.expired(200.0) == deadlines.NONE
    assert timers.expired(1e9) == getattr(deadlines, second)
    assert timers.next() == 200.0 + SECONDS[second]


@pytest.mark.parametrize("name", READING)
def test_timer_that_is_off_replaces_one_that_runs(deadlines: ModuleType, name: str) -> None:
    """Else a request would be cut by the timeout of the wait before it."""
    timers = make(deadlines, body=0)
    timers.arm(getattr(deadlines, name), 100.0)
    timers.arm(deadlines.BODY, 101.0)
    assert timers.expired(1e9) == deadlines.NONE


def test_writing_and_reading_run_side_by_side(deadlines: ModuleType) -> None:
    timers = make(deadlines)
    timers.arm(deadlines.WRITE, 100.0)  # until 130
    timers.arm(deadlines.BODY, 60.0)  # until 120
    assert timers.next() == 120.0
    assert timers.expired(125.0) == deadlines.BODY
    assert timers.expired(130.0) == deadlines.WRITE
    timers.stop_writing()
    assert timers.expired(130.0) == deadlines.BODY
    timers.arm(deadlines.WRITE, 100.0)
    timers.stop_reading()
    assert timers.next() == 130.0
    assert timers.expired(125.0) == deadlines.NONE
    assert timers.expired(130.0) == deadlines.WRITE


def test_stopped_timer_never_runs_out(deadlines: ModuleType) -> None:
    timers = make(deadlines)
    timers.arm(deadlines.HEAD, 0.0)
    timers.arm(deadlines.WRITE, 0.0)
    timers.stop_reading()
    timers.stop_writing()
    assert timers.next() == inf
    assert timers.expired(1e9) == deadlines.NONE


times = st.floats(0, 1e6)
steps = st.lists(
    st.tuples(st.sampled_from([*SECONDS, "stop_reading", "stop_writing"]), times), max_size=12
)


@given(steps=steps, now=times, timeouts=st.tuples(*[st.just(0.0) | st.floats(0.01, 1e4)] * 4))
def test_timers_agree_with_a_table(
    deadlines: ModuleType, steps: list[tuple[str, float]], now: float, timeouts: tuple[float, ...]
) -> None:
    seconds = dict(zip(("HEAD", "IDLE", "BODY", "WRITE"), timeouts, strict=True))
    timers = make(deadlines, **{name.lower(): value for name, value in seconds.items()})
    ends = {"stop_writing": ("NONE", inf), "stop_reading": ("NONE", inf)}  # by what ends them
    for name, time in steps:
        if name.startswith("stop"):
            getattr(timers, name)()
            ends[name] = ("NONE", inf)
        else:
            timers.arm(getattr(deadlines, name), time)
            lasts = (SECONDS | seconds)[name] or inf
            ends["stop_writing" if name == "WRITE" else "stop_reading"] = (name, time + lasts)
            if name == "WRITE" and ends["stop_reading"][0] == "PONG":
                ends["stop_reading"] = ("PONG", time + SECONDS["PONG"])
    assert timers.next() == min(end for _, end in ends.values())
    due = [name for name, end in ends.values() if end <= now]
    assert timers.expired(now) == getattr(deadlines, (due or ["NONE"])[0])


@pytest.mark.parametrize(
    ("seconds", "interval"),
    [
        pytest.param((10, 5, 60, 60), 1.0, id="the configuration's: a second"),
        pytest.param((0, 0, 0, 0), 1.0, id="none: held starts still go out"),
        pytest.param((0, 2, 0, 0), 0.5, id="a quarter of the shortest"),
        pytest.param((1, 2, 3, 0.4), 0.1, id="of any of them"),
        pytest.param((0.01, 5, 60, 60), 0.05, id="not for ever shorter"),
    ],
)
def test_sweeps_are_as_frequent_as_the_shortest_timeout_needs(
    deadlines: ModuleType, seconds: tuple[float, float, float, float], interval: float
) -> None:
    head, idle, body, write = seconds
    assert deadlines.Timeouts(head, idle, body, write).sweep_interval == pytest.approx(interval)


@pytest.mark.parametrize("name", ["accept", "ping", "pong", "close"])
def test_a_websockets_timeouts_count_too(deadlines: ModuleType, name: str) -> None:
    timeouts = deadlines.Timeouts(10, 5, 60, 60, **{name: 0.4})
    assert timeouts.sweep_interval == pytest.approx(0.1)


def test_a_stop_gives_a_connection_that_was_just_used_little_time(deadlines: ModuleType) -> None:
    timers = make(deadlines)
    for timer in (deadlines.IDLE, deadlines.HEAD):
        timers.arm(timer, 100.0)
        assert not timers.drain(100.5)
        assert timers.next() == 100.0 + deadlines.DRAIN_TIMEOUT
        assert timers.expired(100.5) == deadlines.NONE
        assert timers.expired(101.0) == timer


def test_a_stop_gives_one_that_was_not_no_time(deadlines: ModuleType) -> None:
    timers = make(deadlines)
    timers.arm(deadlines.IDLE, 100.0)
    assert timers.drain(101.0)


def test_a_stop_makes_no_timeout_longer(deadlines: ModuleType) -> None:
    timers = make(deadlines, idle=0.3)
    timers.arm(deadlines.IDLE, 100.0)
    assert not timers.drain(100.1)
    assert timers.next() == pytest.approx(100.3)
    assert timers.drain(100.4)


def test_a_stop_ends_what_has_no_timeout(deadlines: ModuleType) -> None:
    timers = make(deadlines, idle=0, drain=0.5)
    timers.arm(deadlines.IDLE, 100.0)
    assert not timers.drain(100.1)
    assert timers.expired(100.5) == deadlines.IDLE


def test_a_request_that_comes_after_all_has_its_own_time(deadlines: ModuleType) -> None:
    timers = make(deadlines)
    timers.arm(deadlines.IDLE, 100.0)
    timers.drain(100.5)
    timers.arm(deadlines.HEAD, 100.9)
    assert timers.next() == 100.9 + SECONDS["HEAD"]


def test_sweeps_for_a_timeout_of_others(deadlines: ModuleType) -> None:
    timeouts = deadlines.Timeouts(10, 5, 60, 60)
    timeouts.sweep_for(0)
    assert timeouts.sweep_interval == 1
    timeouts.sweep_for(2)
    assert timeouts.sweep_interval == pytest.approx(0.5)
    timeouts.sweep_for(3)
    assert timeouts.sweep_interval == pytest.approx(0.5)


def test_write_timer_runs_from_when_it_is_armed(deadlines: ModuleType) -> None:
    timers = make(deadlines)
    assert not timers.watches_client()
    timers.arm(deadlines.WRITE, 100.0)
    assert timers.watches_client()
    timers.stop_writing()
    assert not timers.watches_client()


def test_write_timer_restarts_as_the_client_takes_bytes(deadlines: ModuleType) -> None:
    timers = make(deadlines)
    timers.arm(deadlines.WRITE, 100.0)
    timers.untaken(5000, 110.0)  # the first look compares with nothing
    assert timers.next() == 100.0 + SECONDS["WRITE"]
    timers.untaken(4999, 120.0)
    assert timers.next() == 120.0 + SECONDS["WRITE"]
    timers.untaken(4999, 130.0)
    timers.untaken(6000, 131.0)  # more has been written
    assert timers.next() == 120.0 + SECONDS["WRITE"]
    timers.untaken(5999, 132.0)
    assert timers.next() == 132.0 + SECONDS["WRITE"]


def test_what_an_earlier_wait_left_untaken_is_forgotten(deadlines: ModuleType) -> None:
    timers = make(deadlines)
    timers.arm(deadlines.WRITE, 100.0)
    timers.untaken(5000, 101.0)
    timers.arm(deadlines.WRITE, 110.0)
    timers.untaken(10, 120.0)
    assert timers.next() == 110.0 + SECONDS["WRITE"]


def test_a_client_that_takes_bytes_has_time_to_come_to_the_ping(deadlines: ModuleType) -> None:
    timers = deadlines.Deadlines(deadlines.Timeouts(10, 5, 60, 60, ping=20, pong=20))
    timers.arm(deadlines.PONG, 100.0)
    timers.untaken(5000, 110.0)
    assert timers.next() == 120.0
    timers.arm(deadlines.WRITE, 110.0)
    assert timers.next() == 130.0
    timers.untaken(5000, 115.0)
    assert timers.next() == 130.0
    timers.untaken(4999, 125.0)
    assert timers.next() == 145.0
    assert timers.expired(145.0) == deadlines.PONG


def test_a_ping_behind_bytes_that_the_kernel_has(deadlines: ModuleType) -> None:
    timers = deadlines.Deadlines(deadlines.Timeouts(10, 5, 60, 60, ping=20, pong=20))
    timers.arm(deadlines.PONG, 100.0)
    assert timers.watches_client()
    timers.untaken(5000, 110.0)
    assert timers.next() == 120.0
    timers.untaken(4999, 115.0)
    assert timers.next() == 135.0
    timers.untaken(0, 120.0)  # the ping has arrived
    assert not timers.watches_client()
    timers.arm(deadlines.WRITE, 121.0)
    timers.untaken(3000, 122.0)
    timers.untaken(2000, 123.0)
    assert timers.next() == 135.0


def test_a_ping_that_has_its_answer_waits_no_more(deadlines: ModuleType) -> None:
    timers = deadlines.Deadlines(deadlines.Timeouts(10, 5, 60, 60, ping=20, pong=20))
    for act in (timers.stop_reading, lambda: timers.arm(deadlines.PING, 100.0)):
        timers.arm(deadlines.PONG, 100.0)
        act()
        assert not timers.watches_client()


def test_other_timers_do_not_restart_as_bytes_are_taken(deadlines: ModuleType) -> None:
    timers = deadlines.Deadlines(deadlines.Timeouts(10, 5, 60, 60, ping=20, pong=20))
    timers.arm(deadlines.PING, 100.0)
    timers.arm(deadlines.WRITE, 110.0)
    assert timers.next() == 120.0
