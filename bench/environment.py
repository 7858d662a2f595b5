"""Make what the servers run in: virtual environments with the peers and ESG, and C programs.

Everything is made once and reused: the peers until the folder is removed, ESG until its sources
change, a program until its source changes.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from servers import CPYTHON, PYPY, TLS, Server

BENCH = Path(__file__).resolve().parent
CHECKOUT = BENCH.parent
PROGRAMS = BENCH / ".build"
# What the applications import, whoever serves them.
APP_REQUIREMENTS = ("anyio", "starlette", "fastapi")
ESG_EXTRAS = {CPYTHON: "standard,trio", PYPY: "trio"}
PYPY_NAMES = ("pypy3.11", "pypy3")
# Where `python -m tests.interpreters` puts Debian's.
OWN_PYPY = CHECKOUT / ".cache/interpreters/debian-trixie-pypy3/usr/bin/pypy3.11"
INSTALL_TIMEOUT = 600
NOT_SOURCES = (".*", "bench", "build", "dist", "*.egg-info", "__pycache__", "*.so", "*.pyc")
VERSIONS = (
    "import importlib.metadata as m, json;"
    "print(json.dumps({d.metadata['Name'].lower(): d.version for d in m.distributions()}))"
)

Say = Callable[[str], None]


@dataclass(frozen=True)
class Environment:
    """The folders that commands of the server table are filled in from.

    Args:
        folder: A virtual environment, and what belongs to it.
        python: Its interpreter, or another one that has all that the servers need.
        programs: The folder of what is compiled here.
    """

    folder: Path
    python: Path
    programs: Path = PROGRAMS

    @property
    def scripts(self) -> Path:
        """Return the folder of the installed commands."""
        return self.python.parent

    @property
    def certificate(self) -> Path:
        """Return the certificate that servers speak TLS with."""
        return self.programs / "certificate.pem"

    @property
    def key(self) -> Path:
        """Return its key."""
        return self.programs / "key.pem"

    def overlay(self, requirement: str) -> Path:
        """Return the folder where a requirement is that only some servers see."""
        return self.folder / "overlays" / requirement

    def variables(self, server: Server) -> dict[str, str]:
        """Return the environment variables that a server is started with."""
        variables = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        if server.overlay:
            variables["PYTHONPATH"] = str(self.overlay(server.overlay))
        return variables

    def versions(self) -> dict[str, str]:
        """Return the version of every installed distribution by its name in lower case."""
        done = subprocess.run(
            [self.python, "-c", VERSIONS], check=True, capture_output=True, text=True
        )
        versions: dict[str, str] = json.loads(done.stdout)
        return versions


def prepare(
    servers: Iterable[Server], modes: Iterable[str], say: Say, here: bool = False
) -> tuple[dict[str, Environment], dict[str, str]]:
    """Install and compile what the servers need.

    Args:
        servers: The rows that are measured.
        modes: How they are started.
        say: Where to tell what is done.
        here: Whether to take the interpreter that runs this as it is, and to install nothing.

    Returns:
        The environment of each interpreter, and why servers that cannot run cannot, by name.
    """
    chosen = tuple(servers)
    environments: dict[str, Environment] = {}
    missing: dict[str, str] = {}
    for interpreter in dict.fromkeys(server.interpreter for server in chosen):
        rows = [server for server in chosen if server.interpreter == interpreter]
        environment = _environment(interpreter, say, here)
        if environment is None:
            missing.update({row.name: f"no {interpreter} 3.11 is installed" for row in rows})
            continue
        environments[interpreter] = environment
        if not here:
            missing.update(_install(environment, rows, say))
    PROGRAMS.mkdir(exist_ok=True)
    if any(server.name == "floor" for server in chosen):
        reason = compile_program(BENCH / "floor.c", PROGRAMS / "floor")
        missing.update({"floor": reason} if reason else {})
    if TLS in modes and environments:
        _make_certificate(next(iter(environments.values())))
    return environments, missing


def _environment(interpreter: str, say: Say, here: bool) -> Environment | None:
    """Return the environment of an interpreter, made if need be; None if that is not there."""
    if here:
        running = Environment(Path(sys.prefix), Path(sys.executable))
        return running if interpreter == CPYTHON else None
    base = _pypy() if interpreter == PYPY else sys.executable
    if base is None:
        return None
    tag = "pypy" if interpreter == PYPY else str(sys.implementation.cache_tag)
    folder = BENCH / ".venv" / tag
    if not (folder / "made").exists():
        say(f"making {folder.relative_to(BENCH)}")
        subprocess.run([base, "-m", "venv", "--clear", "--without-pip", folder], check=True)
        (folder / "made").touch()
    return Environment(folder, folder / "bin" / "python")


def _pypy() -> str | None:
    """Return a PyPy 3.11 of this machine."""
    found = next(filter(None, map(shutil.which, PYPY_NAMES)), None)
    return found or (str(OWN_PYPY) if OWN_PYPY.exists() else None)


def _install(environment: Environment, rows: Sequence[Server], say: Say) -> dict[str, str]:
    """Install what rows of one interpreter need; return why some cannot run, by name."""
    missing = _install_peers(environment, rows, say)
    ours = [row for row in rows if row.is_ours]
    if ours and (reason := _install_esg(environment, ours[0].interpreter, say)):
        missing.update({row.name: reason for row in ours})
    return missing


def _make_certificate(environment: Environment) -> None:
    """Make a certificate and its key: P-256, as most sites have."""
    if environment.certificate.exists():
        return
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    command += ["-nodes", "-days", "3650", "-subj", "/CN=127.0.0.1"]
    files = ["-keyout", str(environment.key), "-out", str(environment.certificate)]
    subprocess.run([*command, *files], check=True, capture_output=True)


def _pip_install(environment: Environment, *arguments: str) -> str | None:
    """Install by pip and return its last word if that fails."""
    pip = ("-m", "pip", "--quiet", "--disable-pip-version-check", "--python", environment.python)
    return _last_word_of_failure([sys.executable, *pip, "install", *arguments])


def _last_word_of_failure(command: Sequence[str | Path]) -> str | None:
    """Run a command and return the last line it wrote to stderr if it fails."""
    try:
        done = subprocess.run(
            command, check=False, capture_output=True, text=True, timeout=INSTALL_TIMEOUT
        )
    except (FileNotFoundError, subprocess.TimeoutExpired) as error:
        return str(error)
    lines = [line for line in done.stderr.splitlines() if line.strip()]
    return None if done.returncode == 0 else (lines[-1] if lines else f"exit {done.returncode}")


def _install_peers(environment: Environment, servers: Sequence[Server], say: Say) -> dict[str, str]:
    """Install the requirements not installed before; return why a server's could not be."""
    record = environment.folder / "installed.json"
    installed: list[str] = json.loads(record.read_text()) if record.exists() else []
    failures: dict[str, str] = {}
    apps = APP_REQUIREMENTS if any(server.runs_apps for server in servers) else ()
    for requirement in dict.fromkeys((*apps, *(r for s in servers for r in s.requires))):
        if requirement in installed:
            continue
        say(f"installing {requirement}")
        reason = _pip_install(environment, requirement)
        if reason is None:
            installed.append(requirement)
        else:
            failures[requirement] = reason
    record.write_text(json.dumps(installed))
    for overlay in {server.overlay for server in servers} - {""}:
        if reason := _install_overlay(environment, overlay, say):
            failures[overlay] = reason
    return {
        server.name: f"{requirement} cannot be installed: {failures[requirement]}"
        for server in servers
        for requirement in (*server.requires, server.overlay)
        if requirement in failures
    }


def _install_overlay(environment: Environment, requirement: str, say: Say) -> str | None:
    """Install a requirement into a folder of its own, if it is not there; return why it failed."""
    folder = environment.overlay(requirement)
    if folder.exists():
        return None
    say(f"installing {requirement} beside the others")
    return _pip_install(environment, "--no-deps", "--target", str(folder), requirement)


def _sources_digest() -> str:
    """Return a digest of everything in the checkout that ESG is built from."""
    digest = hashlib.sha256(repr(ESG_EXTRAS).encode())
    for name in ("pyproject.toml", "setup.py", "MANIFEST.in", "build_accel", "esg"):
        path = CHECKOUT / name
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if file.is_file() and not any(file.match(pattern) for pattern in NOT_SOURCES):
                digest.update(str(file.relative_to(CHECKOUT)).encode() + b"\0")
                digest.update(file.read_bytes())
    return digest.hexdigest()


def _install_esg(environment: Environment, interpreter: str, say: Say) -> str | None:
    """Install ESG from the checkout, from a copy so that nothing is built in the checkout.

    Returns:
        Why that failed, if it did.
    """
    if not (CHECKOUT / "pyproject.toml").exists():
        return "the checkout has no pyproject.toml"
    record = environment.folder / "esg-sources"
    digest = _sources_digest()
    if record.exists() and record.read_text() == digest:
        return None
    say(f"installing ESG from the checkout for {interpreter}")
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder, "esg")
        shutil.copytree(CHECKOUT, copy, ignore=shutil.ignore_patterns(*NOT_SOURCES))
        extras = ESG_EXTRAS[interpreter]
        reason = _pip_install(environment, f"{copy}[{extras}]")  # A folder is always rebuilt.
    if reason is not None:
        return f"ESG cannot be installed: {reason}"
    record.write_text(digest)
    return None


def compile_program(
    source: Path, program: Path, *headers: Path, flags: Sequence[str] = ("-O2",)
) -> str | None:
    """Compile one C file if it has changed since; return why that failed, if it did."""
    changed = max(file.stat().st_mtime for file in (source, *headers))
    if program.exists() and program.stat().st_mtime >= changed:
        return None
    program.parent.mkdir(exist_ok=True)
    compiler = os.environ.get("CC", "cc")
    reason = _last_word_of_failure([compiler, *flags, "-o", str(program), str(source)])
    return f"{source.name} cannot be compiled: {reason}" if reason else None
