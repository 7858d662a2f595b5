"""Other interpreters for the tests: what this machine has, made ready to run ESG.

`find_interpreters()` is quick and changes nothing, so that it can name a test's parameters.
`prepare(interpreter)` may take a minute the first time: it installs what ESG and its tests
need beside that interpreter, in a cache. `prepare_or_skip()` is the same for a fixture.

    for interpreter in find_interpreters():
        command = prepare(interpreter)
        subprocess.Popen(command.esg("--port", "0", "app:app"), env=command.environment())

`python -m tests.interpreters` does all of it and prints a table.
"""

from tests.interpreters.discovery import Interpreter, find_interpreters
from tests.interpreters.environment import (
    EsgCommand,
    InterpreterUnavailable,
    prepare,
    prepare_or_skip,
)

__all__ = [
    "EsgCommand",
    "Interpreter",
    "InterpreterUnavailable",
    "find_interpreters",
    "prepare",
    "prepare_or_skip",
]
