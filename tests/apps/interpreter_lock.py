"""An application that holds Python's global interpreter lock for good, as faulty C code may.

/hold     does that, in a way that no signal's handler can interrupt
"""

from __future__ import annotations

import ctypes
import os
import sys

from esg.asgi import Receive, Scope, Send
from tests.apps import processes


def hold_for_good() -> None:
    """Lock a mutex twice, in calls that do not let go of the interpreter."""
    c_library = ctypes.PyDLL(None)
    mutex = ctypes.create_string_buffer(64)  # PTHREAD_MUTEX_INITIALIZER is zeros
    c_library.pthread_mutex_lock(mutex)
    c_library.pthread_mutex_lock(mutex)


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer."""
    if scope["type"] == "http" and scope["path"] == "/hold":
        sys.stdout.write(f"# hold: {os.getpid()}\n")
        sys.stdout.flush()
        hold_for_good()
    await processes.app(scope, receive, send)
