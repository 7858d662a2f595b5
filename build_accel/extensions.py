"""What is compiled: every .pyx of `esg.accel`, and every rule module a second time."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

from setuptools import Extension

_DIRECTIVES = {
    "language_level": "3",
    # An annotation `-> int` in a rule would clash with the C type in its .pxd.
    "annotation_typing": False,
    "auto_pickle": False,
}
_CALLS_LLHTTP = re.compile(r"\bllhttp_\w+\(")


def sources(root: Path) -> dict[str, str]:
    """Map the name of every compiled module to its source, relative to `root`."""
    accel = sorted((root / "esg/accel").rglob("*.pyx"))
    found = {".".join(path.relative_to(root).with_suffix("").parts): path for path in accel}
    for path in sorted((root / "esg/rules").glob("*.py")):
        if path.stem != "__init__":
            found[f"esg.accel.rules.{path.stem}"] = path
    return {name: path.relative_to(root).as_posix() for name, path in found.items()}


def declare(root: Path) -> list[Extension]:
    """Declare the extensions without needing Cython or llhttp yet."""
    return [
        Extension(name, [source], extra_compile_args=compile_args())
        for name, source in sources(root).items()
    ]


def compile_args() -> list[str]:
    """Return the flags for every C file of ours, llhttp's included."""
    if sys.platform == "win32":
        return ["/O2"]
    if os.environ.get("CFLAGS"):  # setuptools passes them on; they have the last word
        return ["-fvisibility=hidden"]
    # Python's own flags ask for debugging symbols, ten times the size of the code.
    return ["-O3", "-g0", "-fvisibility=hidden"]


def calls_llhttp(extension: Extension) -> bool:
    """Tell whether the extension itself calls llhttp, and is to be linked with it."""
    return _CALLS_LLHTTP.search(Path(extension.sources[0]).read_text("utf-8")) is not None


def to_c(extensions: list[Extension], jobs: int) -> None:
    """Translate their sources to C with Cython, those that are newer than their C.

    Raises:
        ImportError: Cython is not installed.
    """
    # Imported late: a pure build has none.
    from Cython.Build import cythonize  # noqa: PLC0415

    made = cythonize(  # type: ignore[no-untyped-call]
        extensions, build_dir="build/cython", nthreads=jobs, compiler_directives=_DIRECTIVES
    )
    # What cythonize returns are copies that setuptools has not prepared.
    for extension, copy in zip(extensions, made, strict=True):
        extension.sources = copy.sources
        extension.depends = copy.depends
