"""That the unit tests pass on every other interpreter that is found, too."""

from __future__ import annotations

import subprocess

import pytest

from tests.interpreters import Interpreter, find_interpreters, prepare_or_skip

OTHERS = [found for found in find_interpreters() if not found.is_running]
# Warnings stay errors; the programs' and the compilers' tests want what is only installed here.
UNIT_TESTS = (
    *("tests/rules", "tests/pure", "tests/tls", "tests/websocket_codecs"),
    *("tests/testing/test_recorder.py", "tests/testing/test_validator.py"),
)
BOUND = 900.0  # seconds, on a busy machine


@pytest.mark.timeout(BOUND)
@pytest.mark.parametrize("interpreter", OTHERS, ids=lambda found: found.name)
def test_unit_tests_pass(interpreter: Interpreter) -> None:
    command = prepare_or_skip(interpreter)
    ended = subprocess.run(
        command.pytest("-q", "-p", "no:cacheprovider", *UNIT_TESTS),
        env=command.environment(),
        capture_output=True,
        text=True,
        timeout=BOUND,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout[-5000:] + ended.stderr[-2000:]
