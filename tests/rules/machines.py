"""Both twins of a state table, driven side by side by a hypothesis state machine."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import settings

from esg.errors import ClientDisconnected, MessageError

# As a test's examples: the same in every run, however busy the machine.
SETTINGS = settings(
    max_examples=60, stateful_step_count=30, deadline=None, derandomize=True, database=None
)


class Both:
    """Do the same to every twin; all must answer alike.

    Args:
        tables: the twins, each with its own record of what it asked for.
    """

    def __init__(self, tables: list[tuple[Any, list[Any]]]) -> None:
        self._tables = tables

    @property
    def log(self) -> list[Any]:
        """What the table has asked for so far."""
        return self._tables[0][1]

    def __getattr__(self, name: str) -> Any:
        """Return an attribute of the table."""
        values = [getattr(table, name) for table, _ in self._tables]
        assert all(value == values[0] for value in values), (name, values)
        return values[0]

    def do(self, act: Callable[[Any], Any]) -> Any:
        """Act on each; return the result, or the error of those that `send()` may raise."""
        outcomes = [_outcome(act, table) for table, _ in self._tables]
        logs = [log for _, log in self._tables]
        assert all(outcome == outcomes[0] for outcome in outcomes), outcomes
        assert all(log == logs[0] for log in logs), logs
        error, result = outcomes[0]
        return error or result


def _outcome(act: Callable[[Any], Any], table: Any) -> tuple[str, Any]:
    try:
        return "", act(table)
    except (MessageError, TypeError, ClientDisconnected) as error:
        return f"{type(error).__name__}: {error}", None
