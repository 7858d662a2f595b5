"""Options, targets and the running suite of the conformance tests."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.conformance import json_report
from tests.conformance.cases import ALL_CASES
from tests.conformance.model import Case
from tests.conformance.suite import Suite, modes_of
from tests.conformance.targets import Target, foreign_target, own_targets, target_named


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options that choose targets."""
    group = parser.getgroup("conformance")
    group.addoption(
        "--target", action="append", default=[], help="run the cases on this target only"
    )
    group.addoption(
        "--target-command",
        default=None,
        help="run the cases on another server: a command with {app} and {port} in it",
    )
    group.addoption(
        "--patience",
        type=float,
        default=None,
        metavar="SECONDS",
        help="how long to wait for what must come (of other servers than ESG: 5)",
    )
    group.addoption(
        "--json", type=Path, default=None, metavar="FILE", help="write the results to a file"
    )


def chosen_targets(config: pytest.Config) -> list[Target]:
    """Return the targets that this session is to run."""
    targets = _named_targets(config)
    patience = config.getoption("--patience", None)
    return [replace(target, patience=patience) for target in targets] if patience else targets


def _named_targets(config: pytest.Config) -> list[Target]:
    if template := config.getoption("--target-command", None):
        return [foreign_target(template)]
    wanted = config.getoption("--target", [])
    return [target_named(name) for name in wanted] if wanted else list(own_targets())


def case_id(case: Case, target: Target, mode: str) -> str:
    """Name one run of a case."""
    return f"{case.id}[{target.id}-{mode}]"


def applies(case: Case, target: Target) -> bool:
    """Tell whether a case can be put to a target."""
    if case.without_tls if target.secure else case.over_tls:
        return False
    return target.exact or case.open_to_all


@functools.cache
def sample() -> set[str]:
    """Return the ids of the sample: the first case of each number of the design in each group."""
    firsts = {(case.group, case.number): case.id for case in reversed(ALL_CASES)}
    return set(firsts.values())


def marks(target: Target, case: Case) -> list[pytest.MarkDecorator]:
    """Return the marks of one run: what `make test` leaves out of a target that it samples."""
    left_out = target.sampled and case.id not in sample()
    return [pytest.mark.exhaustive] if left_out else []


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Make one test per case, target and mode, and one per case for the comparison."""
    targets = chosen_targets(metafunc.config)
    if {"target", "case", "mode"} <= set(metafunc.fixturenames):
        runs = [
            pytest.param(
                *(target, case, mode),
                id=case_id(case, target, mode),
                marks=marks(target, case),
            )
            for target in targets
            for case in ALL_CASES
            if applies(case, target)
            for mode in modes_of(target, case)
        ]
        metafunc.parametrize(("target", "case", "mode"), runs)
    elif "compared" in metafunc.fixturenames:
        cases = ALL_CASES if len(targets) > 1 else []
        metafunc.parametrize("compared", [pytest.param(case, id=case.id) for case in cases])


@pytest.fixture(scope="session")
def suite(pytestconfig: pytest.Config) -> Iterator[Suite]:
    """Return the suite that runs every case of this session."""
    running = Suite()
    yield running
    running.close()
    if path := pytestconfig.getoption("--json"):
        json_report.write(path, running.outcomes())


@pytest.fixture(scope="session")
def selected(request: pytest.FixtureRequest) -> dict[str, list[Case]]:
    """Return the cases that this session has selected, by target."""
    chosen: dict[str, dict[str, Case]] = {}
    for item in request.session.items:
        parameters = getattr(getattr(item, "callspec", None), "params", {})
        if "target" in parameters and "case" in parameters:
            case = parameters["case"]
            chosen.setdefault(parameters["target"].id, {})[case.id] = case
    return {target: list(cases.values()) for target, cases in chosen.items()}
