"""The shape of the package: which module may import which, and how large one may become."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LONGEST_FILE = 400  # lines

# From the ground up. A module imports from the layers below its own; within a layer only
# modules of one folder, other than the rules, import each other.
LAYERS: tuple[tuple[str, ...], ...] = (
    ("esg._version", "esg.asgi", "esg.errors"),
    ("esg.http", "esg.websocket"),
    (
        "esg.rules",
        "esg.options",
        "esg.bind_address",
        "esg.server_names",
        "esg.line_handler",
        "esg.log_config",
        "esg.cancellation",
        "esg.uvicorn_options",
        "esg.load_sharing",
    ),
    ("esg.access_format", "esg.logs", "esg.supervision"),
    ("esg.schema",),
    ("esg.websocket_codecs",),
    ("esg.config", "esg.app_loader", "esg.access_log", "esg.message_trace", "esg.lifespan"),
    ("esg.tls",),
    ("esg.interfaces",),
    (
        "esg.binding",
        "esg.connection_reset",
        "esg.file_part",
        "esg.program",
        "esg.send_buffer",
        "esg.service",
    ),
    ("esg.pure", "esg.accel"),
    ("esg.implementation",),
    ("esg.server",),
    ("esg.service_manager",),
    ("esg.background", "esg.process", "esg.testing"),
    ("esg.supervisor",),
    ("esg",),
    ("esg.settings",),
    ("esg.gunicorn_settings",),
    ("esg.cli", "esg.workers"),
    ("esg.__main__",),
)
DRIVERS = ("esg.pure", "esg.accel")
CHOOSER = "esg.implementation"
RULES = "esg.rules"

# What a rule must not even be able to do: I/O, a clock, logging, waiting.
DO_SOMETHING = {
    *("asyncio", "concurrent", "contextvars", "datetime", "io", "logging", "multiprocessing"),
    *("os", "pathlib", "queue", "random", "secrets", "select", "selectors", "shutil", "signal"),
    *("socket", "socketserver", "ssl", "subprocess", "sys", "tempfile", "threading", "warnings"),
}
POSIX_ONLY = {"fcntl", "grp", "pty", "pwd", "resource", "syslog", "termios", "tty"}


def module_name(path: Path) -> str:
    """Name the module that a file holds."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


FILES = {module_name(path): path for path in sorted((ROOT / "esg").rglob("*.py"))}
TREES = {name: ast.parse(path.read_text()) for name, path in FILES.items()}
RULE_MODULES = sorted(name for name in FILES if name.startswith(RULES + "."))


def within(name: str, package: str) -> bool:
    """Tell whether `name` is the package or a module of it; of "esg" only the facade is."""
    return name == package or (package != "esg" and name.startswith(package + "."))


def imports(tree: ast.AST) -> Iterator[str]:
    """Name every module that is imported anywhere, also where only types are checked."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative"
            assert node.module is not None
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            yield from (name if name in FILES else node.module for name in names)


def own_imports(name: str) -> set[str]:
    """Name the modules of the package that a module imports."""
    return {found for found in imports(TREES[name]) if found.split(".")[0] == "esg"}


def layer(name: str) -> int:
    """Return the number of the layer that a module belongs to."""
    found = [i for i, layers in enumerate(LAYERS) if any(within(name, entry) for entry in layers)]
    assert len(found) == 1, f"{name} belongs to no layer: say in LAYERS which one"
    return found[0]


def test_tree_is_found() -> None:
    assert {"esg", "esg.rules.request_head", CHOOSER, "esg.pure.server"} <= set(FILES)
    assert "esg.errors" in own_imports("esg.rules.request_head")


@pytest.mark.parametrize("name", FILES)
def test_imports_point_one_way(name: str) -> None:
    folder = name if FILES[name].name == "__init__.py" else name.rpartition(".")[0]
    for imported in own_imports(name):
        together = folder not in ("esg", RULES) and within(imported, folder)
        assert together or layer(imported) < layer(name), f"{name} imports {imported}"


@pytest.mark.parametrize("name", RULE_MODULES)
def test_rule_imports_nothing_but_vocabulary(name: str) -> None:
    """Else its compiled twin would call interpreted code, or two classes would exist."""
    assert own_imports(name) <= {"esg.asgi", "esg.errors", "esg.http", "esg.websocket"}
    others = {found.split(".")[0] for found in imports(TREES[name])} - {"esg"}
    assert others <= set(sys.stdlib_module_names) | {"__future__"}
    assert not others & DO_SOMETHING


@pytest.mark.parametrize("name", RULE_MODULES)
def test_rule_neither_waits_nor_asks_the_time(name: str) -> None:
    for node in ast.walk(TREES[name]):
        assert not isinstance(node, ast.AsyncFunctionDef | ast.Await | ast.AsyncFor | ast.AsyncWith)
        if isinstance(node, ast.Import):
            assert "time" not in [alias.name for alias in node.names]
        if isinstance(node, ast.ImportFrom) and node.module == "time":
            assert {alias.name for alias in node.names} <= {"gmtime"}


def strings(tree: ast.AST) -> Iterator[str]:
    """Give every string of the code; docstrings are none."""
    documentation = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        text = node.value if isinstance(node, ast.Constant) else None
        if isinstance(text, str) and id(node) not in documentation:
            yield text


@pytest.mark.parametrize("name", FILES)
def test_one_file_names_the_drivers(name: str) -> None:
    named = {
        driver
        for driver in DRIVERS
        if any(within(found, driver) for found in own_imports(name))
        or any(driver in text for text in strings(TREES[name]))
    }
    if name == CHOOSER:
        assert named == set(DRIVERS)
    else:
        assert named <= {driver for driver in DRIVERS if within(name, driver)}


@pytest.mark.parametrize("name", FILES)
def test_nothing_excludes_windows(name: str) -> None:
    """A module of POSIX alone is imported where it is needed, not with the package."""
    for node in TREES[name].body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            assert not set(imports(node)) & POSIX_ONLY


def test_every_module_imports_alone() -> None:
    """Each after all others have been forgotten, so that none leans on what another imported."""
    program = """
import importlib, sys, traceback
failed = False
for name in sys.argv[1:]:
    for known in [m for m in sys.modules if m == "esg" or m.startswith("esg.")]:
        del sys.modules[known]
    try:
        importlib.import_module(name)
    except BaseException:
        failed = True
        print(name, file=sys.stderr)
        traceback.print_exc()
sys.exit(failed)
"""
    command = [sys.executable, "-W", "error", "-c", program, *FILES]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=500, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""


def test_files_stay_small() -> None:
    sources = [path for kind in ("py", "pyx", "pxd") for path in (ROOT / "esg").rglob(f"*.{kind}")]
    names = {str(path.relative_to(ROOT)): path for path in sources}
    long = {
        name: lines
        for name, path in names.items()
        if (lines := len(path.read_text().splitlines())) > LONGEST_FILE
    }
    assert long == {}


@pytest.mark.parametrize("name", RULE_MODULES)
def test_rule_has_its_tests(name: str) -> None:
    path = ROOT / "tests" / "rules" / f"test_{name.removeprefix(RULES + '.')}.py"
    assert path.is_file()


@pytest.mark.parametrize(
    "path", sorted((ROOT / "tests" / "rules").glob("*.py")), ids=lambda path: path.name
)
def test_rule_is_tested_over_its_twins(path: Path) -> None:
    """A test that imports a rule module itself would never see the compiled one."""
    assert not [name for name in imports(ast.parse(path.read_text())) if within(name, RULES)]
