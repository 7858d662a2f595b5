"""Which interface an application has: told by its form, or by the user."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from typing import Any

import pytest

from esg.errors import AppLoadError
from esg.interfaces.choice import ASGI2, ASGI3, WSGI, as_asgi3, close, detect
from esg.interfaces.wsgi import WSGIApp
from tests.conftest import Serve
from tests.rows import FIRST_ROW
from tests.server import run_esg


async def coroutine(scope: Any, receive: Any, send: Any) -> None: ...


def returns_one(scope: Any, receive: Any, send: Any) -> Any:
    return coroutine(scope, receive, send)


def double(scope: Any) -> Any: ...


def wsgi(environ: Any, start_response: Any) -> Any: ...


def wsgi_by_name(environ: Any, start_response: Any, extra: Any = None) -> Any: ...


def optional(scope: Any, receive: Any, send: Any = None) -> Any: ...


def variadic(*arguments: Any) -> Any: ...


def takes_the_scope_and_more(scope: Any, *rest: Any) -> Any: ...


def makes_one() -> Any: ...


def makes_one_of(config: Any = None, debug: bool = False) -> Any: ...


def needs_a_word(scope: Any, receive: Any, send: Any, *, word: str) -> Any: ...


async def awaits_two(scope: Any, receive: Any) -> None: ...


def takes_four(a: Any, b: Any, c: Any, d: Any) -> Any: ...


@functools.wraps(coroutine)
def wrapper(*arguments: Any, **named: Any) -> Any: ...


class _Asgi3:
    async def __call__(self, scope: Any, receive: Any, send: Any) -> None: ...


class _Variadic:
    async def __call__(self, *arguments: Any) -> None: ...


class _Wsgi:
    def __call__(self, env: Any, respond: Any) -> Any: ...


class _Double:
    def __init__(self, scope: Any) -> None: ...

    async def __call__(self, receive: Any, send: Any) -> None: ...


class _Endpoint:
    def __init__(self, scope: Any, receive: Any, send: Any) -> None: ...

    def __await__(self) -> Any: ...


class _WsgiClass:
    def __init__(self, environ: Any, start_response: Any) -> None: ...


class _OnlyTheObjectCan:
    __slots__ = ("__call__",)

    def __init__(self) -> None:
        self.__call__ = coroutine


class _Marked:
    def __call__(self, *arguments: Any) -> Any: ...


def marked(name: str) -> Any:
    app: Any = _Marked()
    setattr(app, name, True)
    return app


class _Methods:
    async def app(self, scope: Any, receive: Any, send: Any) -> None: ...


def bound(more: Any, environ: Any, start_response: Any) -> Any: ...


@pytest.mark.parametrize(
    ("app", "interface"),
    [
        (coroutine, ASGI3),
        (returns_one, ASGI3),
        (wrapper, ASGI3),
        (_Asgi3(), ASGI3),
        (_Variadic(), ASGI3),
        (_Methods().app, ASGI3),
        (_Endpoint, ASGI3),
        (_OnlyTheObjectCan(), ASGI3),
        (functools.partial(coroutine), ASGI3),
        (functools.partial(takes_four, 1), ASGI3),
        (marked("_asgi_single_callable"), ASGI3),
        (double, ASGI2),
        (_Double, ASGI2),
        (lambda scope: _Double({**scope}), ASGI2),
        (functools.partial(wsgi, {}), ASGI2),
        (marked("_asgi_double_callable"), ASGI2),
        (wsgi, WSGI),
        (wsgi_by_name, WSGI),
        (_Wsgi(), WSGI),
        (_WsgiClass, WSGI),
        (functools.partial(bound, 1), WSGI),
        (optional, ""),
        (variadic, ""),
        (takes_the_scope_and_more, ""),
        (_Marked(), ""),
        (max, ""),  # it does not tell
        (makes_one, None),
        (makes_one_of, None),
        (needs_a_word, None),
        (awaits_two, None),
        (takes_four, None),
        (_Asgi3, None),
    ],
    ids=lambda value: re.sub(" at 0x[0-9a-f]+", "", str(value)),
)
def test_detect(app: Any, interface: str | None) -> None:
    assert detect(app) == interface


@pytest.mark.parametrize("name", ["fastapi", "starlette", "django", "django_wsgi", "flask"])
def test_frameworks(name: str) -> None:
    makers: dict[str, Callable[[], Any]] = {
        "fastapi": lambda: pytest.importorskip("fastapi").FastAPI(),
        "starlette": lambda: pytest.importorskip("starlette.applications").Starlette(),
        "django": lambda: pytest.importorskip("django.core.handlers.asgi").ASGIHandler,
        "django_wsgi": lambda: pytest.importorskip("django.core.handlers.wsgi").WSGIHandler,
        "flask": lambda: pytest.importorskip("flask").Flask("app"),
    }
    app = makers[name]()
    if isinstance(app, type):
        app = object.__new__(app)  # Django's need settings to be made
    assert detect(app) == (WSGI if name in ("flask", "django_wsgi") else ASGI3)


def as_one(app: Any, interface: str = "auto") -> Any:
    return as_asgi3(app, interface, "the:app", wsgi_threads=2)


def test_asgi3_is_left_alone() -> None:
    assert as_one(coroutine) is coroutine
    assert as_one(variadic) is variadic
    assert as_one(variadic, ASGI3) is variadic


def test_the_others_are_adapted() -> None:
    found = as_one(wsgi)
    assert isinstance(found, WSGIApp)
    assert isinstance(as_one(variadic, WSGI), WSGIApp)
    assert as_one(double) is not double
    assert as_one(variadic, ASGI2) is not variadic
    for app in (found, coroutine):
        close(app)


@pytest.mark.parametrize(
    ("app", "interface", "said"),
    [
        (
            coroutine,
            WSGI,
            "'the:app' is an ASGI 3 application, but interface (--interface) is wsgi",
        ),
        (wsgi, ASGI3, "'the:app' is a WSGI application, but interface (--interface) is asgi3"),
        (_Double, WSGI, "'the:app' is an ASGI 2 application, but interface (--interface) is wsgi"),
        (makes_one, "auto", "'the:app' takes the arguments of no application"),
        (makes_one, WSGI, "'the:app' takes the arguments of no application"),
    ],
)
def test_what_does_not_fit(app: Any, interface: str, said: str) -> None:
    with pytest.raises(AppLoadError) as caught:
        as_one(app, interface)
    assert str(caught.value).startswith(said)
    assert "\n" not in str(caught.value)


def test_it_is_said_at_the_start() -> None:
    for options, said in (
        (("--interface", "wsgi", "examples.hello:app"), "is an ASGI 3 application, but"),
        (("examples.factory:create_app",), "say factory (--factory)"),
    ):
        done = run_esg(*options)
        assert done.returncode == 3
        assert len(done.stderr.splitlines()) == 1
        assert said in done.stderr
        assert run_esg("--check-config", *options).returncode == 3


def test_a_factory_may_make_any(serve: Serve) -> None:
    server = serve("--factory", app="tests.apps.wsgi_factory:make_app", row=FIRST_ROW)
    with server.connect() as client:
        assert client.get("/").body == b"made"
