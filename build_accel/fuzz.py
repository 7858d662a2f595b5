"""Fuzz for a while: `make fuzz`.

The targets of `tests.fuzzing`, each in a process of its own, on an `esg.accel` that is compiled with
AddressSanitizer and UBSan and tells libFuzzer which of its C an input reaches, llhttp's included;
then the differential search on the same build. What makes a target fail stays in .cache/fuzz/found,
what reaches something new in .cache/fuzz/corpus, where the next run goes on.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from build_accel.sanitized_tree import FLAGS, ROOT, SanitizedTree

WORK = ROOT / ".cache/fuzz"
CORPUS = WORK / "corpus"
FOUND = WORK / "found"

# The part of the time that belongs to the differential search.
_SEARCH = 0.25
# Of one process before and after its own time: imports under ASan, its last words.
_PATIENCE = 120.0
_OPTIONS = (
    *("-max_len=2048", "-timeout=60", "-rss_limit_mb=4096", "-report_slow_units=30"),
    *("-print_final_stats=1", "-verbosity=0"),
)


class Missing(Exception):
    """Say what is not installed."""


def main() -> int:
    """Do what the command line says; return the exit code: 0 if nothing was found."""
    parser = argparse.ArgumentParser(prog="make fuzz", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0, help="for everything together")
    parser.add_argument("--keep", action="store_true", help="keep what was found new in the tree")
    parser.add_argument("targets", nargs="*", help="those alone, and no differential search")
    options = parser.parse_args()
    try:
        tree = SanitizedTree(WORK, _clang(), f"{FLAGS} -fsanitize=fuzzer-no-link", _runtime())
    except Missing as missing:
        sys.stderr.write(f"make fuzz: {missing}\n")
        return 2
    tree.build()
    tree.forget_reports()
    names = options.targets or _names()
    if options.keep:
        return max(_keep(tree, name) for name in names)
    failed = _fuzz(tree, names, 60 * options.minutes, bool(options.targets))
    return tree.show_reports() or failed


def _clang() -> str:
    compiler = os.environ.get("CC", "clang")
    if shutil.which(compiler) is None or "clang" not in compiler:
        raise Missing("needs clang (Debian: apt-get install clang libclang-rt-dev)")
    return compiler


def _runtime() -> str:
    """Find ASan together with libFuzzer, as atheris brings them."""
    found = importlib.util.find_spec("atheris")
    if found is None or found.origin is None:
        raise Missing("needs atheris, which has no wheel for this Python: try PYTHON=python3.11")
    return str(Path(found.origin).parent.parent / "asan_with_fuzzer.so")


def _names() -> list[str]:
    command = [sys.executable, "-m", "tests.fuzzing", "list"]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    return done.stdout.split()


def _fuzz(tree: SanitizedTree, names: list[str], seconds: float, alone: bool) -> int:
    """Give each target its part of the time, then the differential search the rest."""
    end = time.monotonic() + seconds
    known = {*FOUND.glob("*")}
    share = seconds * (1.0 if alone else 1.0 - _SEARCH) / len(names)
    FOUND.mkdir(parents=True, exist_ok=True)
    failed = [name for name in names if _fuzz_one(tree, name, share)]
    for path in sorted({*FOUND.glob("*")} - known):
        name = path.name.partition("-")[0]
        sys.stderr.write(f"again: {sys.executable} -m tests.fuzzing again {name} {path}\n")
    rest = end - time.monotonic()
    code = 0
    if not alone and rest > 0:
        code = tree.run(["tests.differential", "search", "--minutes", f"{rest / 60:.3f}"])
    return code or int(bool(failed))


def _fuzz_one(tree: SanitizedTree, name: str, seconds: float) -> int:
    sys.stderr.write(f"{name}: {seconds:.0f} s\n")
    folder = _seeded(tree, name)
    limits = [f"-max_total_time={max(1, round(seconds))}", f"-artifact_prefix={FOUND}/{name}-"]
    module = ["tests.fuzzing.engine", name, *_OPTIONS, *limits, str(folder)]
    try:
        return tree.run(module, seconds + _PATIENCE)
    except subprocess.TimeoutExpired:
        sys.stderr.write(f"{name} does not end\n")
        return 1


def _seeded(tree: SanitizedTree, name: str) -> Path:
    """Put what is known of a target into its folder."""
    folder = CORPUS / name
    folder.mkdir(parents=True, exist_ok=True)
    tree.run(["tests.fuzzing", "write", name, str(folder)])
    return folder


def _keep(tree: SanitizedTree, name: str) -> int:
    """Put into the tree what reaches more than everything known does."""
    kept = WORK / "kept" / name
    shutil.rmtree(kept, ignore_errors=True)
    kept.mkdir(parents=True)
    tree.run(["tests.fuzzing", "write", name, str(kept)])
    known = {path.name for path in kept.iterdir()}
    module = ["tests.fuzzing.engine", name, "-merge=1", "-max_len=600", str(kept)]
    code = tree.run([*module, str(_seeded(tree, name))])
    new = [str(path) for path in sorted(kept.iterdir()) if path.name not in known]
    command = [sys.executable, "-m", "tests.fuzzing", "add", name, *new]
    return code or subprocess.run(command, cwd=ROOT, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
