"""From "module:attribute", a factory or an object to an application.

Must not know servers. Every way in which it can fail is an AppLoadError of one line that names
the part that does not lead on; only an error inside the user's own module keeps its traceback.
"""

from __future__ import annotations

import importlib
import sys
import traceback
from pathlib import Path
from types import ModuleType, TracebackType
from typing import Any, cast

from esg.asgi import AnyApp
from esg.errors import AppLoadError


def load_app(app: AnyApp | str, *, factory: bool = False, app_dir: str = ".") -> AnyApp:
    """Return the application that `app` is or names.

    Args:
        app: an application, or "module:attribute"; the attribute may be dotted.
        factory: call what was found without arguments to get the application.
        app_dir: the directory to search for the module first.

    Raises:
        AppLoadError: in one line, or with the user's own traceback behind it.
    """
    found: Any = _import_app(app, app_dir) if isinstance(app, str) else app
    name = app if isinstance(app, str) else repr(app)
    if factory:
        found = _call(found, name, "factory")
    if not callable(found):
        raise AppLoadError(f"{name!r} is not callable: it is {_kind(found)}, not an application")
    return cast(AnyApp, found)


def call_function(name: str, app_dir: str = ".") -> None:
    """Call the function that "module:function" names, without arguments.

    Args:
        name: of the function.
        app_dir: the directory to search for the module first.

    Raises:
        AppLoadError: it is not there, or raises.
    """
    _call(_import_app(name, app_dir), name, "function")


def load_environment(env_file: str) -> None:
    """Set the variables of a file that are not set already.

    Raises:
        AppLoadError: it cannot be read.
    """
    try:
        import dotenv  # noqa: PLC0415 - an extra
    except ModuleNotFoundError:
        raise AppLoadError(
            "env_file (--env-file) needs python-dotenv: pip install 'esg[standard]'"
        ) from None
    try:
        with Path(env_file).open(encoding="utf-8") as lines:
            dotenv.load_dotenv(stream=lines, override=False)
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise AppLoadError(f"cannot read env_file {env_file}: {reason}") from None


def _import_app(import_string: str, app_dir: str) -> Any:
    module_name, _, attribute = import_string.partition(":")
    directory = str(Path(app_dir).resolve()) if app_dir != "." else ""
    if sys.path[:1] != [directory]:
        sys.path.insert(0, directory)
    found: Any = _import_module(module_name)
    for part in attribute.split("."):
        try:
            found = getattr(found, part)
        except AttributeError:
            raise AppLoadError(
                f"module {module_name!r} has no attribute {attribute!r}{_hint(found)}"
            ) from None
    return found


def _import_module(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is not None and (name == error.name or name.startswith(error.name + ".")):
            raise AppLoadError(f"module {error.name!r} not found (app {name!r})") from None
        raise AppLoadError(own_traceback(error, f"importing {name!r} failed")) from error
    except (Exception, SystemExit) as error:
        raise AppLoadError(own_traceback(error, f"importing {name!r} failed")) from error


def _call(found: Any, name: str, what: str) -> Any:
    if not callable(found):
        raise AppLoadError(f"{what} {name!r} is not callable: it is {_kind(found)}")
    try:
        return found()
    except (Exception, SystemExit) as error:
        raise AppLoadError(own_traceback(error, f"{what} {name!r} failed")) from error


def own_traceback(error: BaseException, what: str) -> str:
    """Format an error of the user's with the frames that are the user's."""
    frames = error.__traceback__
    while frames is not None and _is_ours(frames):
        frames = frames.tb_next
    lines = traceback.format_exception(type(error), error, frames)
    return f"{what}: {type(error).__name__}: {error}\n{''.join(lines).rstrip()}"


def _is_ours(frames: TracebackType) -> bool:
    filename = frames.tb_frame.f_code.co_filename
    return (
        filename == __file__
        or filename.startswith("<frozen importlib")
        or (Path(filename).parent == Path(importlib.__file__).parent)
    )


def _hint(module: Any) -> str:
    """Say which of the usual names a module has instead."""
    names = [n for n in ("app", "application", "create_app") if hasattr(module, n)]
    return f" (it has {', '.join(names)})" if names else ""


def _kind(value: Any) -> str:
    if value is None:
        return "None"
    name = type(value).__name__
    return f"an {name}" if name[0] in "aeiou" else f"a {name}"
