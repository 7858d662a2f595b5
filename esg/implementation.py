"""The choice of implementation and loop: one function, and the only module that names drivers.

"fast" is the user's word for the driver in `esg.accel`; this file holds the only mapping.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from esg._version import __version__
from esg.errors import ConfigError, StartupError
from esg.service import Service

# `platform` knows them, too, and takes longer to import than all else here.
_PYTHONS = {"cpython": "CPython", "pypy": "PyPy"}
Serve = Callable[[Service], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Implementation:
    """Name what serves.

    Attributes:
        name: "pure" or "fast".
        loop: "asyncio", "uvloop" or "trio".
        serve: the driver's entrance.
        reason: why this one, where the user left the choice to us.
    """

    name: str
    loop: str
    serve: Serve
    reason: str

    def describe(self) -> str:
        """Say in one phrase what runs on what."""
        python = _PYTHONS.get(sys.implementation.name, sys.implementation.name)
        return f"{self.name} on {self.loop}, {python} {sys.version.split()[0]}"

    def parser(self) -> str:
        """Name what parses HTTP, with its version."""
        if self.name == "fast":
            return f"llhttp {importlib.import_module('esg.accel.llhttp').VERSION}"
        from importlib import metadata  # noqa: PLC0415 - a megabyte, for --version alone

        return f"h11 {metadata.version('h11')}"

    def info(self) -> dict[str, Any]:
        """Return what an application may know of its server."""
        return {
            "version": __version__,
            "implementation": self.name,
            "loop": self.loop,
            "reason": self.reason,
        }


def resolve(impl: str, loop: str) -> Implementation:
    """Choose the implementation and the loop.

    Args:
        impl: "auto", "pure" or "fast".
        loop: "auto", "asyncio", "uvloop" or "trio".

    Raises:
        ConfigError: the two exclude each other.
        StartupError: what was asked for by name is not installed.
    """
    if impl == "fast" and loop == "trio":
        raise ConfigError("--impl fast runs on asyncio and uvloop, not on trio")
    missing = _why_not_fast()
    if impl == "fast" and missing:
        raise StartupError(f"--impl fast: {missing}")
    if impl == "fast" or (impl == "auto" and not missing and loop != "trio"):
        return _fast(impl, loop)
    return _pure(impl, loop, missing)


def _fast(impl: str, loop: str) -> Implementation:
    if loop == "auto":
        loop = "uvloop" if _installed("uvloop") else "asyncio"
    _require_loop(loop)
    reason = "asked for" if impl == "fast" else "it is built"
    return Implementation("fast", loop, _driver("esg.accel.server"), reason)


def _pure(impl: str, loop: str, missing: str) -> Implementation:
    reason = "trio is asked for" if loop == "trio" else missing
    if impl == "pure":
        reason = "asked for"
    if loop == "auto":
        loop = "asyncio"
    _require_loop(loop)
    return Implementation("pure", loop, _driver("esg.pure.server"), reason)


def _why_not_fast() -> str:
    """Return why the fast driver cannot be chosen, "" if it can.

    Only its absence counts: a fast driver that is there but fails to import must not look like
    a choice, so its error is raised when it is loaded.
    """
    try:
        found = importlib.util.find_spec("esg.accel.server")
    except ModuleNotFoundError as error:
        if error.name != "esg.accel":
            raise
        found = None
    return "" if found else f"the fast implementation is not built: {_build_result()}"


def _build_result() -> str:
    """Return what the build recorded of the compiled part that is not here."""
    try:
        record = importlib.import_module("esg.accel._build_info")
    except ModuleNotFoundError as error:
        if error.name not in {"esg.accel", "esg.accel._build_info"}:
            raise
        return "ESG runs from its source tree; 'pip install' builds it"
    reason: str = record.REASON
    return reason or f"it was built for {record.BUILT_FOR} only"


def _driver(module: str) -> Serve:
    serve: Serve = importlib.import_module(module).serve
    return serve


def _installed(module: str) -> bool:
    return importlib.util.find_spec(module) is not None


def _require_loop(loop: str) -> None:
    if loop != "asyncio" and not _installed(loop):
        hint = "pip install 'esg[trio]'" if loop == "trio" else "pip install 'esg[standard]'"
        raise StartupError(f"--loop {loop}: {loop} is not installed ({hint})")


def running_loop() -> str:
    """Return the name of the loop that runs the caller: "asyncio", "uvloop" or "trio"."""
    trio = sys.modules.get("trio")
    if trio is not None and trio.lowlevel.in_trio_run():
        return "trio"
    asyncio = sys.modules["asyncio"]
    loop = type(asyncio.get_running_loop())
    return "uvloop" if loop.__module__.partition(".")[0] == "uvloop" else "asyncio"


def run_loop(loop: str, function: Callable[[], Awaitable[None]]) -> None:
    """Run an async function to its end on a fresh loop.

    Args:
        loop: "asyncio", "uvloop" or "trio".
        function: takes no arguments.
    """
    import anyio  # noqa: PLC0415 - importing a loop is this function's business

    if loop == "trio":
        anyio.run(function, backend="trio")
    else:
        anyio.run(function, backend="asyncio", backend_options={"use_uvloop": loop == "uvloop"})
