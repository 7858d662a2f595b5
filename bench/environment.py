"""Make what the servers run in: a virtual environment with the peers and ESG, and the C floor.

Everything is made once and reused: the peers until the folder is removed, ESG until its sources
change, the floor until floor.c changes.
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

from servers import Server

BENCH = Path(__file__).resolve().parent
CHECKOUT = BENCH.parent
ESG_EXTRAS = "standard,trio"
INSTALL_TIMEOUT = 600
NOT_SOURCES = (".*", "bench", "build", "dist", "*.egg-info", "__pycache__", "*.so", "*.pyc")
VERSIONS = (
    "import importlib.metadata as m, json;"
    "print(json.dumps({d.metadata['Name'].lower(): d.version for d in m.distributions()}))"
)

Say = Callable[[str], None]


@dataclass(frozen=True)
class Environment:
    """The folders that commands of the server table are filled in from."""

    folder: Path
    programs: Path

    @property
    def scripts(self) -> Path:
        """Return the folder of the installed commands."""
        return self.folder / "bin"

    @property
    def python(self) -> Path:
        """Return the interpreter that the servers run on."""
        return self.scripts / "python"

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


def prepare(servers: Iterable[Server], say: Say) -> tuple[Environment, dict[str, str]]:
    """Install and compile what the servers need.

    Returns:
        The environment, and why servers that cannot run cannot, by name.
    """
    chosen = tuple(servers)
    environment = Environment(BENCH / ".venv" / str(sys.implementation.cache_tag), BENCH / ".build")
    if not environment.python.exists():
        say(f"making {environment.folder.relative_to(BENCH)}")
        subprocess.run([sys.executable, "-m", "venv", environment.folder], check=True)
    missing = _install_peers(environment, chosen, say)
    if any(server.is_ours for server in chosen):
        reason = _install_esg(environment, say)
        missing.update({server.name: reason for server in chosen if server.is_ours and reason})
    if any("{build}" in server.command for server in chosen):
        reason = compile_program(BENCH / "floor.c", environment.programs / "floor")
        missing.update({s.name: reason for s in chosen if "{build}" in s.command and reason})
    return environment, missing


def _pip_install(environment: Environment, *arguments: str) -> str | None:
    """Install by pip and return its last word if that fails."""
    pip = ("-m", "pip", "--quiet", "--disable-pip-version-check")
    return _last_word_of_failure([environment.python, *pip, "install", *arguments])


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
    for requirement in dict.fromkeys(r for server in servers for r in server.requires):
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
    digest = hashlib.sha256(ESG_EXTRAS.encode())
    for name in ("pyproject.toml", "setup.py", "MANIFEST.in", "build_accel", "esg"):
        path = CHECKOUT / name
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if file.is_file() and not any(file.match(pattern) for pattern in NOT_SOURCES):
                digest.update(str(file.relative_to(CHECKOUT)).encode() + b"\0")
                digest.update(file.read_bytes())
    return digest.hexdigest()


def _install_esg(environment: Environment, say: Say) -> str | None:
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
    say("installing ESG from the checkout")
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder, "esg")
        shutil.copytree(CHECKOUT, copy, ignore=shutil.ignore_patterns(*NOT_SOURCES))
        reason = _pip_install(environment, f"{copy}[{ESG_EXTRAS}]")  # A folder is always rebuilt.
    if reason is not None:
        return f"ESG cannot be installed: {reason}"
    record.write_text(digest)
    return None


def compile_program(source: Path, program: Path) -> str | None:
    """Compile one C file if it is newer than its program; return why that failed, if it did."""
    if program.exists() and program.stat().st_mtime >= source.stat().st_mtime:
        return None
    program.parent.mkdir(exist_ok=True)
    compiler = os.environ.get("CC", "cc")
    reason = _last_word_of_failure([compiler, "-O2", "-o", str(program), str(source)])
    return f"{source.name} cannot be compiled: {reason}" if reason else None
