"""Which interface an application has, and how it is seen as ASGI 3."""

from __future__ import annotations

import inspect
import sys
from typing import TYPE_CHECKING, Any, Final, cast

from esg.asgi import AnyApp, ASGIApp
from esg.errors import AppLoadError
from esg.interfaces import asgi2

if TYPE_CHECKING:
    from esg.interfaces.wsgi import WSGIApp

ASGI3: Final = "asgi3"
ASGI2: Final = "asgi2"
WSGI: Final = "wsgi"
_NAMES: Final = {
    ASGI3: "an ASGI 3 application",
    ASGI2: "an ASGI 2 application",
    WSGI: "a WSGI application",
}
# How many arguments each is called with.
_ARGUMENTS: Final = {3: ASGI3, 2: WSGI, 1: ASGI2}
_KEYWORD: Final = inspect.Parameter.KEYWORD_ONLY
_POSITIONAL: Final = (
    inspect.Parameter.POSITIONAL_ONLY,
    inspect.Parameter.POSITIONAL_OR_KEYWORD,
)


def as_asgi3(app: AnyApp, interface: str, name: str, wsgi_threads: int) -> ASGIApp:
    """Return an application as ASGI 3.

    Args:
        app: the application.
        interface: what it is said to be, or "auto".
        name: of the application, for errors.
        wsgi_threads: that run it if it is a WSGI application.

    Raises:
        AppLoadError: it is none of the three, or not what it is said to be.
    """
    found = detect(app)
    if found is None:
        raise AppLoadError(
            f"{name!r} takes the arguments of no application, ASGI or WSGI; if it is a function "
            "that returns one, say factory (--factory)"
        )
    if found and interface not in ("auto", found):
        raise AppLoadError(
            f"{name!r} is {_NAMES[found]}, but interface (--interface) is {interface}"
        )
    chosen = found or ASGI3 if interface == "auto" else interface
    if chosen == WSGI:
        from esg.interfaces.wsgi import WSGIApp  # noqa: PLC0415 - costs time at start-up

        return WSGIApp(app, wsgi_threads)
    return asgi2.as_asgi3(app) if chosen == ASGI2 else app


def close(app: ASGIApp) -> None:
    """Let go of what `as_asgi3` has made for an application that is not served any more."""
    wsgi = sys.modules.get("esg.interfaces.wsgi")
    if wsgi is not None and isinstance(app, wsgi.WSGIApp):
        cast("WSGIApp", app).close()


def detect(app: AnyApp) -> str | None:
    """Tell the interface of an application by how it can be called.

    Returns:
        ASGI3, ASGI2 or WSGI; "" if nothing tells, as with `def app(*args)`; None if it is none
        of them.
    """
    # asgiref's decorators for applications whose form misleads.
    if getattr(app, "_asgi_single_callable", False):
        return ASGI3
    if getattr(app, "_asgi_double_callable", False):
        return ASGI2
    parameters = _parameters(app)
    if parameters is None:
        return ""
    fitting = _fitting(parameters)
    if _is_coroutine_function(app):
        fitting = [interface for interface in fitting if interface == ASGI3]
    if WSGI in fitting and [p.name for p in parameters[:2]] == ["environ", "start_response"]:
        return WSGI
    if len(fitting) == 1:
        return fitting[0]
    return "" if fitting else None


def _parameters(app: Any) -> list[inspect.Parameter] | None:
    """Return what an application can be called with, None if it does not tell."""
    for found in (app, app.__call__):
        try:
            return list(inspect.signature(found).parameters.values())
        except (TypeError, ValueError):  # written in C; or a __call__ that only the object has
            continue
    return None


def _fitting(parameters: list[inspect.Parameter]) -> list[str]:
    """Return the interfaces that an application with these parameters may have."""
    positional = [p for p in parameters if p.kind in _POSITIONAL]
    variadic = any(p.kind is inspect.Parameter.VAR_POSITIONAL for p in parameters)
    required = [p for p in positional if p.default is inspect.Parameter.empty]
    if not required and not variadic:
        return []  # every application takes something; a factory need not
    if any(p.kind is _KEYWORD and p.default is inspect.Parameter.empty for p in parameters):
        return []
    most = max(_ARGUMENTS) if variadic else len(positional)
    return [found for n, found in _ARGUMENTS.items() if len(required) <= n <= most]


def _is_coroutine_function(app: Any) -> bool:
    if inspect.isclass(app):
        return False  # calling it makes an instance
    return inspect.iscoroutinefunction(app) or inspect.iscoroutinefunction(app.__call__)
