"""Server names that are no ASCII, which Python reports as if they were faults of the program.

Where certificates are chosen by name, a client that sends such a name has its handshake fail, as it
should; but Python also writes a traceback to standard error, before anybody can keep it from that.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def report_no_unreadable_names() -> None:
    """Leave out of Python's reports what clients can cause in this way, and nothing else."""
    if not isinstance(sys.unraisablehook, _Hook):
        sys.unraisablehook = _Hook(sys.unraisablehook)


class _Hook:
    """Stand in front of another `sys.unraisablehook`."""

    def __init__(self, other: Callable[[sys.UnraisableHookArgs], object]) -> None:
        self._other = other

    def __call__(self, report: sys.UnraisableHookArgs) -> None:
        if not _is_of_a_name(report):
            self._other(report)


def _is_of_a_name(report: sys.UnraisableHookArgs) -> bool:
    if isinstance(report.exc_value, UnboundLocalError):  # which PyPy then stumbles over
        return "servername_str" in str(report.exc_value)
    return isinstance(report.exc_value, UnicodeDecodeError) and isinstance(report.object, bytes)
