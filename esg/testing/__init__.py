"""Test an application, a framework or a server: live servers, traces, and an ASGI validator.

Nothing here needs pytest; its plugin is `_esg_pytest_plugin`.
"""

from __future__ import annotations

from esg.testing.comparison import assert_same_traces
from esg.testing.live_server import LiveServer, NotStopped, StartServer, serve
from esg.testing.recorder import RecordedApp, record
from esg.testing.rows import available_rows
from esg.testing.trace import Trace
from esg.testing.validator import ValidatedApp, validate
from esg.testing.violation import ASGIViolation

__all__ = [
    "ASGIViolation",
    "LiveServer",
    "NotStopped",
    "RecordedApp",
    "StartServer",
    "Trace",
    "ValidatedApp",
    "assert_same_traces",
    "available_rows",
    "record",
    "serve",
    "validate",
]
