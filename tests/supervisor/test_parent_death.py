"""A process that ends with its parent, though it runs no Python code any more."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from tests.server import REPOSITORY, environment

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="it is Linux that tells")
BOUND = 60.0  # seconds

CHILD = """
import sys
from esg.supervisor.parent_death import end_with_parent
from tests.apps.interpreter_lock import hold_for_good
end_with_parent({number})
sys.stdout.write("armed\\n")
sys.stdout.flush()
{then}
"""
PARENT = """
import subprocess, sys
subprocess.run([sys.executable, "-c", sys.argv[1]])
"""


def family(child: str) -> subprocess.Popen[str]:
    """Start a process that starts another; return the first once the other is armed."""
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, child],
        stdout=subprocess.PIPE,
        text=True,
        env=environment(),
        cwd=REPOSITORY,
    )
    assert parent.stdout is not None
    assert parent.stdout.readline() == "armed\n"
    return parent


def test_the_interpreter_is_held_for_good() -> None:
    parent = family(CHILD.format(number=int(signal.SIGHUP), then="hold_for_good()"))
    parent.kill()
    parent.communicate(timeout=BOUND)  # the child has let go of its output: it is gone


def test_there_is_time_for_an_orderly_end() -> None:
    """The kernel's signal itself ends nothing."""
    wait = "signal.sigwait([signal.SIGALRM]); print('the alarm')"
    block = "signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGALRM])"
    then = f"import signal; {block}; {wait}"
    parent = family(CHILD.format(number=int(signal.SIGHUP), then=then))
    parent.kill()
    assert parent.communicate(timeout=BOUND)[0] == "the alarm\n"
