"""What all tests of the program share: rows, loops and servers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Protocol

import pytest

from tests.rows import FIRST_ROW, ROWS, Row, in_ci
from tests.server import ESG, REPOSITORY, ServerProcess

STAGE = "tests.apps.stage:app"


class Serve(Protocol):
    """Start a server and wait until it listens; it ends with the test."""

    def __call__(
        self,
        *options: str,
        app: str = STAGE,
        row: Row | None = FIRST_ROW,
        env: Mapping[str, str] | None = None,
        cwd: Path = REPOSITORY,
        pass_fds: Sequence[int] = (),
        command: Sequence[str] = ESG,
    ) -> ServerProcess:
        """Start it.

        Args:
            options: after those of the row and `--port 0`.
            app: "module:attribute".
            row: None for none of a row's options.
            env: variables besides this process's own.
            cwd: where it runs.
            pass_fds: descriptors that it inherits.
            command: what to run instead of `python -m esg`.
        """


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Refuse names that another process of the same run would not have."""
    changing = [item.nodeid for item in items if " at 0x" in item.nodeid]
    if changing:
        raise pytest.UsageError(f"a test's name must not hold an address: {changing[0]}")


def _serving(ended: ExitStack) -> Serve:
    def start(
        *options: str,
        app: str = STAGE,
        row: Row | None = FIRST_ROW,
        **details: Any,
    ) -> ServerProcess:
        chosen = () if row is None else row.options
        place = () if {"--uds", "--fd", "--bind"} & set(options) else ("--port", "0")
        server = ServerProcess([*chosen, *place, *options, app], **details)
        ended.callback(server.end)
        server.wait_started()
        return server

    return start


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Return a function that starts servers for one test."""
    with ExitStack() as ended:
        yield _serving(ended)


@pytest.fixture(scope="module")
def serve_module() -> Iterator[Serve]:
    """Return a function that starts servers for the tests of one module."""
    with ExitStack() as ended:
        yield _serving(ended)


def require(row: Row) -> Row:
    """Return a row that can run; skip what needs another, which is an error in CI."""
    if row.missing and in_ci():
        pytest.fail(f"the row {row.id} cannot run: {row.missing}")
    if row.missing:
        pytest.skip(row.missing)
    return row


@pytest.fixture(scope="module", params=ROWS, ids=lambda row: row.id)
def row(request: pytest.FixtureRequest) -> Row:
    """Return every row, one after the other."""
    return require(request.param)


@pytest.fixture(scope="module", params=[r for r in ROWS if r.loop != "trio"], ids=lambda r: r.id)
def asyncio_row(request: pytest.FixtureRequest) -> Row:
    """Return every row on an asyncio loop."""
    return require(request.param)


_LOOPS: dict[str, tuple[str, dict[str, Any]]] = {
    "asyncio": ("asyncio", {"use_uvloop": False}),
    "uvloop": ("asyncio", {"use_uvloop": True}),
    "trio": ("trio", {}),
}


@pytest.fixture(params=[pytest.param(r, id=r.loop) for r in ROWS if r.impl == "pure"])
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, Any]]:
    """Return every loop, for tests that run on one themselves (`pytest.mark.anyio`)."""
    return _LOOPS[require(request.param).loop]


@pytest.fixture
def write_module(tmp_path: Path) -> Callable[[str, str], Path]:
    """Return a function that writes a module into a directory of its own."""

    def write(name: str, source: str) -> Path:
        (tmp_path / f"{name}.py").write_text(source, "utf-8")
        return tmp_path

    return write
