"""Let libFuzzer put inputs to one target: python -m tests.fuzzing.engine NAME OPTIONS...

Run by `build_accel.fuzz`, on a build that tells libFuzzer which C an input reaches. Where there is no
C, atheris instruments the Python: that is slow, and the compiled twins of the rules do not need it.
"""

from __future__ import annotations

import importlib
import sys
from contextlib import nullcontext

from tests.fuzzing.given import Given
from tests.fuzzing.targets import target

INTERPRETED = ("access_log", "settings")


def main() -> None:
    """Fuzz; libFuzzer ends the process."""
    atheris = importlib.import_module("atheris")
    name, *options = sys.argv[1:]
    instrumented = atheris.instrument_imports(include=["esg"])
    with instrumented if name in INTERPRETED else nullcontext():
        check = target(name)
    # To merge, libFuzzer starts itself again by this line.
    command = f"{sys.executable} -m tests.fuzzing.engine {name}"
    atheris.Setup([command, *options], lambda data: check(Given(data)))
    atheris.Fuzz()


if __name__ == "__main__":
    main()
