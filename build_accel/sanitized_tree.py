"""The package, compiled with sanitizers, in a tree of its own; the normal build is not touched.

Leaks are not looked for there: CPython itself keeps memory until its end.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
FLAGS = "-O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all"

_COPIED = ("tests", "examples", "docs", "pyproject.toml")


@dataclass(frozen=True)
class SanitizedTree:
    """Say how a tree is compiled, and run programs in it.

    Args:
        work: its folder, which may hold other things besides.
        compiler: of C.
        flags: for the compiler.
        runtime: the sanitizers' library, for a Python that is not built with them.
    """

    work: Path
    compiler: str
    flags: str
    runtime: str

    @property
    def tree(self) -> Path:
        """The folder that programs run in."""
        return self.work / "tree"

    def build(self) -> None:
        """Build the package, and put the tests beside it."""
        places = ["--build-base", str(self.work / "build"), "--build-lib", str(self.tree)]
        wishes = {"CC": self.compiler, "CFLAGS": self.flags, "ESG_ACCEL": "require"}
        command = [sys.executable, "setup.py", "-q", "build", *places]
        subprocess.run(command, cwd=ROOT, env={**os.environ, **wishes}, check=True)
        for name in _COPIED:
            source = ROOT / name
            if source.is_dir():
                shutil.copytree(source, self.tree / name, dirs_exist_ok=True)
            else:
                shutil.copyfile(source, self.tree / name)

    def forget_reports(self) -> None:
        """Remove what sanitizers have reported."""
        for old in self.work.glob("report*"):
            old.unlink()

    def run(self, module: list[str], timeout: float | None = None) -> int:
        """Run a module of Python with its arguments; return its exit code."""
        command = [sys.executable, "-m", *module]
        return subprocess.run(
            command, cwd=self.tree, env=self._environment(), check=False, timeout=timeout
        ).returncode

    def show_reports(self) -> bool:
        """Write what sanitizers have reported; tell whether there was anything."""
        reports = sorted(self.work.glob("report*"))
        for report in reports:
            sys.stderr.write(f"{report.name}:\n{report.read_text('utf-8', 'replace')}\n")
        return bool(reports)

    def _environment(self) -> dict[str, str]:
        report = self.work / "report"
        return {
            **os.environ,
            "LD_PRELOAD": self.runtime,
            # Python's own allocator would hide from ASan what happens inside of its arenas.
            "PYTHONMALLOC": "malloc",
            "ASAN_OPTIONS": f"detect_leaks=0:allocator_may_return_null=1:log_path={report}",
            # It reports to the process's own log, of which a failed test shows the end.
            "UBSAN_OPTIONS": "print_stacktrace=0",
        }
