"""End this process when its parent is gone, even where no Python code runs any more.

Only on Linux. What is in flight may end well: the process has as many seconds as its signal's number
says. That is because a handler in Python would need the interpreter, which C code may hold for good;
so the handler is a function of the C library, that takes one number as handlers do: `alarm`.

Source: prctl(2), PR_SET_PDEATHSIG; alarm(2); signal-safety(7), which lists `alarm`.
"""

from __future__ import annotations

import signal
import sys
from typing import Final

from esg.logs import logger

_PR_SET_PDEATHSIG: Final = 1
# Nobody else is likely to use it; its number, 64, is enough for the defaults of a graceful stop.
_SIGNAL: Final = signal.SIGRTMAX if sys.platform == "linux" else 0


def end_with_parent(number: int = _SIGNAL) -> None:
    """Have the kernel end this process soon after the thread that has started it has ended.

    Args:
        number: of the signal that says so, and of the seconds that are left then.
    """
    if sys.platform != "linux":
        return
    try:
        import ctypes  # noqa: PLC0415 - there is no other way to these functions
    except (ImportError, MemoryError) as error:  # as on systems that refuse it executable memory
        logger.debug("The kernel is not asked to tell of the parent's end: %s", error)
        return
    c_library = ctypes.CDLL(None, use_errno=True)
    c_library.signal.argtypes = [ctypes.c_int, ctypes.c_void_p]
    c_library.signal.restype = ctypes.c_void_p
    # What ends a process that does nothing about it, whatever its parents thought of it.
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    c_library.signal(number, ctypes.cast(c_library.alarm, ctypes.c_void_p))
    if c_library.prctl(_PR_SET_PDEATHSIG, number, 0, 0, 0) != 0:
        logger.debug("The kernel does not tell of the parent's end: error %d", ctypes.get_errno())
