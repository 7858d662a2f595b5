"""Options, targets and the running suite of the conformance tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.conformance.cases import ALL_CASES
from tests.conformance.model import Case
from tests.conformance.suite import Suite, modes_of
from tests.conformance.targets import Target, foreign_target, own_targets


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


def chosen_targets(config: pytest.Config) -> list[Target]:
    """Return the targets that this session is to run."""
    if template := config.getoption("--target-command", None):
        return [foreign_target(template)]
    wanted = config.getoption("--target", [])
    return [target for target in own_targets() if not wanted or target.id in wanted]


def case_id(case: Case, target: Target, mode: str) -> str:
    """Name one run of a case."""
    return f"{case.id}[{target.id}-{mode}]"


def applies(case: Case, target: Target) -> bool:
    """Tell whether a case can be put to a target: ESG's options exist on ESG alone."""
    needs_esg = case.options or case.esg_only or case.environment or not case.listens
    return target.exact or not needs_esg


def is_served(case: Case, config: pytest.Config) -> bool:
    """Tell whether a case is run: those of WebSocket, which no row serves yet, if a target is named."""
    named = config.getoption("--target") or config.getoption("--target-command")
    return bool(named) or not case.id.startswith("websocket_")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Make one test per case, target and mode, and one per case for the comparison."""
    targets = chosen_targets(metafunc.config)
    if {"target", "case", "mode"} <= set(metafunc.fixturenames):
        runs = [
            pytest.param(target, case, mode, id=case_id(case, target, mode))
            for target in targets
            for case in ALL_CASES
            if applies(case, target) and is_served(case, metafunc.config)
            for mode in modes_of(target, case)
        ]
        metafunc.parametrize(("target", "case", "mode"), runs)
    elif "compared" in metafunc.fixturenames:
        cases = ALL_CASES if len(targets) > 1 else []
        metafunc.parametrize("compared", [pytest.param(case, id=case.id) for case in cases])


@pytest.fixture(scope="session")
def suite() -> Iterator[Suite]:
    """Return the suite that runs every case of this session."""
    running = Suite()
    yield running
    running.close()


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
