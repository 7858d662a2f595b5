"""The targets of the suite: which servers run the cases, and how each is started.

ESG's are the rows of `tests.rows` on the running interpreter, and the first row on every other
interpreter that is found. Any other server is a target by a command line.
"""

from __future__ import annotations

import functools
import shlex
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conformance.peers import PEERS, PYTHON, peer
from tests.conformance.tls_layer import server_pair
from tests.interpreters import Interpreter, find_interpreters, prepare_or_skip
from tests.rows import FIRST_ROW, ROWS, Row, in_ci

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parent.parent

WHOLE, SPLIT = "whole", "split"

# Seconds to wait for what must come from another server.
PATIENCE = 5.0

# What every ESG process of the suite is started with; a case's own options come after these.
OPTIONS = (
    "--port",
    "0",
    "--log-level",
    "debug",
    "--timeout-keep-alive",
    "60",
    "--timeout-headers",
    "60",
)


@dataclass(frozen=True)
class Target:
    """One server configuration under test.

    Args:
        id: the name in a test's.
        command: the argv, with {python}, {app}, {app_dir} and {port} left open.
        modes: whole requests, or also byte by byte.
        exact: it is ESG: held to its own decisions (CHOICE) and the exact form of its answers.
        interpreter: what runs it, if that is not the running one.
        executable: the Python of an environment that is not one of ours.
        preloads: the modules that a fork server imports for it; none for a server that cannot be
            started so.
        sampled: `make test` runs a sample of the cases on it, `make test-all` all.
        missing: why it cannot run here, None if it can.
        patience: how long to wait for what must come, in seconds. Ours come, however busy the
            machine is; a server that leaves many cases unanswered must not take hours.
        template: the value of `--target-command` that it was made of.
        secure: it is spoken to over TLS.
        names_clients: its scopes say whose call it is; else only one may be running.
        offers_websocket: it calls applications with WebSocket scopes.
    """

    id: str
    command: tuple[str, ...]
    modes: tuple[str, ...] = (WHOLE, SPLIT)
    exact: bool = True
    interpreter: Interpreter | None = None
    executable: Path | None = None
    preloads: tuple[str, ...] = ()
    sampled: bool = False
    missing: str | None = None
    patience: float = 30.0
    template: str | None = None
    secure: bool = False
    names_clients: bool = True
    offers_websocket: bool = True

    @property
    def selection(self) -> str:
        """The options of pytest that choose it."""
        if self.template is not None:
            return f"--target-command {shlex.quote(self.template)}"
        return f"--target {self.id}" + (" -m ''" if self.sampled else "")

    @property
    def python(self) -> str:
        """The interpreter that runs it."""
        if self.executable is not None:
            return str(self.executable)
        return sys.executable if self.interpreter is None else python_of(self.interpreter)

    def argv(self, options: tuple[str, ...], app: str, port: int) -> list[str]:
        """Return the command line of one process."""
        places = {"python": self.python, "app": app, "port": port, "app_dir": REPOSITORY}
        return [*(word.format(**places) for word in self.command), *options]


@functools.cache
def python_of(interpreter: Interpreter) -> str:
    """Return the Python that runs ESG on another interpreter; skip where it cannot be had."""
    return str(prepare_or_skip(interpreter).python)


# The command line of ESG in front of its options.
PREFIX = ("{python}", "-m", "esg")


def _command(row: Row) -> tuple[str, ...]:
    return (*PREFIX, *row.options, *OPTIONS, "--app-dir", "{app_dir}", "{app}")


def _preloads(row: Row) -> tuple[str, ...]:
    """Name what a process of this row imports sooner or later, where processes can fork."""
    if sys.platform != "linux":
        return ()
    backend = "_trio" if row.loop == "trio" else "_asyncio"
    driver = "accel" if row.impl == "fast" else "pure"
    return ("esg.cli", f"esg.{driver}.server", f"anyio._backends.{backend}", row.loop, "json")


@functools.cache
def own_targets() -> tuple[Target, ...]:
    """Return ESG's targets: every row, the rows over TLS, and the first on other interpreters."""
    here = [
        Target(row.id, _command(row), missing=row.missing, preloads=_preloads(row)) for row in ROWS
    ]
    elsewhere = [
        Target(
            f"{FIRST_ROW.id}-{other.name}",
            _command(FIRST_ROW),
            (WHOLE,),
            interpreter=other,
            preloads=_preloads(FIRST_ROW),
            sampled=other.implementation == sys.implementation.name,
        )
        for other in find_interpreters()
        if not other.is_running
    ]
    # To the pure driver's TLS uvloop is one more asyncio.
    secured = [_over_tls(row) for row in ROWS if (row.impl, row.loop) != ("pure", "uvloop")]
    return (*here, *elsewhere, *secured)


def _over_tls(row: Row) -> Target:
    """Return a row behind TLS: what holds without it holds there, too."""
    command = (*_command(row)[:-1], *server_pair().options, "{app}")
    return Target(
        f"{row.id}-tls",
        command,
        (WHOLE,),
        missing=row.missing,
        preloads=_preloads(row),
        sampled=True,
        secure=True,
    )


def target_named(id: str) -> Target:
    """Return one of ESG's targets, or a peer, by name.

    Raises:
        pytest.UsageError: there is no such target.
    """
    for target in own_targets():
        if target.id == id:
            return target
    if known := peer(id):
        words = tuple(shlex.split(known.command))
        return Target(
            id, words, exact=False, executable=PYTHON, missing=known.missing, patience=PATIENCE
        )
    names = [target.id for target in own_targets()] + [known.id for known in PEERS]
    raise pytest.UsageError(f"no target {id!r}; there are: {', '.join(names)}")


def foreign_target(template: str) -> Target:
    """Return the target of any other server, from a command with {app} and {port} in it.

    Raises:
        pytest.UsageError: the command leaves no place for one of them.
    """
    for place in ("{app}", "{port}"):
        if place not in template:
            raise pytest.UsageError(f"--target-command has no {place}: {template!r}")
    words = shlex.split(template)
    name = Path(words[0]).name
    return Target(name, tuple(words), exact=False, patience=PATIENCE, template=template)


def require(target: Target) -> None:
    """Skip a target that cannot run here; in CI that is an error."""
    if target.interpreter is not None:
        python_of(target.interpreter)
    if target.missing and in_ci():
        pytest.fail(f"{target.id} cannot run: {target.missing}", pytrace=False)
    if target.missing:
        pytest.skip(f"{target.id}: {target.missing}")
