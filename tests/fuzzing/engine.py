"""Let libFuzzer put inputs to one target: python -m tests.fuzzing.engine NAME OPTIONS...

Run by `build_accel.fuzz`, on a build that tells libFuzzer which C an input reaches. The few modules
that are not compiled a second time are instrumented by atheris.
"""

from __future__ import annotations

import importlib
import sys

from tests.fuzzing.given import Given
from tests.fuzzing.targets import target

INTERPRETED = (
    *("esg.access_format", "esg.access_log", "esg.config", "esg.options", "esg.schema"),
    "esg.settings",
)


def main() -> None:
    """Fuzz; libFuzzer ends the process."""
    atheris = importlib.import_module("atheris")
    name, *options = sys.argv[1:]
    with atheris.instrument_imports(include=list(INTERPRETED)):
        check = target(name)
    atheris.Setup([name, *options], lambda data: check(Given(data)))
    atheris.Fuzz()


if __name__ == "__main__":
    main()
