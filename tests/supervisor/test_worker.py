"""A worker's own module: what it brings into every process."""

from __future__ import annotations

import subprocess
import sys

from tests.server import REPOSITORY, environment

# What only some settings, or another driver, need; together some megabytes in every worker.
NOT_IMPORTED = {
    "click",
    "h11",
    "idna",
    "importlib.metadata",
    "logging.config",
    "tomllib",
    "wsproto",
}


def test_only_what_every_worker_needs_is_imported() -> None:
    program = "import sys, esg.supervisor.worker; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-S", "-c", f"import sys; sys.path += {sys.path!r}; {program}"],
        capture_output=True,
        text=True,
        check=True,
        cwd=REPOSITORY,
        env=environment(),
        timeout=60,
    )
    assert set(done.stdout.split()) & NOT_IMPORTED == set()
