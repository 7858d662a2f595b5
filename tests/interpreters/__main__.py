"""List the interpreters that the tests run on, and make each ready."""

import sys
import time

from tests.interpreters import InterpreterUnavailable, find_interpreters, prepare
from tests.interpreters.discovery import CPYTHON_MINORS


def main() -> int:
    """Print one line per interpreter; return 1 if a required one cannot be had."""
    status = 0
    interpreters = find_interpreters()
    for interpreter in interpreters:
        started = time.monotonic()
        try:
            command = prepare(interpreter)
        except InterpreterUnavailable as error:
            print(f"{interpreter.name:<12} missing: {error}")
            status = 1
            continue
        version = ".".join(map(str, command.interpreter.version))
        seconds = time.monotonic() - started
        print(f"{interpreter.name:<12} {version:<8} {seconds:5.1f} s  {command.python}", flush=True)
    names = {interpreter.name for interpreter in interpreters}
    for name in (f"cpython3.{minor}" for minor in CPYTHON_MINORS):
        if name not in names:
            print(f"{name:<12} not found on this machine (optional)")
    return status


if __name__ == "__main__":
    sys.exit(main())
