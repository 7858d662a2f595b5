"""Frameworks and the extensions that ESG offers in the scope."""

from __future__ import annotations

import http.client
import sys
from pathlib import Path

import httpx
import pytest

from tests.conftest import Serve
from tests.ecosystem import environment
from tests.ecosystem.sites import SITES
from tests.rows import Row

# Without `-W error`: what a framework warns of is not ours.
COMMAND = (sys.executable, "-m", "esg")


def test_starlette_has_the_server_send_its_file(serve: Serve, row: Row, tmp_path: Path) -> None:
    """FileResponse finds http.response.pathsend in the scope, and reads nothing itself."""
    file = tmp_path / "file.bin"
    file.write_bytes(bytes(range(256)) * 8192)
    server = serve(
        *("--log-level", "trace"),
        app=f"{SITES}.starlette_site:app",
        row=row,
        env={"ECOSYSTEM_FILE": str(file)},
        command=COMMAND,
    )
    assert httpx.get(f"{server.url}/file").content == file.read_bytes()
    server.stderr.wait_for(f"'http.response.pathsend', 'path': '{file}'")
    assert not server.stderr.matching("'http.response.body'")


def test_event_streams_end_at_the_stop(serve: Serve, asyncio_row: Row) -> None:
    """They have longer than the test waits, and end at once: `esg.shutdown` tells them to."""
    server = serve(
        *("--timeout-graceful-shutdown", "600"),
        app=f"{SITES}.stopping_events_site:app",
        row=asyncio_row,
        command=(str(environment.prepare()), "-m", "esg"),
    )
    with server.connect() as client:
        client.request("/endless")
        stream = client.start_response()
        assert b"tick" in stream.read(10)
        assert server.stop() == 0
        with pytest.raises(http.client.IncompleteRead):
            stream.read()
    assert "# shutdown" in server.stdout()
