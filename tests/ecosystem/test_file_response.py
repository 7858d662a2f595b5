"""Starlette's FileResponse finds http.response.pathsend in the scope, and reads nothing itself."""

from __future__ import annotations

import sys
from pathlib import Path

import httpx

from tests.conftest import Serve
from tests.rows import Row

# Without `-W error`: what a framework warns of is not ours.
COMMAND = (sys.executable, "-m", "esg")


def test_the_server_sends_the_file(serve: Serve, row: Row, tmp_path: Path) -> None:
    file = tmp_path / "file.bin"
    file.write_bytes(bytes(range(256)) * 8192)
    server = serve(
        *("--log-level", "trace"),
        app="tests.ecosystem.sites.starlette_site:app",
        row=row,
        env={"ECOSYSTEM_FILE": str(file)},
        command=COMMAND,
    )
    assert httpx.get(f"{server.url}/file").content == file.read_bytes()
    server.stderr.wait_for(f"'http.response.pathsend', 'path': '{file}'")
    assert not server.stderr.matching("'http.response.body'")
