"""What the archives must hold, and what must not be in them.

Each function takes an archive as the names and contents of its files, and says what is wrong.
"""

from __future__ import annotations

import re
import tarfile
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from email.parser import BytesParser
from email.policy import compat32
from pathlib import Path

LICENSES = ("LICENSE", "LICENSE.llhttp")
ENTRY_POINTS = ("[console_scripts]\nesg = esg.cli:main", "[pytest11]\nesg = _esg_pytest_plugin")
COMPILED = (".so", ".pyd")
# A source of what is compiled is of no use without a compiler.
INSTALLED = (".py", ".pyi", "/py.typed", *COMPILED)
PLUGIN = "_esg_pytest_plugin.py"
# ESG-VERSION-PYTHON-ABI-PLATFORM.whl: one for every Python, or for one CPython on one system.
ANY_PYTHON = "py3-none-any"
ONE_PYTHON = re.compile(r"(cp3\d+)-\1-(manylinux|musllinux|macosx)\w+(\.\w+)*")
# What building a source distribution adds to the sources.
MADE = re.compile(r"PKG-INFO|setup\.cfg|esg\.egg-info/.*|vendor/llhttp/.*")
# What is in the repository and serves nobody who has no repository.
LEFT_OUT = re.compile(r"\.ci/.*|(.*/)?\.(editorconfig|gitignore)")


def read(archive: Path) -> dict[str, bytes]:
    """Read the files of a wheel or, without their common folder, of a source distribution."""
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel:
            names = [name for name in wheel.namelist() if not name.endswith("/")]
            return {name: wheel.read(name) for name in names}
    folder = archive.name.removesuffix(".tar.gz") + "/"
    found: dict[str, bytes] = {}
    with tarfile.open(archive) as sdist:
        for member in sdist:
            if (content := sdist.extractfile(member)) is not None:
                found[member.name.removeprefix(folder)] = content.read()
    return found


def faults_of_wheel(
    name: str, files: Mapping[str, bytes], version: str, modules: Iterable[str], package: set[str]
) -> Iterator[str]:
    """Say what is wrong with a wheel.

    Args:
        name: the file's.
        files: by their names, what it holds.
        version: what it is to be a wheel of.
        modules: the paths of all compiled modules, without their suffixes.
        package: the paths of the package's modules in Python.
    """
    prefix = f"esg-{version}-"
    if not name.startswith(prefix):
        yield f"its name does not begin with {prefix}"
    tag = name.removeprefix(prefix).removesuffix(".whl")
    if tag != ANY_PYTHON and not ONE_PYTHON.fullmatch(tag):
        yield f"no index takes its tag {tag}"
    compiled = {path.split(".")[0] for path in files if path.endswith(COMPILED)}
    due = set() if tag == ANY_PYTHON else set(modules)
    yield from (f"it lacks the compiled {path}" for path in sorted(due - compiled))
    yield from (f"it has a compiled {path}" for path in sorted(compiled - due))
    yield from (f"it lacks {path}" for path in sorted({*package, PLUGIN} - files.keys()))
    info = f"esg-{version}.dist-info/"
    for path in files:
        if not path.startswith(info) and not _belongs(path):
            yield f"{path} does not belong into it"
    yield from _faults_of_metadata(files.get(f"{info}METADATA", b""), version)
    points = files.get(f"{info}entry_points.txt", b"").decode()
    yield from (
        f"it lacks the entry point {point!r}" for point in ENTRY_POINTS if point not in points
    )
    licenses = (f"{info}licenses/{text}" for text in LICENSES)
    yield from (f"it lacks {path}" for path in licenses if path not in files)


def faults_of_sdist(
    name: str, files: Mapping[str, bytes], version: str, tracked: set[str]
) -> Iterator[str]:
    """Say what is wrong with a source distribution.

    Args:
        name: the file's.
        files: by their names below its folder, what it holds.
        version: what it is to be the source of.
        tracked: the paths of the repository's files.
    """
    if name != f"esg-{version}.tar.gz":
        yield f"its name is not esg-{version}.tar.gz"
    due = {path for path in tracked if not LEFT_OUT.fullmatch(path)}
    extra = {path for path in files.keys() - tracked if not MADE.fullmatch(path)}
    yield from (f"it lacks {path}" for path in sorted(due - files.keys()))
    yield from (f"{path} does not belong into it" for path in sorted(extra))
    if "vendor/llhttp/llhttp.c" not in files:
        yield "it lacks llhttp"
    yield from _faults_of_metadata(files.get("PKG-INFO", b""), version)


def _belongs(path: str) -> bool:
    return path == PLUGIN or (path.startswith("esg/") and path.endswith(INSTALLED))


def _faults_of_metadata(text: bytes, version: str) -> Iterator[str]:
    metadata = BytesParser(policy=compat32).parsebytes(text)
    due = {
        "Name": ["esg"],
        "Version": [version],
        "License-Expression": ["BSD-3-Clause"],
        "License-File": list(LICENSES),
        "Requires-Python": [">=3.11"],
        "Description-Content-Type": ["text/markdown"],
    }
    for field, values in due.items():
        if (found := metadata.get_all(field, [])) != values:
            yield f"its metadata say {field}: {found}, not {values}"
