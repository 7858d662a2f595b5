"""What applications do with asyncio and anyio goes on beneath the fast implementation's task."""

from __future__ import annotations

import asyncio
import json
from functools import cache

import pytest

from tests.accel.asyncio_behaviours import BEHAVIOURS
from tests.conftest import Serve
from tests.rows import ROWS, Row
from tests.server import ServerProcess

APP = "tests.accel.asyncio_behaviours:app"
DEBUG = {"PYTHONASYNCIODEBUG": "1"}


@cache
def expected(name: str) -> object:
    """Return what a function gives under asyncio's own task, as JSON has it."""

    async def run() -> object:
        return await asyncio.get_running_loop().create_task(BEHAVIOURS[name]())  # type: ignore[arg-type]

    return json.loads(json.dumps(asyncio.run(run())))


@pytest.fixture(scope="module", params=[r for r in ROWS if r.impl == "fast"], ids=lambda r: r.id)
def fast_row(request: pytest.FixtureRequest) -> Row:
    row: Row = request.param
    if row.missing:
        pytest.skip(row.missing)
    return row


@pytest.fixture(scope="module", params=[{}, DEBUG], ids=["plain", "debug"])
def server(request: pytest.FixtureRequest, fast_row: Row, serve_module: Serve) -> ServerProcess:
    return serve_module(app=APP, row=fast_row, env=request.param)


@pytest.mark.parametrize("name", BEHAVIOURS)
def test_as_under_asyncio(name: str, server: ServerProcess) -> None:
    with server.connect() as connection:
        response = connection.get(f"/{name}")
    assert response.status == 200, server.stderr.text
    assert json.loads(response.body) == expected(name)
