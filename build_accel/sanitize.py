"""Run the tests on an `esg.accel` compiled with AddressSanitizer and UBSan: `make sanitize`.

Or search on it for inputs that it cannot bear: `make fuzz`, the differential tests with new examples.
The build stays in a tree of its own; the normal build is not touched. Leaks are not looked for
here: CPython itself keeps memory until its end.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
WORK = ROOT / ".cache/sanitize"
TREE = WORK / "tree"
REPORT = WORK / "report"

_FLAGS = "-O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all"
_TESTS = [
    "tests/rules",
    "tests/accel",
    "tests/conformance",
    # All cases over TLS, too, but for those that judge memory: ASan's own grows.
    *("--target", "fast-asyncio", "--target", "fast-uvloop", "--target", "fast-uvloop-tls"),
    # All of it takes several times as long.
    *("-m", "", "-k", "not memory-", "--patience", "90"),
    # They look at the sources or build without sanitizers; ASan's own memory grows.
    *("--ignore=tests/accel/test_rules.py", "--ignore=tests/accel/test_build.py"),
    "--ignore=tests/accel/test_leaks.py",
]
_COPIED = ("tests", "examples", "docs", "pyproject.toml")


def main(arguments: list[str]) -> int:
    """Build, run pytest and show what the sanitizers reported.

    Args:
        arguments: for pytest, in place of the default selection; after "search", for
            tests.differential.

    Returns:
        The exit code: 0 if the tests passed and nothing was reported.
    """
    compiler = os.environ.get("CC", "cc")
    _build(compiler)
    for old in WORK.glob("report*"):
        old.unlink()
    if arguments[:1] == ["search"]:
        module = ["tests.differential", *arguments]
    else:
        module = ["pytest", "-p", "no:cacheprovider", *(arguments or _TESTS)]
    command = [sys.executable, "-m", *module]
    code = subprocess.run(command, cwd=TREE, env=_environment(compiler), check=False).returncode
    reports = sorted(WORK.glob("report*"))
    for report in reports:
        sys.stderr.write(f"{report.name}:\n{report.read_text('utf-8', 'replace')}\n")
    return code or bool(reports)


def _build(compiler: str) -> None:
    """Build the package with the sanitizers, and the tests beside it."""
    places = ["--build-base", str(WORK / "build"), "--build-lib", str(TREE)]
    wishes = {"CC": compiler, "CFLAGS": _FLAGS, "ESG_ACCEL": "require"}
    command = [sys.executable, "setup.py", "-q", "build", *places]
    subprocess.run(command, cwd=ROOT, env={**os.environ, **wishes}, check=True)
    for name in _COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, TREE / name, dirs_exist_ok=True)
        else:
            shutil.copyfile(source, TREE / name)


def _environment(compiler: str) -> dict[str, str]:
    """Return the environment of the tests: this Python itself is not built with ASan."""
    found = subprocess.run(
        [compiler, "-print-file-name=libasan.so"], capture_output=True, text=True, check=True
    )
    return {
        **os.environ,
        "LD_PRELOAD": found.stdout.strip(),
        # Python's own allocator would hide from ASan what happens inside of its arenas.
        "PYTHONMALLOC": "malloc",
        "ASAN_OPTIONS": f"detect_leaks=0:allocator_may_return_null=1:log_path={REPORT}",
        # It reports to the process's own log, of which a failed test shows the end.
        "UBSAN_OPTIONS": "print_stacktrace=0",
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
