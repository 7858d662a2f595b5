"""From import strings, factories and objects to applications, and every way not to get there."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import cast

import pytest

from esg.app_loader import call_function, load_app
from esg.asgi import ASGIApp, Receive, Scope, Send
from esg.errors import AppLoadError, StartupError

WriteModule = Callable[[str, str], Path]


@pytest.fixture(autouse=True)
def _own_imports() -> Iterator[None]:
    """Forget what a test imported, and where from."""
    path, modules = list(sys.path), set(sys.modules)
    yield
    sys.path[:] = path
    for name in set(sys.modules) - modules:
        if not name.startswith("esg"):
            del sys.modules[name]
    importlib.invalidate_caches()


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """Do nothing."""


def error_of(app: object, **details: object) -> str:
    with pytest.raises(AppLoadError) as caught:
        load_app(app, **details)  # type: ignore[arg-type]
    return str(caught.value)


def test_an_application_is_itself() -> None:
    assert load_app(application) is application


def test_a_string_leads_to_one(write_module: WriteModule) -> None:
    folder = write_module("leads", "async def app(scope, receive, send): ...\n")
    found = load_app("leads:app", app_dir=str(folder))
    assert found.__module__ == "leads"


def test_an_attribute_may_be_dotted(write_module: WriteModule) -> None:
    source = "class site:\n    class inner:\n        @staticmethod\n        def app(*_): ...\n"
    folder = write_module("dotted", source)
    assert load_app("dotted:site.inner.app", app_dir=str(folder)).__name__ == "app"


def test_app_dir_is_searched_first(write_module: WriteModule, tmp_path: Path) -> None:
    """It is, even if the path has it already, behind a module of the same name."""
    folder = write_module("shadowed", "async def app(scope, receive, send): ...\nmine = True\n")
    other = tmp_path / "other"
    other.mkdir()
    (other / "shadowed.py").write_text("app = print\nmine = False\n")
    sys.path[:0] = [str(other), str(folder)]
    load_app("shadowed:app", app_dir=str(folder))
    assert sys.modules["shadowed"].mine


def test_factory_is_called() -> None:
    def make() -> ASGIApp:
        return application

    assert load_app(cast(ASGIApp, make), factory=True) is application


def test_app_load_errors_are_start_up_errors() -> None:
    assert issubclass(AppLoadError, StartupError)


def test_module_not_found() -> None:
    assert error_of("no_such_thing:app") == "module 'no_such_thing' not found (app 'no_such_thing')"


def test_submodule_not_found() -> None:
    assert "module 'json.nothing' not found" in error_of("json.nothing:app")


def test_attribute_missing(write_module: WriteModule) -> None:
    folder = write_module("lacks", "application = print\n")
    said = error_of("lacks:app", app_dir=str(folder))
    assert said == "module 'lacks' has no attribute 'app' (it has application)"


def test_attribute_missing_without_a_hint(write_module: WriteModule) -> None:
    folder = write_module("lacks_all", "")
    said = error_of("lacks_all:app", app_dir=str(folder))
    assert said == "module 'lacks_all' has no attribute 'app'"


@pytest.mark.parametrize(
    ("value", "kind"), [("None", "None"), ("3", "an int"), ("{}", "a dict"), ("'x'", "a str")]
)
def test_not_callable(write_module: WriteModule, value: str, kind: str) -> None:
    folder = write_module("holds", f"app = {value}\n")
    said = error_of("holds:app", app_dir=str(folder))
    assert said == f"'holds:app' is not callable: it is {kind}, not an application"


def test_factory_not_callable() -> None:
    assert error_of("json:__doc__", factory=True).startswith("factory 'json:__doc__' is not callab")


def test_factory_that_returns_nothing() -> None:
    said = error_of("json:JSONDecodeError.__init_subclass__", factory=True)
    assert said.endswith("is not callable: it is None, not an application")


def test_user_module_that_raises_keeps_the_users_frames(write_module: WriteModule) -> None:
    source = "def compute():\n    return 1 / 0\n\ncompute()\n"
    folder = write_module("raises", source)
    said = error_of("raises:app", app_dir=str(folder))
    first, *traceback = said.splitlines()
    assert first == "importing 'raises' failed: ZeroDivisionError: division by zero"
    frames = [line for line in traceback if line.startswith("  File ")]
    assert len(frames) == 2
    assert all(str(folder / "raises.py") in line for line in frames)
    assert traceback[-1] == "ZeroDivisionError: division by zero"


def test_missing_import_of_the_users_module_is_the_users(write_module: WriteModule) -> None:
    folder = write_module("imports", "import not_installed_anywhere\n")
    said = error_of("imports:app", app_dir=str(folder))
    assert said.startswith("importing 'imports' failed: ModuleNotFoundError: No module named 'not_")
    assert "import not_installed_anywhere" in said
    assert "importlib" not in said


def test_syntax_error_names_file_and_line(write_module: WriteModule) -> None:
    folder = write_module("mistyped", "x = 1\ndef app(:\n")
    said = error_of("mistyped:app", app_dir=str(folder))
    assert said.startswith("importing 'mistyped' failed: SyntaxError")
    assert f'File "{folder / "mistyped.py"}", line 2' in said


def test_user_module_that_exits(write_module: WriteModule) -> None:
    folder = write_module("exits", "raise SystemExit(5)\n")
    assert error_of("exits:app", app_dir=str(folder)).startswith("importing 'exits' failed: System")


def test_factory_that_raises_keeps_the_users_frames(write_module: WriteModule) -> None:
    folder = write_module("makes", "def make():\n    raise LookupError('nothing to make')\n")
    said = error_of("makes:make", app_dir=str(folder), factory=True)
    assert said.startswith("factory 'makes:make' failed: LookupError: nothing to make\n")
    assert "app_loader" not in said


def test_a_function_is_called(write_module: WriteModule) -> None:
    folder = write_module("hooks", "calls = []\ndef begin():\n    calls.append(1)\n")
    call_function("hooks:begin", str(folder))
    assert sys.modules["hooks"].calls == [1]


def test_a_function_that_cannot_be_called(write_module: WriteModule) -> None:
    folder = str(write_module("wrong_hooks", "value = 1\ndef begin():\n    raise OSError('no')\n"))
    with pytest.raises(AppLoadError, match=r"^function 'wrong_hooks:value' is not callable"):
        call_function("wrong_hooks:value", folder)
    with pytest.raises(AppLoadError, match=r"^function 'wrong_hooks:begin' failed: OSError: no"):
        call_function("wrong_hooks:begin", folder)
