"""AutobahnTestSuite in the Python it was written for: found, and given what it needs.

It is the suite's own code with the versions that it last ran with. Its environment is made once
and kept in .cache; what tells one from another is the list of those versions.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

from tests.interpreters.discovery import candidates

CACHE = Path(__file__).resolve().parents[2] / ".cache" / "autobahn"
INSTALL_TIMEOUT = 900.0  # seconds; some of it is compiled
PROBE_TIMEOUT = 30.0

# The last that makes environments for 2.7; it brings their pip along.
VIRTUALENV = "virtualenv==20.21.1"
# Needed by the others' own installation.
FIRST = ("setuptools==44.0.0", "txaio==2.1.0", "incremental==16.10.1")
THEN = (
    *("pyOpenSSL==19.1.0", "cryptography==3.3.2", "Twisted==19.10.0", "zope.interface==4.6.0"),
    *("jinja2==2.11.3", "markupsafe==1.1.1", "Werkzeug==1.0.1", "klein==17.10.0"),
    *("service_identity==18.1.0", "unittest2==1.1.0", "six==1.16.0"),
    *("autobahn[accelerate,twisted]==0.10.9", "autobahntestsuite==25.10.1"),
)


def find_python2() -> Path | None:
    """Return the first CPython 2.7 of PATH and of pyenv that runs."""
    return next(filter(_is_python2, candidates(["python2.7"])), None)


def _is_python2(executable: Path) -> bool:
    program = (
        "import ssl, sys, platform;"
        "print(platform.python_implementation(), sys.version_info[:2] == (2, 7))"
    )
    try:
        done = subprocess.run(
            [executable, "-c", program],
            capture_output=True,
            timeout=PROBE_TIMEOUT,
            text=True,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return False
    return done.stdout.strip() == "('CPython', True)"


def prepare_wstest(python: Path) -> Path:
    """Return the suite's program, wstest, from the cache or newly installed.

    Raises:
        subprocess.CalledProcessError: a step failed; its words are on stderr.
    """
    described = "\n".join([str(python), VIRTUALENV, *FIRST, *THEN])
    digest = hashlib.sha256(described.encode()).hexdigest()[:12]
    folder = CACHE / f"python2-{digest}"
    complete = folder / "complete"
    if not complete.exists():
        _create(folder, python)
        complete.touch()
    return folder / "bin" / "wstest"


def _create(folder: Path, python: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    tool = folder.with_name(f"{folder.name}.virtualenv")
    shutil.rmtree(tool, ignore_errors=True)
    try:
        pip = ("-m", "pip", "--quiet", "--disable-pip-version-check", "install")
        _run(sys.executable, *pip, "--target", tool, VIRTUALENV)
        make = f"import sys; sys.path.insert(0, {str(tool)!r}); import virtualenv.__main__ as made;"
        _run(
            sys.executable,
            *("-c", f"{make} made.run()", "--quiet", "--no-download", "--python", python, folder),
        )
    finally:
        shutil.rmtree(tool, ignore_errors=True)
    own = (folder / "bin" / "python", "-W", "ignore", "-m", "pip", "--quiet")
    for requirements in (FIRST, THEN):
        _run(*own, "--disable-pip-version-check", "install", *requirements)


def _run(*command: str | Path) -> None:
    subprocess.run([*map(str, command)], check=True, timeout=INSTALL_TIMEOUT)
