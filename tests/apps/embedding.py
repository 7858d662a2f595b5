"""Programs that run a server themselves, for tests to start: `python -m tests.apps.embedding X`.

Each tells what it sees as lines `# ...` on standard output.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable

import esg
from tests.apps.stage import app, tell


def run_app() -> int:
    """Run an application object."""
    return esg.run(app, port=0)


def run_string() -> int:
    """Run an import string, where the program has a logging configuration of its own."""
    logging.basicConfig(level=logging.DEBUG, stream=sys.stdout, format="root: %(message)s")
    return esg.run("tests.apps.stage:app", port=0, impl="pure", loop="trio", log_level="debug")


def run_wrong() -> int:
    """Meet both kinds of error."""
    try:
        esg.run(app, prot=1)
    except esg.ConfigError as error:
        tell(f"ConfigError: {error}")
    try:
        esg.run("nowhere:app", port=0)
    except esg.StartupError as error:
        tell(f"StartupError: {error}")
    return 0


def run_twice() -> int:
    """Run one server after the other."""
    return esg.run(app, port=0) or esg.run(app, port=0)


PROGRAMS: dict[str, Callable[[], int]] = {
    program.__name__: program for program in (run_app, run_string, run_wrong, run_twice)
}

if __name__ == "__main__":
    code = PROGRAMS[sys.argv[1]]()
    tell(f"run returned {code}")
    sys.exit(code)
