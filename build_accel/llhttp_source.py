"""Where the C of llhttp comes from. It is not ours: never committed, always one pinned release.

In order: the copy in a source distribution; the system's library where ESG_LLHTTP=system; else
the source distribution of httptools, which carries it, from the package index that pip uses.
"""

from __future__ import annotations

import hashlib
import os
import shlex
import subprocess
import sys
import tarfile
from dataclasses import dataclass, field
from pathlib import Path

VERSION = "9.4.3"
CARRIER = "httptools"
CARRIER_VERSION = "0.9.0"
CARRIER_SHA256 = "d484ebb7e3a3f3597b0f645fbd1b85633674ca808c1f5ba11c2caf7c66f5c8b6"
# From the carrier's folders to one flat folder.
FILES = {
    "src/llhttp.c": "llhttp.c",
    "src/api.c": "api.c",
    "src/http.c": "http.c",
    "include/llhttp.h": "llhttp.h",
    "LICENSE-MIT": "LICENSE-MIT",
}
VENDORED = Path("vendor/llhttp")  # in a source distribution
FETCHED = Path("build") / f"llhttp-{VERSION}"


class LlhttpMissing(Exception):
    """Say why there is no llhttp to compile or link."""


@dataclass(frozen=True)
class Llhttp:
    """Say how to compile and link against llhttp.

    Attributes:
        sources: C files to compile in; none for the system's library.
        include_dirs, compile_args, link_args: for the extensions that use it.
    """

    sources: list[str] = field(default_factory=list)
    include_dirs: list[str] = field(default_factory=list)
    compile_args: list[str] = field(default_factory=list)
    link_args: list[str] = field(default_factory=list)


def find(root: Path) -> Llhttp:
    """Find llhttp, downloading it if there is no other way.

    Args:
        root: the folder of setup.py.

    Raises:
        LlhttpMissing: the wished library is not there, or the download failed.
    """
    wish = os.environ.get("ESG_LLHTTP", "")
    if wish == "system":
        return _system()
    if wish:
        raise LlhttpMissing(f"ESG_LLHTTP={wish}: only 'system' is known")
    folder = source_folder(root)
    sources = [str(folder / name) for name in FILES.values() if name.endswith(".c")]
    return Llhttp(sources, [str(folder)])


def source_folder(root: Path) -> Path:
    """Return the folder with llhttp's files, relative to `root`; fetch them if need be."""
    if _is_complete(root / VENDORED):
        return VENDORED
    if not _is_complete(root / FETCHED):
        _fetch(root / FETCHED)
    return FETCHED


def _is_complete(folder: Path) -> bool:
    return all((folder / name).is_file() for name in FILES.values())


def _fetch(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    unpack(_download(folder), folder)


def _download(folder: Path) -> Path:
    """Let pip download the carrier, so that the user's index and proxy settings hold."""
    requirements = folder / "requirements.txt"
    requirements.write_text(f"{CARRIER}=={CARRIER_VERSION} --hash=sha256:{CARRIER_SHA256}\n")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
    command += ["--no-binary", CARRIER, "--no-build-isolation", "--require-hashes"]
    command += ["--dest", str(folder), "--requirement", str(requirements)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        last = (done.stderr.strip() or f"exit code {done.returncode}").splitlines()[-1]
        raise LlhttpMissing(f"llhttp could not be downloaded ({last})")
    return folder / f"{CARRIER}-{CARRIER_VERSION}.tar.gz"


def unpack(archive: Path, folder: Path) -> None:
    """Take llhttp's files out of the carrier.

    Raises:
        LlhttpMissing: it is not the archive that is pinned.
    """
    # pip has compared the hash already; this one guards the file that is really opened.
    if hashlib.sha256(archive.read_bytes()).hexdigest() != CARRIER_SHA256:
        raise LlhttpMissing(f"{archive.name} is not the file that is pinned")
    prefix = f"{CARRIER}-{CARRIER_VERSION}/vendor/llhttp/"
    with tarfile.open(archive) as tar:
        for inside, name in FILES.items():
            member = tar.extractfile(prefix + inside)
            if member is None:
                raise LlhttpMissing(f"{archive.name} has no {prefix}{inside}")
            (folder / name).write_bytes(member.read())


def _system() -> Llhttp:
    return Llhttp([], [], _pkg_config("--cflags"), _pkg_config("--libs"))


def _pkg_config(flag: str) -> list[str]:
    command = [os.environ.get("PKG_CONFIG", "pkg-config"), flag, "libllhttp"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError as error:
        raise LlhttpMissing(f"ESG_LLHTTP=system: {command[0]}: {error.strerror}") from error
    if done.returncode:
        raise LlhttpMissing(f"ESG_LLHTTP=system: {done.stderr.strip()}")
    return shlex.split(done.stdout)
