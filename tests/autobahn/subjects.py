"""What is judged: ESG's rows with each frame codec, and how cases are put to one of them."""

from __future__ import annotations

import functools
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from tests.autobahn.engines import Engine
from tests.autobahn.outcomes import Outcome
from tests.interpreters import Interpreter, find_interpreters, prepare
from tests.rows import ROWS, Row
from tests.server import ServerProcess

APP = "examples.websocket_echo:app"
DEFAULT_CODEC = "auto"
OTHER_CODECS = ("wsproto", "websockets")
# A ping of the server's own would be none of the messages that a case expects.
OPTIONS = ("--port", "0", "--ws-ping-interval", "0", "--no-access-log")
# They pause for a second before and after what must be refused at once, so on a busy machine a
# verdict may be one on the machine: those alone are asked again.
TIMED = "6.4."


@dataclass(frozen=True)
class Subject:
    """A row of ESG with a frame codec.

    Args:
        row: the implementation and the loop.
        codec: as `--ws` takes it.
        interpreter: what runs it, if that is not the running one.
    """

    row: Row
    codec: str = DEFAULT_CODEC
    interpreter: Interpreter | None = None

    @property
    def name(self) -> str:
        """What it is called on the command line and in the report."""
        codec = () if self.codec == DEFAULT_CODEC else (self.codec,)
        interpreter = () if self.interpreter is None else (self.interpreter.name,)
        return "-".join((self.row.id, *codec, *interpreter))

    @property
    def is_strict(self) -> bool:
        """Tell whether every case must be OK; to another codec NON-STRICT is allowed."""
        return self.codec == DEFAULT_CODEC

    @property
    def missing(self) -> str | None:
        """Why it cannot run here, None if it can."""
        return self.row.missing if self.interpreter is None else None

    def judge(
        self, engine: Engine, cases: Sequence[str], folder: Path, bound: float
    ) -> dict[str, Outcome]:
        """Start the server, have the cases put to it, and stop it.

        Args:
            engine: what puts them.
            cases: numbers, or patterns such as "6.*".
            folder: where the engine's reports go.
            bound: seconds for the engine.

        Raises:
            AssertionError: the server wrote of an error, or did not stop as it should.
            EngineError: there is no outcome.
        """
        arguments = [*self.row.options, *OPTIONS, "--ws", self.codec, APP]
        with ExitStack() as ended:
            server = ServerProcess(arguments, command=self._command())
            ended.callback(server.end)
            server.wait_started()
            outcomes = engine.judge(server.port, cases, folder, bound)
            late = [c for c, o in outcomes.items() if c.startswith(TIMED) and not self.accepts(o)]
            if late:
                again = folder.with_name(f"{folder.name}-again")
                outcomes |= engine.judge(server.port, late, again, bound)
            assert server.stop() == 0
            errors = server.stderr.matching("ERROR|Traceback")
            assert not errors, server.stderr.text
        return outcomes

    def accepts(self, outcome: Outcome) -> bool:
        """Tell whether an outcome will do for it."""
        return outcome.is_acceptable(self.is_strict)

    def _command(self) -> Sequence[str]:
        here = Path(sys.executable)
        python = here if self.interpreter is None else prepare(self.interpreter).python
        return (str(python), "-m", "esg")


@functools.cache
def subjects() -> dict[str, Subject]:
    """Return all subjects by name: each row on its own codec, then two rows on the others'."""
    own = [Subject(row) for row in ROWS]
    loops = ("asyncio", "trio")
    elsewhere = [
        Subject(row, interpreter=interpreter)
        for interpreter in find_interpreters()
        if interpreter.implementation == "pypy" and not interpreter.is_running
        for row in ROWS
        if row.impl == "pure" and row.loop in loops
    ]
    both = [row for row in ROWS if row.id in ("pure-asyncio", "fast-uvloop")]
    others = [Subject(row, codec) for codec in OTHER_CODECS for row in both]
    return {subject.name: subject for subject in (*own, *elsewhere, *others)}
