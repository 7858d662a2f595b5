"""The compiled modules, for targets: they have no types that a checker could see."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType


def fast(name: str) -> ModuleType:
    """Import a module of the fast implementation.

    Raises:
        ModuleNotFoundError: it is not built.
    """
    return import_module(f"esg.accel.{name}")
