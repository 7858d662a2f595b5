"""The rule modules as fixtures, so that a test never names the twin it runs on."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from types import ModuleType

import pytest

INTERPRETED = "esg.rules"
COMPILED = "esg.accel.rules"


def find_twins(name: str) -> dict[str, ModuleType]:
    """Import a rule module in every form that exists here.

    Args:
        name: of the module, such as "request_head".

    Raises:
        ImportError: a compiled twin exists and is broken: that must never look like its absence.
    """
    twins = {"interpreted": import_module(f"{INTERPRETED}.{name}")}
    absent = {"esg.accel", COMPILED, f"{COMPILED}.{name}"}
    try:
        twins["compiled"] = import_module(f"{COMPILED}.{name}")
    except ModuleNotFoundError as missing:
        if missing.name not in absent:
            raise
    return twins


def rule(name: str) -> Callable[..., ModuleType]:
    """Make a fixture that gives a rule module, once for each of its twins."""
    twins = find_twins(name)

    # Of module scope, since hypothesis calls a test many times within one set-up.
    @pytest.fixture(scope="module", params=list(twins), name=name)
    def module(request: pytest.FixtureRequest) -> ModuleType:
        return twins[request.param]

    return module
