"""An application that changes or keeps what its scope is made of."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from esg.asgi import Receive, Scope, Send
from tests.apps.stage import answer

_held: list[dict[str, Any]] = []


def _nothing(_scope: Scope) -> None:
    """Leave the scope as it came."""


def _add(scope: Scope) -> None:
    for inner in (scope, scope["asgi"], scope["extensions"], scope["state"]):
        inner["spoiled"] = "yes"
    scope["headers"].append((b"spoiled", b"yes"))


def _add_within(scope: Scope) -> None:
    for extension in scope["extensions"].values():
        extension["spoiled"] = "yes"


def _change(scope: Scope) -> None:
    scope["asgi"]["version"] = "0.0"
    scope["extensions"]["esg.shutdown"] = {}


def _change_within(scope: Scope) -> None:
    scope["extensions"]["esg.shutdown"]["wait"] = "spoiled"


def _clear(scope: Scope) -> None:
    for inner in (scope["asgi"], scope["extensions"], scope["headers"]):
        inner.clear()


def _rename(scope: Scope) -> None:
    """Have another name for as many values, and for the same."""
    for inner in (scope["asgi"], scope["extensions"]):
        inner["spoiled"] = inner.pop(next(iter(inner)))


def _keep(scope: Scope) -> None:
    """Keep the inner dicts; spoil those of the request before."""
    for inner in _held:
        inner["spoiled"] = "yes"
    _held[:] = [scope["asgi"], scope["extensions"], scope["extensions"]["esg.shutdown"]]


SPOIL: dict[str, Callable[[Scope], None]] = {
    "/nothing": _nothing,
    "/add": _add,
    "/add-within": _add_within,
    "/change": _change,
    "/change-within": _change_within,
    "/clear": _clear,
    "/rename": _rename,
    "/keep": _keep,
}


async def app(scope: Scope, _receive: Receive, send: Send) -> None:
    """Answer with what the scope holds, then do to it what the path says."""
    parts = [sorted(scope), scope["asgi"], scope["extensions"], scope["state"]]
    fields = [name.decode() for name, _ in scope["headers"]]
    await answer(send, json.dumps([parts, fields], default=callable).encode())
    SPOIL[scope["path"]](scope)
