"""ESG's pytest plugin: `esg_server`, `esg_row` and `esg_rows`; documented in docs/testing.md.

pytest imports this module in every run where ESG is installed. So it stands outside of the package,
and imports it only for those who ask for a fixture.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from esg.asgi import ASGIApp
    from esg.testing import LiveServer, StartServer

_MARKER = """\
esg_rows(*patterns): run a test that uses ESG's fixtures only on the rows that a pattern matches, \
such as "*-asyncio"."""
_CHOSEN = pytest.StashKey[tuple[str, ...]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the choice of rows, for a run and for a project."""
    text = "rows that esg_server serves on, such as pure-asyncio,fast-uvloop (all that can run)"
    parser.getgroup("esg", "ESG").addoption("--esg-rows", metavar="ROWS", help=text)
    parser.addini("esg_rows", text, type="args", default=[])


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker, and refuse rows that are asked for and cannot run."""
    config.addinivalue_line("markers", _MARKER)
    if _named(config):
        _chosen(config)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Repeat what uses `esg_row`, by itself or through `esg_server`, for every row."""
    if "esg_row" in metafunc.fixturenames:
        rows = _rows_of(metafunc.definition)
        metafunc.parametrize("esg_row", rows, indirect=True, scope="session")


@pytest.fixture(scope="session")
def esg_row(request: pytest.FixtureRequest) -> str:
    """Return the row of this run of the test, such as "fast-uvloop"."""
    row: str = request.param
    return row


@pytest.fixture
def esg_rows(request: pytest.FixtureRequest) -> tuple[str, ...]:
    """Return all rows, for a test that compares them."""
    return _rows_of(request.node)


@pytest.fixture
def esg_server(esg_row: str) -> Iterator[StartServer]:
    """Return a function that serves an application for the time of the test, on every row.

    It takes what `esg.testing.serve` takes, but for the row, and returns the LiveServer.
    """
    from esg.testing import serve  # noqa: PLC0415 - see above

    with ExitStack() as servers:

        def start(app: ASGIApp | str, **settings: Any) -> LiveServer:
            return servers.enter_context(serve(app, esg_row, **settings))

        yield start


def _named(config: pytest.Config) -> list[str]:
    option: str | None = config.getoption("esg_rows")
    named: list[str] = config.getini("esg_rows") if option is None else option.split(",")
    return named


def _chosen(config: pytest.Config) -> tuple[str, ...]:
    from esg.testing.rows import chosen_rows  # noqa: PLC0415 - see above

    if _CHOSEN not in config.stash:
        try:
            config.stash[_CHOSEN] = chosen_rows(_named(config))
        except ValueError as error:
            raise pytest.UsageError(f"--esg-rows: {error}") from None
    return config.stash[_CHOSEN]


def _rows_of(node: pytest.Item) -> tuple[str, ...]:
    from esg.testing.rows import matching_rows  # noqa: PLC0415 - see above

    rows = _chosen(node.config)
    for marker in node.iter_markers("esg_rows"):
        try:
            rows = matching_rows(rows, marker.args)
        except ValueError as error:
            raise pytest.UsageError(f"{node.nodeid}: esg_rows: {error}") from None
    return rows
