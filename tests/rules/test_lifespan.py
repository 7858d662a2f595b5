"""The lifespan state table: ASGI lifespan protocol 2.0."""

from __future__ import annotations

from types import MappingProxyType, ModuleType
from typing import Any

import pytest

from esg.errors import MessageError
from tests.rules.twins import rule

lifespan = rule("lifespan")

STATES = (
    *("IDLE", "STARTING", "STARTED", "STOPPING", "STOPPED"),
    *("UNSUPPORTED", "BROKEN", "FAILED"),
)
MESSAGES = (
    "lifespan.startup.complete",
    "lifespan.startup.failed",
    "lifespan.shutdown.complete",
    "lifespan.shutdown.failed",
)
STEPS: dict[str, list[str]] = {
    "IDLE": [],
    "STARTING": ["startup_taken"],
    "STARTED": ["startup_taken", "lifespan.startup.complete"],
    "STOPPING": ["startup_taken", "lifespan.startup.complete", "shutdown_taken"],
    "STOPPED": ["startup_taken", "lifespan.startup.complete", "ended"],
    "UNSUPPORTED": ["ended"],
    "BROKEN": ["startup_taken", "ended"],
    "FAILED": ["startup_taken", "lifespan.startup.failed"],
}
ALLOWED = {
    ("STARTING", "lifespan.startup.complete"): "STARTED",
    ("STARTING", "lifespan.startup.failed"): "FAILED",
    ("STOPPING", "lifespan.shutdown.complete"): "STOPPED",
    ("STOPPING", "lifespan.shutdown.failed"): "STOPPED",
}


def reach(lifespan: ModuleType, state: str, required: bool = False) -> Any:
    """Bring a lifespan into a state."""
    table = lifespan.LifespanTable(required)
    for step in STEPS[state]:
        if step.startswith("lifespan."):
            table.send({"type": step})
        else:
            getattr(table, step)()
    assert table.state == getattr(lifespan, state)
    return table


def test_states_differ(lifespan: ModuleType) -> None:
    assert len({getattr(lifespan, state) for state in STATES}) == len(STATES)


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("message", [*MESSAGES, "lifespan.startup", "http.response.start", None])
def test_message(lifespan: ModuleType, state: str, message: str | None) -> None:
    table = reach(lifespan, state)
    becomes = ALLOWED.get((state, str(message)))
    if becomes is None:
        with pytest.raises(MessageError, match="lifespan"):
            table.send({"type": message} if message else {})
    else:
        table.send({"type": message, "extra": 1})
    assert table.state == getattr(lifespan, becomes or state)


@pytest.mark.parametrize("message", [None, 1, [], "lifespan.startup.complete"])
def test_message_is_a_mapping(lifespan: ModuleType, message: object) -> None:
    table = reach(lifespan, "STARTING")
    with pytest.raises((TypeError, AttributeError, MessageError)):
        table.send(message)
    assert table.state == lifespan.STARTING


def test_any_mapping_will_do(lifespan: ModuleType) -> None:
    table = reach(lifespan, "STARTING")
    table.send(MappingProxyType({"type": "lifespan.startup.complete"}))
    assert table.state == lifespan.STARTED


@pytest.mark.parametrize(
    ("state", "message", "fields", "said"),
    [
        pytest.param("STARTING", "lifespan.startup.failed", {"message": "no db"}, "no db", id="x"),
        pytest.param("STARTING", "lifespan.startup.failed", {}, "", id="ASGI: defaults to nothing"),
        pytest.param(
            "STARTING", "lifespan.startup.complete", {"message": "x"}, "", id="no failure"
        ),
        pytest.param("STOPPING", "lifespan.shutdown.failed", {"message": "no"}, "no", id="y"),
        pytest.param(
            "STOPPING", "lifespan.shutdown.failed", {}, "no message", id="still a failure"
        ),
        pytest.param("STOPPING", "lifespan.shutdown.complete", {}, "", id="a clean shutdown"),
    ],
)
def test_failure_is_told(
    lifespan: ModuleType, *, state: str, message: str, fields: dict[str, str], said: str
) -> None:
    table = reach(lifespan, state)
    table.send({"type": message, **fields})
    assert table.message == said


ENDS = {
    "IDLE": ("UNSUPPORTED", "FAILED"),
    "STARTING": ("BROKEN", "FAILED"),
    "STARTED": ("STOPPED", "STOPPED"),
    "STOPPING": ("STOPPED", "STOPPED"),
    "STOPPED": ("STOPPED", "STOPPED"),
    "FAILED": ("FAILED", "FAILED"),
}


@pytest.mark.parametrize("required", [False, True], ids=["auto", "on"])
@pytest.mark.parametrize("state", ENDS)
def test_end_of_the_application(lifespan: ModuleType, state: str, required: bool) -> None:
    table = reach(lifespan, state, required)
    table.ended()
    assert table.state == getattr(lifespan, ENDS[state][required])


@pytest.mark.parametrize("state", ["UNSUPPORTED", "BROKEN"])
def test_end_is_final(lifespan: ModuleType, state: str) -> None:
    table = reach(lifespan, state)
    table.ended()
    assert table.state == getattr(lifespan, state)
