"""What is compiled: every .pyx of `esg.accel`, and every rule module a second time."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

from setuptools import Extension

_BUILD = "build/cython"
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
        Extension(name, [source], extra_compile_args=compile_args(), depends=_depends(root, name))
        for name, source in sources(root).items()
    ]


def _depends(root: Path, name: str) -> list[str]:
    """List what a module is made from that Cython does not see: this file, and a rule's .pxd.

    It looks for a .pxd beside the source; a rule's is where the compiled module will be.
    """
    pxd = (root / name.replace(".", "/")).with_suffix(".pxd")
    seen_by_us = [Path(__file__), *([pxd] if pxd.exists() else [])]
    return [path.relative_to(root).as_posix() for path in seen_by_us]


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

    for extension in extensions:
        _forget_outdated(extension)
    made = cythonize(  # type: ignore[no-untyped-call]
        extensions, build_dir=_BUILD, nthreads=jobs, compiler_directives=_DIRECTIVES
    )
    # What cythonize returns are copies that setuptools has not prepared.
    for extension, copy in zip(extensions, made, strict=True):
        extension.sources = copy.sources
        extension.depends = [*extension.depends, *copy.depends]


def _forget_outdated(extension: Extension) -> None:
    """Remove its C if something that Cython does not see is newer."""
    made = Path(_BUILD, extension.sources[0]).with_suffix(".c")
    if made.exists():
        age = made.stat().st_mtime
        if any(Path(needed).stat().st_mtime > age for needed in extension.depends):
            made.unlink()
