"""What is fuzzed: each target takes an input and raises where something is wrong with ESG.

A target checks what must hold whatever the input is, not only that nothing crashes. It keeps
nothing from one input to the next: an input that was found alone is found again alone.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable

from tests.fuzzing.given import Given

Target = Callable[[Given], None]

# Each is the function `check` of the module of its name.
NAMES = (
    "request_head",
    "chunked_content",
    "http_connection",
    "websocket_connection",
    "connection_faults",
    "frames",
    "deflate",
    "response_head",
    "proxy_headers",
    "proxy_protocol",
    "tls_opening",
    "access_log",
    "settings",
)


def target(name: str) -> Target:
    """Import a target.

    Args:
        name: one of NAMES.

    Raises:
        ModuleNotFoundError: it is about the fast implementation, which is not built.
    """
    check: Target = importlib.import_module(f"tests.fuzzing.targets.{name}").check
    return check
