"""Water marks: memory per connection is bounded, and reading never stops for good."""

from __future__ import annotations

from types import ModuleType

from hypothesis import given
from hypothesis import strategies as st

from tests.rules.twins import rule

flow_control = rule("flow_control")


def test_reading_pauses_at_the_high_mark_and_resumes_at_the_low_one(
    flow_control: ModuleType,
) -> None:
    flow = flow_control.ReadFlow()
    high, low = flow_control.HIGH_WATER, flow_control.LOW_WATER
    assert 0 < low < high <= 65536
    assert not flow.hold(high - 1)
    assert flow.hold(1)
    assert flow.paused
    assert not flow.hold(10), "it is paused already"
    assert not flow.release(10 + high - low - 1)
    assert flow.paused
    assert flow.release(1)
    assert not flow.paused
    assert not flow.release(low), "it has resumed already"
    assert flow.held == 0


def test_reading_pauses_again(flow_control: ModuleType) -> None:
    flow = flow_control.ReadFlow()
    for _ in range(2):
        assert flow.hold(1_000_000)
        assert flow.release(1_000_000)


@given(steps=st.lists(st.tuples(st.booleans(), st.integers(0, 100_000)), max_size=30))
def test_what_is_held_decides(flow_control: ModuleType, steps: list[tuple[bool, int]]) -> None:
    flow = flow_control.ReadFlow()
    held, paused = 0, False
    for arrives, size in steps:
        if arrives:
            held += size
            assert flow.hold(size) == (not paused and held >= flow_control.HIGH_WATER)
            paused = paused or held >= flow_control.HIGH_WATER
        else:
            taken = min(size, held)
            held -= taken
            assert flow.release(taken) == (paused and held <= flow_control.LOW_WATER)
            paused = paused and held > flow_control.LOW_WATER
        assert (flow.held, flow.paused) == (held, paused)
    flow.release(held)
    assert not flow.paused
