"""Options, rows and the running suite of the conformance tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.conformance.available import available_rows
from tests.conformance.cases import ALL_CASES
from tests.conformance.model import Case
from tests.conformance.rows import Row, foreign_row, in_ci
from tests.conformance.suite import Suite, modes_of


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options that choose rows and other servers."""
    group = parser.getgroup("conformance")
    group.addoption("--row", action="append", default=[], help="run this row only (repeatable)")
    group.addoption(
        "--target-command",
        default=None,
        help="run the cases on another server: a command with {app} and {port} in it",
    )


def chosen_rows(config: pytest.Config) -> list[Row]:
    """Return the rows that this session is to run."""
    if template := config.getoption("--target-command", None):
        return [foreign_row(template)]
    wanted = config.getoption("--row", [])
    return [row for row in available_rows() if not wanted or row.id in wanted]


def case_id(case: Case, row: Row, mode: str) -> str:
    """Name one run of a case."""
    return f"{case.id}[{row.id}-{mode}]"


def applies(case: Case, row: Row) -> bool:
    """Tell whether a case can be put to a row: ESG's options exist on ESG alone."""
    needs_esg = case.options or case.esg_only or case.environment or not case.listens
    return row.exact or not needs_esg


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Make one test per case, row and mode, and one per case for the comparison of rows."""
    rows = chosen_rows(metafunc.config)
    if {"row", "case", "mode"} <= set(metafunc.fixturenames):
        runs = [
            pytest.param(row, case, mode, id=case_id(case, row, mode))
            for row in rows
            for case in ALL_CASES
            if applies(case, row)
            for mode in modes_of(row, case)
        ]
        metafunc.parametrize(("row", "case", "mode"), runs)
    elif "compared" in metafunc.fixturenames:
        cases = ALL_CASES if len(rows) > 1 else []
        metafunc.parametrize("compared", [pytest.param(case, id=case.id) for case in cases])


@pytest.fixture(scope="session")
def suite() -> Iterator[Suite]:
    """Return the suite that runs every case of this session."""
    running = Suite()
    yield running
    running.close()


@pytest.fixture
def selected(request: pytest.FixtureRequest) -> dict[str, list[Case]]:
    """Return the cases that this session has selected, by row."""
    chosen: dict[str, dict[str, Case]] = {}
    for item in request.session.items:
        parameters = getattr(getattr(item, "callspec", None), "params", {})
        if "row" in parameters:
            case = parameters["case"]
            chosen.setdefault(parameters["row"].id, {})[case.id] = case
    return {row: list(cases.values()) for row, cases in chosen.items()}


@pytest.fixture(scope="session")
def rows(pytestconfig: pytest.Config) -> list[Row]:
    """Return the chosen rows that can run."""
    return [row for row in chosen_rows(pytestconfig) if not row.unavailable]


def require(row: Row) -> None:
    """Skip a row that cannot run here; in CI that is an error."""
    if row.unavailable and in_ci():
        pytest.fail(f"the row {row.id} cannot run: {row.unavailable}")
    if row.unavailable:
        pytest.skip(f"{row.id}: {row.unavailable}")
