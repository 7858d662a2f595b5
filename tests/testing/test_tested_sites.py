"""The sample project examples/tested_sites, run as its author would."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from esg.testing import available_rows
from tests.testing.projects import BOUND

SAMPLE = Path(__file__).parent.parent.parent / "examples" / "tested_sites"


def test_the_sample_project_passes_on_every_row() -> None:
    done = subprocess.run(
        # Our own settings must not be found in its place, nor anything be left in it.
        [sys.executable, "-B", "-m", "pytest", "-p", "no:cacheprovider", "-rA"],
        cwd=SAMPLE,
        capture_output=True,
        text=True,
        check=False,
        timeout=BOUND,
    )
    assert done.returncode == 0, done.stdout
    for site in ("test_clock_site", "test_notes_site"):
        for row in available_rows():
            assert f"[{row}]" in done.stdout
            assert f"PASSED {site}.py::test_does_the_same_on_every_row" in done.stdout
    assert "skipped" not in done.stdout
