"""Which checks each framework is put to, on which servers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from tests.ecosystem import events, graphql, socketio
from tests.ecosystem.contract import CONTRACT
from tests.ecosystem.frameworks import FRAMEWORKS, Framework
from tests.ecosystem.site import Site
from tests.ecosystem.targets import Target

# What speaks a protocol of its own has checks of its own, under the same names.
_OWN: Mapping[str, Mapping[str, Callable[[Site], None]]] = {
    "sse-starlette": events.CHECKS,
    "python-socketio": socketio.CHECKS,
    "strawberry": graphql.CHECKS,
}


def checks_of(framework: Framework) -> dict[str, Callable[[Site], None]]:
    """Return a framework's checks by name, in the contract's order."""
    found = {**CONTRACT, **_OWN.get(framework.id, {})}
    return {name: run for name, run in found.items() if name not in framework.lacks}


def cells(targets: Iterable[Target]) -> Iterator[tuple[Framework, Target, str]]:
    """Give what is tested on some servers: a framework, a server that has its loop, a check."""
    for target in targets:
        for framework in FRAMEWORKS:
            if target.loop in framework.loops:
                for check in checks_of(framework):
                    yield framework, target, check
