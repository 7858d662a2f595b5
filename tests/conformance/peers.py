"""Other servers that the suite runs on by name: one table, and the environment they live in.

`make conformance-peers` installs them into a virtual environment of their own. Each runs one
worker, with its defaults but for this: it keeps idle connections longer than the suite waits for
a close that must come.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
FOLDER = REPOSITORY / ".cache" / "conformance-peers"
PYTHON = FOLDER / "bin" / "python"
RECORD = FOLDER / "installed.json"
VERSION_OF = "import importlib.metadata as m, sys; print(m.version(sys.argv[1]))"


@dataclass(frozen=True)
class Peer:
    """One server in one configuration.

    Args:
        id: the name for `--target`.
        command: the command line, with {python}, {app} and {port} left open.
        requires: what pip installs for it; the first is the server itself.
    """

    id: str
    command: str
    requires: tuple[str, ...]

    @property
    def distribution(self) -> str:
        """The name of the server's own distribution."""
        return self.requires[0].partition("[")[0].partition(">")[0]

    @property
    def missing(self) -> str | None:
        """Why it cannot run, None if it can."""
        if set(self.requires) <= set(installed()):
            return None
        return f"{self.id} is not installed: `make conformance-peers` does it"

    def version(self) -> str:
        """Return the installed version, with the server's name."""
        asked = [str(PYTHON), "-c", VERSION_OF, self.distribution]
        done = subprocess.run(asked, check=True, capture_output=True, text=True)
        return f"{self.distribution} {done.stdout.strip()}"


UVICORN = "{python} -m uvicorn {app} --port {port} --timeout-keep-alive 60"
HYPERCORN = "{python} -m hypercorn {app} --bind 127.0.0.1:{port} --keep-alive 60"

PEERS = (
    Peer("uvicorn-httptools", f"{UVICORN} --http httptools --loop uvloop", ("uvicorn[standard]",)),
    Peer("uvicorn-h11", f"{UVICORN} --http h11 --loop asyncio", ("uvicorn[standard]",)),
    Peer("granian", "{python} -m granian {app} --interface asgi --port {port}", ("granian",)),
    Peer("hypercorn-asyncio", f"{HYPERCORN} --worker-class asyncio", ("hypercorn[trio]",)),
    Peer("hypercorn-trio", f"{HYPERCORN} --worker-class trio", ("hypercorn[trio]",)),
    Peer("daphne", "{python} -m daphne {app} --port {port}", ("daphne",)),
    Peer(
        "gunicorn-asgi",
        "{python} -m gunicorn {app} --worker-class asgi --bind 127.0.0.1:{port} --keep-alive 60",
        ("gunicorn>=25",),
    ),
    Peer("h2corn", "{python} -m h2corn {app} --bind 127.0.0.1:{port}", ("h2corn",)),
    Peer(
        "fastpysgi",
        "{python} -c 'import fastpysgi; fastpysgi.run_from_cli()' {app}"
        " --host 127.0.0.1 --port {port}",
        ("fastpysgi",),
    ),
)


def peer(id: str) -> Peer | None:
    """Return the peer of this name, None if there is none."""
    return next((peer for peer in PEERS if peer.id == id), None)


def installed() -> list[str]:
    """List the requirements that the environment has been given."""
    if not RECORD.exists():
        return []
    record: list[str] = json.loads(RECORD.read_text("utf-8"))
    return record


def install() -> list[str]:
    """Make the environment and install what is not yet in it; return what could not be."""
    if not PYTHON.exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", FOLDER], check=True)
    done, failed = installed(), []
    for requirement in dict.fromkeys(r for peer in PEERS for r in peer.requires):
        if requirement in done:
            continue
        sys.stderr.write(f"installing {requirement}\n")
        pip = [str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        if subprocess.run([*pip, requirement], check=False).returncode:
            failed.append(requirement)
            continue
        done.append(requirement)
        RECORD.write_text(json.dumps(done), "utf-8")
    return failed
