"""Run the tests in two processes side by side: `python -m tests` and pytest's arguments.

One runs the conformance suite, which is about half of the time, the other everything else, as
plain pytest both. Of the first one's output nothing is shown before it has ended.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

TESTS = Path(__file__).parent
REPORTS = TESTS.parent / ".cache" / "tests"
SUITE = TESTS / "conformance"
NO_TESTS = 5  # pytest's exit code


def ignored(*kept: Path) -> list[str]:
    """Return arguments that leave out everything but some of the folders and files of tests/."""
    others = [path for path in TESTS.iterdir() if path not in kept]
    return [f"--ignore={path}" for path in others if path.is_dir() or path.match("test_*.py")]


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
    output = REPORTS / "conformance.log"
    suite = start("conformance", [*ignored(SUITE), *arguments], output)
    try:
        others = start("others", [f"--ignore={SUITE}", *arguments], None)
        codes = [outcome("others", others.wait()), outcome("conformance", suite.wait())]
    finally:
        suite.wait()  # Ctrl-C has reached it, too
        sys.stdout.buffer.write(output.read_bytes())
        sys.stdout.flush()
    failed = [code for code in codes if code not in (0, NO_TESTS)]
    return failed[0] if failed else min(codes)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
