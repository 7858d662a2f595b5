"""Write docs/ecosystem.md: `make ecosystem`, or `python -m tests.ecosystem.matrix`.

The page says what `test_contract` tests, from the same tables: that a check is passed, that a
framework has nothing for it, that another server fails in it.
"""

from __future__ import annotations

from collections.abc import Iterator

from tests.ecosystem.checks import checks_of
from tests.ecosystem.contract import CONTRACT
from tests.ecosystem.environment import pins
from tests.ecosystem.frameworks import FRAMEWORKS, Framework
from tests.ecosystem.peer_failures import UVICORN_FAILURES
from tests.ecosystem.targets import OWN, PEERS, Target
from tests.server import REPOSITORY

PAGE = REPOSITORY / "docs" / "ecosystem.md"

INTRODUCTION = """\
# Frameworks on ESG

<!-- Written by `make ecosystem`; do not edit. -->

One small site for each framework, all with the same routes, is put on every implementation and loop
of ESG and has to keep one contract, over real connections:
[tests/ecosystem](../tests/ecosystem). `make ecosystem` runs it, in an environment of its own with
the versions below; `make test` runs all of it on one row.
"""
MATRIX = """\

## What works

The numbers say on how many of a framework's rows a check is passed; "-": the framework has nothing
to be checked.
"""
PEERS_INTRODUCTION = """\

## Beside another server

The same sites, the same contract, on {server} ({targets}), with its options for the same
(`--timeout-graceful-shutdown 1`; `--interface wsgi`, by {wsgi}). What fails there, and not on ESG:
"""
PEERS_END = """
What it has that ESG has not: sse-starlette knows its signal handler, and ends streams at once when
it is told to stop. On ESG they have `--timeout-graceful-shutdown`;
[a middleware](../tests/ecosystem/sites/stopping_events_site.py) ends them at once there, too."""


def version(distribution: str) -> str:
    """Return the pinned version of a distribution, with its name."""
    found = dict(pin.split("==") for pin in pins())
    name = next(name for name in found if name.lower() == distribution)
    return f"{name} {found[name]}"


def rows(framework: Framework, targets: tuple[Target, ...] = OWN) -> list[Target]:
    """List the servers that a framework runs on."""
    return [target for target in targets if target.loop in framework.loops]


def cell(framework: Framework, check: str) -> str:
    """Say on how many rows a check is passed."""
    if check in framework.lacks:
        return "-"
    assert check in checks_of(framework)
    count = len(rows(framework))
    return f"{count}/{count}"


def page() -> str:
    """Return the text of the page."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield INTRODUCTION
    yield "| framework | versions | rows |"
    yield "|---|---|---|"
    for framework in FRAMEWORKS:
        versions = ", ".join(map(version, framework.distributions))
        yield f"| {framework.id} | {versions} | {', '.join(t.id for t in rows(framework))} |"
    yield MATRIX
    yield f"| | {' | '.join(framework.id for framework in FRAMEWORKS)} |"
    yield "|---" * (len(FRAMEWORKS) + 1) + "|"
    for check in CONTRACT:
        yield f"| {check} | {' | '.join(cell(framework, check) for framework in FRAMEWORKS)} |"
    yield "\nWhat a framework is not asked for:\n"
    for framework in FRAMEWORKS:
        if framework.lacks:
            yield f"- {framework.id}: {_reasons(framework)}."
    yield PEERS_INTRODUCTION.format(
        server=version("uvicorn"),
        wsgi=version("a2wsgi"),
        targets=", ".join(target.id for target in PEERS),
    )
    yield "| check | frameworks | why |"
    yield "|---|---|---|"
    for (check, reason), frameworks in _peer_failures().items():
        yield f"| {check} | {', '.join(frameworks)} | {reason} |"
    yield PEERS_END


def _reasons(framework: Framework) -> str:
    """Say what a framework lacks, each reason once."""
    by_reason: dict[str, list[str]] = {}
    for check, reason in framework.lacks.items():
        by_reason.setdefault(reason, []).append(check)
    return "; ".join(f"{', '.join(checks)} ({reason})" for reason, checks in by_reason.items())


def _peer_failures() -> dict[tuple[str, str], list[str]]:
    """List the frameworks for each failure of one kind."""
    found: dict[tuple[str, str], list[str]] = {}
    for (framework, check), reason in UVICORN_FAILURES.items():
        found.setdefault((check, reason), []).append(framework)
    return found


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
