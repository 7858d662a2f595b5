"""Run the tests on an `esg.accel` compiled with AddressSanitizer and UBSan: `make sanitize`."""

from __future__ import annotations

import os
import subprocess
import sys

from build_accel.sanitized_tree import FLAGS, ROOT, SanitizedTree

_TESTS = [
    "tests/rules",
    "tests/accel",
    "tests/fuzzing",
    "tests/conformance",
    # All cases over TLS, too, but for those that judge memory: ASan's own grows.
    *("--target", "fast-asyncio", "--target", "fast-uvloop", "--target", "fast-uvloop-tls"),
    # All of it takes several times as long.
    *("-m", "", "-k", "not memory- and not keep_nothing", "--patience", "90"),
    # They look at the sources or build without sanitizers; ASan's own memory grows.
    *("--ignore=tests/accel/test_rules.py", "--ignore=tests/accel/test_build.py"),
    "--ignore=tests/accel/test_copied_constants.py",
    *("--ignore=tests/accel/test_leaks.py", "--ignore=tests/fuzzing/test_command.py"),
]


def main(arguments: list[str]) -> int:
    """Build, run pytest and show what the sanitizers reported.

    Args:
        arguments: for pytest, in place of the default selection.

    Returns:
        The exit code: 0 if the tests passed and nothing was reported.
    """
    compiler = os.environ.get("CC", "cc")
    found = subprocess.run(
        [compiler, "-print-file-name=libasan.so"], capture_output=True, text=True, check=True
    )
    tree = SanitizedTree(ROOT / ".cache/sanitize", compiler, FLAGS, found.stdout.strip())
    tree.build()
    tree.forget_reports()
    code = tree.run(["pytest", "-p", "no:cacheprovider", *(arguments or _TESTS)])
    return tree.show_reports() or code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
