"""Whether `esg.accel` is to be compiled: what the environment wishes and what Python runs us.

ESG_ACCEL   auto (the default)  compile; where that fails, make a pure package and store why
            require             compile; where that fails, so does the build
            skip                make a pure package
"""

from __future__ import annotations

import os
import platform

_MODES = ("auto", "require", "skip")


def mode() -> str:
    """Return ESG_ACCEL.

    Raises:
        SystemExit: it has no such value.
    """
    wish = os.environ.get("ESG_ACCEL") or "auto"
    if wish not in _MODES:
        raise SystemExit(f"ESG_ACCEL={wish}: only {', '.join(_MODES)} are known")
    return wish


def why_not_compiled() -> str:
    """Return why not even to try, "" where compiling is to be tried.

    Raises:
        SystemExit: compiling is required of a Python that cannot run it.
    """
    if mode() == "skip":
        return "it was left out when ESG was built (ESG_ACCEL=skip)"
    if (name := platform.python_implementation()) == "CPython":
        return ""
    reason = f"it needs CPython, and this is {name}"
    if mode() == "require":
        raise SystemExit(f"ESG_ACCEL=require: {reason}")
    return reason
