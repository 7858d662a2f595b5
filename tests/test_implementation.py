"""The choice of implementation and loop: the whole table, and what is no choice."""

from __future__ import annotations

import importlib
import importlib.util
import re
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import anyio
import pytest

import esg
from esg.errors import ConfigError, StartupError
from esg.implementation import resolve, run_loop, running_loop

PURE = importlib.import_module("esg.pure.server").serve
Build = Callable[[str], None]


@pytest.fixture
def build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Build:
    """Return a function that puts a driver with a source of its own in the fast one's place."""

    def put(source: str) -> None:
        package = tmp_path / "accel"
        package.mkdir()
        (package / "__init__.py").write_text("")
        (package / "server.py").write_text(source)
        monkeypatch.setattr(esg, "__path__", [str(tmp_path), *esg.__path__])
        importlib.invalidate_caches()

    for name in [n for n in sys.modules if n.startswith("esg.accel")]:
        monkeypatch.delitem(sys.modules, name)
    return put


@pytest.fixture
def _not_built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have no fast driver, whether it is built or not."""
    own = importlib.util.find_spec

    def find(name: str, package: str | None = None) -> object:
        if name.startswith("esg.accel"):
            raise ModuleNotFoundError(f"No module named {name!r}", name="esg.accel")
        return own(name, package)

    monkeypatch.setattr(importlib.util, "find_spec", find)


def lacking(monkeypatch: pytest.MonkeyPatch, *missing: str) -> None:
    """Make packages look as if they were not installed."""
    own = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *p: None if name in missing else own(name, *p)
    )


@pytest.mark.usefixtures("_not_built")
@pytest.mark.parametrize("impl", ["auto", "pure"])
@pytest.mark.parametrize(
    ("loop", "chosen"),
    [("auto", "asyncio"), ("asyncio", "asyncio"), ("uvloop", "uvloop"), ("trio", "trio")],
)
def test_pure_where_nothing_is_built(impl: str, loop: str, chosen: str) -> None:
    if importlib.util.find_spec(chosen) is None:
        pytest.skip(f"{chosen} is not installed")
    found = resolve(impl, loop)
    assert (found.name, found.loop, found.serve) == ("pure", chosen, PURE)
    reason = "the fast implementation is not built: " if loop != "trio" else "trio is asked for"
    assert found.reason.startswith(reason if impl == "auto" else "asked for")


@pytest.mark.parametrize("impl", ["auto", "fast"])
@pytest.mark.parametrize(
    ("loop", "chosen"), [("auto", "uvloop"), ("asyncio", "asyncio"), ("uvloop", "uvloop")]
)
def test_fast_where_it_is_built(build: Build, impl: str, loop: str, chosen: str) -> None:
    if importlib.util.find_spec(chosen) is None:
        pytest.skip(f"{chosen} is not installed")
    build("async def serve(service): ...\n")
    found = resolve(impl, loop)
    assert (found.name, found.loop) == ("fast", chosen)
    assert found.serve.__module__ == "esg.accel.server"
    assert found.reason == ("it is built" if impl == "auto" else "asked for")


def test_fast_without_uvloop(build: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    build("async def serve(service): ...\n")
    lacking(monkeypatch, "uvloop")
    assert resolve("auto", "auto").loop == "asyncio"


@pytest.mark.parametrize("loop", ["asyncio", "trio"])
def test_pure_though_fast_is_built(build: Build, loop: str) -> None:
    build("async def serve(service): ...\n")
    assert resolve("pure", loop).serve is PURE
    assert resolve("auto", "trio").reason == "trio is asked for"


@pytest.mark.usefixtures("_not_built")
def test_fast_that_is_not_built() -> None:
    with pytest.raises(StartupError, match=r"^--impl fast: the fast implementation is not built: "):
        resolve("fast", "auto")


@pytest.mark.usefixtures("_not_built")
@pytest.mark.parametrize(
    ("recorded", "said"),
    [("no compiler", "no compiler"), ("", "it was built for cpython-399-any only")],
)
def test_what_the_build_recorded_is_the_reason(
    recorded: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = ModuleType("esg.accel._build_info")
    vars(record).update(REASON=recorded, BUILT_FOR="cpython-399-any")
    monkeypatch.setitem(sys.modules, record.__name__, record)
    assert resolve("auto", "asyncio").reason == f"the fast implementation is not built: {said}"


@pytest.mark.usefixtures("_not_built")
def test_without_a_build_the_remedy_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "accel").mkdir()
    (tmp_path / "accel/__init__.py").write_text("")
    monkeypatch.setattr(esg, "__path__", [str(tmp_path), *esg.__path__])
    for name in [n for n in sys.modules if n.startswith("esg.accel")]:
        monkeypatch.delitem(sys.modules, name)
    importlib.invalidate_caches()
    assert "'pip install' builds it" in resolve("auto", "asyncio").reason


def test_parser_is_named_with_its_version() -> None:
    assert re.fullmatch(r"h11 [\d.]+", resolve("pure", "asyncio").parser())


def test_fast_on_trio() -> None:
    with pytest.raises(ConfigError, match="not on trio"):
        resolve("fast", "trio")


@pytest.mark.parametrize("impl", ["auto", "fast"])
@pytest.mark.parametrize(
    ("source", "error"),
    [
        ("import no_such_dependency\n", ModuleNotFoundError),
        ("raise ImportError('undefined symbol: llhttp_init')\n", ImportError),
        ("raise OSError('bad page')\n", OSError),
    ],
)
def test_a_broken_build_is_not_a_choice(
    build: Build, impl: str, source: str, error: type[Exception]
) -> None:
    build(source)
    with pytest.raises(error):
        resolve(impl, "asyncio")


@pytest.mark.parametrize(("loop", "extra"), [("trio", "esg[trio]"), ("uvloop", "esg[standard]")])
def test_missing_loop_says_what_to_install(
    loop: str, extra: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    lacking(monkeypatch, loop)
    with pytest.raises(StartupError) as caught:
        resolve("pure", loop)
    assert str(caught.value) == f"--loop {loop}: {loop} is not installed (pip install '{extra}')"


def test_what_an_implementation_says_of_itself() -> None:
    found = resolve("pure", "asyncio")
    python = ".".join(map(str, sys.version_info[:3]))
    assert found.describe().startswith("pure on asyncio, ")
    assert found.describe().endswith(python)
    assert found.info() == {
        "version": esg.__version__,
        "implementation": "pure",
        "loop": "asyncio",
        "reason": "asked for",
    }


@pytest.mark.parametrize("loop", ["asyncio", "uvloop", "trio"])
def test_run_loop_runs_the_loop_that_it_is_told(loop: str) -> None:
    if importlib.util.find_spec(loop) is None:
        pytest.skip(f"{loop} is not installed")
    seen: list[str] = []

    async def look() -> None:
        await anyio.lowlevel.checkpoint()
        seen.append(running_loop())

    run_loop(loop, look)
    assert seen == [loop]
