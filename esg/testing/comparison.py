"""Compare what an application did on one row with what it did on another."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from difflib import unified_diff
from itertools import zip_longest
from typing import Final

from esg.testing.trace import Trace

_CONTEXT: Final = 3  # lines of agreement around a difference


def assert_same_traces(traces: Mapping[str, Sequence[Trace]]) -> None:
    """Check that an application did the same wherever it was served.

    Args:
        traces: `RecordedApp.traces` by the row's name, or by any other; the first one is what the
            others are compared with. Compare once the servers have stopped: until then calls are
            still running.

    Raises:
        AssertionError: it did not; with the differences, line by line.
        ValueError: there is nothing to compare.
    """
    if len(traces) < 2 or not any(traces.values()):
        raise ValueError(f"nothing to compare: traces of {', '.join(traces) or 'no row'}")
    (first, expected), *others = traces.items()
    differences = [
        f"your application behaves differently on {name} than on {first}:\n" + "\n".join(found)
        for name, actual in others
        if (found := list(_differences(first, expected, name, actual)))
    ]
    if differences:
        raise AssertionError("\n\n".join(differences))


def _differences(
    first: str, expected: Sequence[Trace], name: str, actual: Sequence[Trace]
) -> Iterator[str]:
    """Yield what differs call by call: a call that only one of the two has differs as a whole."""
    for number, (one, other) in enumerate(zip_longest(expected, actual), 1):
        lines, other_lines = ([] if t is None else t.lines() for t in (one, other))
        if lines != other_lines:
            yield f"in call {number}, {(lines or other_lines)[0]}:"
            yield from unified_diff(lines, other_lines, first, name, lineterm="", n=_CONTEXT)
