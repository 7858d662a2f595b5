"""The site is built without a warning, and ESG serves it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.conftest import Serve
from tests.server import REPOSITORY

BOUND = 300  # seconds


def test_site(tmp_path: Path, serve: Serve) -> None:
    built = tmp_path / "site"
    options = (
        "--quiet",
        "--fail-on-warning",
        "-c",
        "docs",
        "-b",
        "html",
        "-d",
        str(tmp_path / "read"),
    )
    done = subprocess.run(
        [sys.executable, "-m", "sphinx", *options, ".", str(built)],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
        timeout=BOUND,
    )
    assert (done.returncode, done.stderr) == (0, "")
    server = serve(
        "--factory", app="examples.static_files:serve", env={"STATIC_FILES": str(built)}, row=None
    )
    with server.connect() as client:
        entrance = client.get("/")
        assert entrance.field("content-type") == "text/html; charset=utf-8"
        assert "url=docs/index.html" in entrance.text
        contents = client.get("/docs/index.html").text
        assert "Five minutes" in contents
        assert 'id="esg.Server.serve"' in client.get("/docs/api.html").text
