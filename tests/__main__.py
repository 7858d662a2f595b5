"""Run the tests in two processes side by side: `python -m tests` and pytest's arguments.

Plain pytest both: one runs the conformance suite and some folders with it, which is about half of
the time, the other everything else. What the first one says is shown when both have ended.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

TESTS = Path(__file__).parent
REPORTS = TESTS.parent / ".cache" / "tests"
FIRST = [
    TESTS / name
    for name in (
        "accel",
        "autobahn",
        "bench",
        "clients",
        "conformance",
        "differential",
        "documentation",
        "ecosystem",
        "fuzzing",
        "hardening",
    )
]
NO_TESTS = 5  # pytest's exit code


def ignored(paths: Iterable[Path]) -> list[str]:
    """Return arguments that leave folders and files of tests/ out."""
    return [f"--ignore={path}" for path in paths if path.is_dir() or path.match("test_*.py")]


def start(name: str, arguments: list[str], output: Path | None) -> subprocess.Popen[bytes]:
    """Start pytest; its output goes to a file, or where ours goes."""
    report(name).unlink(missing_ok=True)
    command = [sys.executable, "-m", "pytest", f"--junitxml={report(name)}", *arguments]
    if output is None:
        return subprocess.Popen(command)
    with output.open("wb") as file:
        return subprocess.Popen(command, stdout=file, stderr=subprocess.STDOUT)


def report(name: str) -> Path:
    """Return the file that pytest writes as the last thing of a run."""
    return REPORTS / f"{name}.xml"


def outcome(name: str, code: int) -> int:
    """Return how a run has ended: one that was over before its end has failed."""
    if code == 0 and not report(name).exists():
        print(f"{name}: pytest ended in the midst of the tests", file=sys.stderr)
        return 1
    return code


def main(arguments: list[str]) -> int:
    """Run both; return pytest's exit code for the two together."""
    REPORTS.mkdir(parents=True, exist_ok=True)
    output = REPORTS / "first.log"
    others = [path for path in TESTS.iterdir() if path not in FIRST]
    first = start("first", [*ignored(others), *arguments], output)
    try:
        second = start("second", [*ignored(FIRST), *arguments], None)
        codes = [outcome("second", second.wait()), outcome("first", first.wait())]
    finally:
        first.wait()  # Ctrl-C has reached it, too
        sys.stdout.buffer.write(output.read_bytes())
        sys.stdout.flush()
    failed = [code for code in codes if code not in (0, NO_TESTS)]
    return failed[0] if failed else min(codes)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
