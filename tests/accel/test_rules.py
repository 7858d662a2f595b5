"""The types of the compiled rule modules agree with their sources.

What a .pxd forgets compiles, and fails only where it is used; how the twins behave is tested by
tests/rules, which runs on both.
"""

from __future__ import annotations

import inspect
import re
from importlib import import_module
from types import ModuleType

import pytest

from build_accel.extensions import sources
from tests.rules.twins import COMPILED, INTERPRETED, find_twins
from tests.server import REPOSITORY

NAMES = [m.removeprefix(f"{COMPILED}.") for m in sources(REPOSITORY) if m.startswith(COMPILED)]
_PROTOCOLS = {"Head", "Plan", "Trusted", "Wire"}


def own_classes(module: ModuleType) -> list[type]:
    """List the classes that a module defines."""
    found = inspect.getmembers(module, inspect.isclass)
    return [c for name, c in found if c.__module__ == module.__name__ and name not in _PROTOCOLS]


def slots(rule_class: type) -> set[str]:
    """Return the attributes of a class's instances."""
    return set(vars(rule_class)["__slots__"])


@pytest.mark.parametrize("name", NAMES)
def test_every_attribute_is_declared(name: str) -> None:
    declarations = (REPOSITORY / f"esg/accel/rules/{name}.pxd").read_text("utf-8")
    for rule_class in own_classes(import_module(f"{INTERPRETED}.{name}")):
        body = re.search(
            rf"^cdef class {rule_class.__name__}:\n((?:    .*\n|\n)+)", declarations, re.MULTILINE
        )
        assert body, f"{rule_class.__name__} is not declared"
        declared = set(re.findall(r"^    cdef (?:public )?[\w ]*?(\w+)$", body[1], re.MULTILINE))
        assert declared == slots(rule_class)


@pytest.mark.parametrize("name", NAMES)
def test_public_attributes_are_visible_to_python(name: str) -> None:
    twins = find_twins(name)
    if "compiled" not in twins:
        pytest.skip("esg.accel is not built")
    for rule_class in own_classes(twins["interpreted"]):
        compiled = getattr(twins["compiled"], rule_class.__name__)
        public = {slot for slot in slots(rule_class) if not slot.startswith("_")}
        assert public <= set(dir(compiled))
