"""That an archive, installed by pip into an empty environment, serves."""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

import httpx
from websockets.sync.client import connect

from release.archives import REPOSITORY, run
from tests.server import ServerProcess

_WHERE = "import esg, pathlib; print(pathlib.Path(esg.__file__).parent)"


def try_out(folder: Path, version: str, python: Path, expects: str) -> str:
    """Let pip choose among the archives, install that and what it asks for, and use it.

    Args:
        folder: with the archives.
        version: the one that they are of.
        python: an interpreter; nothing is installed beside it.
        expects: what `esg --version` must say.

    Returns:
        The name of the archive that was chosen.

    Raises:
        AssertionError, SystemExit: it is not as it should be.
    """
    with tempfile.TemporaryDirectory() as scratch:
        place = Path(scratch)
        programs = _environment(place, python)
        archive = _chosen(folder, version, programs / "python", place)
        run(*_pip(programs / "python"), "install", "--quiet", archive, cwd=place)
        where = run(programs / "python", "-c", _WHERE, cwd=place)
        assert where.startswith(str(place)), where
        said = run(programs / "esg", "--version", cwd=place)
        assert said.startswith(f"ESG {version} "), said
        assert expects in said, said
        _serve(programs / "esg", place)
        return archive.name


def _environment(place: Path, python: Path) -> Path:
    """Make an empty environment; return the folder of its programs."""
    run(python, "-m", "venv", "--without-pip", place / "venv", cwd=place)
    return place / "venv" / "bin"


def _pip(python: Path) -> tuple[str | Path, ...]:
    return (sys.executable, "-m", "pip", "--python", python)


def _chosen(folder: Path, version: str, python: Path, place: Path) -> Path:
    """Return what pip takes for this interpreter: with its tags, not ours."""
    wish = ("--no-deps", "--no-index", "--find-links", folder, f"esg=={version}")
    run(*_pip(python), "download", "--quiet", "--dest", place / "chosen", *wish, cwd=place)
    (archive,) = (place / "chosen").iterdir()
    return archive


def _serve(program: Path, place: Path) -> None:
    """Serve the demo without the tree: a page, an upload, a WebSocket, a stop."""
    shutil.copytree(REPOSITORY / "examples", place / "examples")
    command = (str(program), "--app-dir", str(place))
    arguments = ("--port", "0", "examples.demo:app")
    server = ServerProcess(arguments, env={"PYTHONPATH": ""}, cwd=place, command=command)
    try:
        server.wait_started()
        assert "<title>" in httpx.get(server.url).text
        upload = httpx.post(f"{server.url}/api/upload", content=b"u" * 100_000, timeout=60)
        assert upload.json()["bytes"] == 100_000, upload.text
        with connect(f"ws{server.url[4:]}/api/echo") as socket:
            socket.send("hello")
            assert socket.recv(60) == "hello"
        assert server.stop() == 0
    finally:
        server.end()
