"""Run one case against one server process and observe what comes of it."""

from __future__ import annotations

import contextlib
import re
from dataclasses import dataclass, field

from tests.conformance import model, steps, websocket_steps
from tests.conformance.applicability import inapplicable
from tests.conformance.behaviours import PROBE, PROBE_BODY
from tests.conformance.client import Changes, Client, Timeout
from tests.conformance.model import Case, Fate
from tests.conformance.process import ServerProcess
from tests.conformance.receive_queue import ReceiveQueue
from tests.conformance.side_channel import CallTrace, Seat, SideChannel
from tests.conformance.targets import SPLIT

# For a close by another server that has said nothing of it.
WRONG_BOUND = 1.0
PROBE_REQUEST = b"GET /conformance-probe HTTP/1.1\r\nHost: probe\r\n\r\n"
# A case that begins with one of these opens its connections itself, or none.
CONNECTS_LATER = (model.Connect, model.Signal, model.AwaitLog, model.AwaitExit)


@dataclass
class Observation:
    """All that was seen of one run of one case."""

    case: Case
    mode: str
    target: str
    selection: str = ""
    secure: bool = False
    clients: dict[str, Client] = field(default_factory=dict)
    calls: dict[str, list[CallTrace]] = field(default_factory=dict)
    usable: dict[str, bool | None] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    lifespan: list[CallTrace] = field(default_factory=list)
    exit_code: int | None = None
    log: str = ""
    inapplicable: str | None = None
    died: bool = False
    ended: float = 0.0  # of the event loop's clock
    in_vain: bool = False  # Something was waited for that did not come.


class CaseRun:
    """One run of one case."""

    def __init__(
        self,
        case: Case,
        process: ServerProcess,
        channel: SideChannel,
        queue: ReceiveQueue,
        mode: str,
    ) -> None:
        self.case = case
        self.process = process
        self.changes = Changes()
        self.seats: dict[str, Seat] = {}
        self.clients: dict[str, Client] = {}
        self.seen = Observation(case, mode, process.target.id, process.target.selection)
        self.seen.secure = process.target.secure
        self.memory = 0
        self.channel = channel
        self.queue = queue
        self.split = mode == SPLIT
        self.patience = process.target.patience
        # Of a process that is shared, what was written before is no concern of this run.
        self._first_line = 0 if case.own_process else len(process.log)

    async def run(self) -> Observation:
        """Play the steps, then establish the fate of the connections and gather the traces."""
        self.process.watchers.add(self.changes)
        try:
            await self._play()
        except Timeout as error:
            self._waited(error)
        except OSError as error:
            self.seen.problems.append(f"the client cannot connect: {error}")
        finally:
            await self._finish()
            self.process.watchers.discard(self.changes)
        return self.seen

    async def _play(self) -> None:
        if self.case.listens and self.case.steps and not self._connects_first():
            await steps.connect(self, model.Connect())
        for step in self.case.steps:
            await steps.STEPS[type(step)](self, step)
        await self._await_expected()
        for name in list(self.clients):
            await self._establish_fate(name)

    def _waited(self, error: Timeout) -> None:
        self.seen.in_vain = True
        self.seen.problems.append(str(error))

    def _connects_first(self) -> bool:
        return isinstance(self.case.steps[0], CONNECTS_LATER) or self.case.steps[0].on == "lifespan"

    # After the steps

    async def _await_expected(self) -> None:
        """Wait for the responses that the case expects, unless the connection ends."""
        for name, client in self.clients.items():
            wanted = sum(r.complete for r in self.case.responses if r.on == name)
            begun = sum(1 for r in self.case.responses if r.on == name)
            frames = [frame for frame in self.case.frames or () if frame.on == name]
            await self.changes.until(
                lambda c=client, w=wanted, b=begun, f=frames: (
                    c.ends.any
                    or c.parser.error
                    or (
                        c.parser.complete >= w
                        and len(c.parser.responses) >= b
                        and websocket_steps.frames_have_come(c, f)
                    )
                ),
                self.patience,
                f"{begun} response(s) and {len(frames)} frame(s)",
            )

    async def _establish_fate(self, name: str) -> None:
        client, fate = self.clients[name], self.case.fate.on(self.process.target.exact)
        if client.ends.by_client or name != "a":
            return
        await websocket_steps.answer_close(self.case, client, name)
        if fate is Fate.KEPT:
            self.seen.usable[name] = await self._probe(name, client)
        elif fate in (Fate.CLOSED, Fate.RESET, Fate.GONE):
            with contextlib.suppress(Timeout):  # The verdict says it, in better words.
                await self.changes.until(lambda: client.ends.any, self._close_bound(client), "")
            self.seen.in_vain |= not client.ends.any

    def _close_bound(self, client: Client) -> float:
        """Return how long to wait for a close that a server may not even mean to do."""
        if self.process.target.exact or client.answered or not client.parser.responses:
            return self.patience
        return min(WRONG_BOUND, self.patience)

    async def _probe(self, name: str, client: Client) -> bool | None:
        """Tell whether one more exchange works on the connection; None if it was just closed."""
        if client.parser.frames:
            return await websocket_steps.probe(self, client)
        before = len(client.parser.responses)
        seat = self.seats[name]
        self.seen.calls[name] = list(seat.calls)
        seat.scripts = (*((),) * len(seat.calls), PROBE)
        await client.send(PROBE_REQUEST)
        await self.changes.until(
            lambda: client.ends.any or client.parser.error or client.parser.complete > before,
            self.patience,
            "the answer to one more request on the connection",
        )
        answers = client.parser.responses[before:]
        del client.parser.responses[before:]
        if not answers:
            return None
        return len(answers) == 1 and bytes(answers[0].body) == PROBE_BODY

    async def _finish(self) -> None:
        """Close the connections, let the calls end, and gather what was seen."""
        for client in self.clients.values():
            client.close()
        for name, seat in self.seats.items():
            self.seen.calls.setdefault(name, seat.calls)
            try:
                await self.changes.until(
                    lambda s=seat: all(call.ended for call in s.calls),
                    self.patience,
                    "the call's end",
                )
            except Timeout as error:
                self._waited(error)
        await self._await_log()
        self.seen.clients = self.clients
        # A connection that ended without a word may have met what another case had left behind.
        self.seen.in_vain |= any(
            client.ends.any and not client.ends.by_client and not client.parser.raw
            for client in self.clients.values()
        )
        self.seen.inapplicable = inapplicable(self)
        self.seen.lifespan = self.process.lifespan.calls
        self.seen.exit_code = self.process.exit_code
        self.seen.log = self.log()

    def _for_this_client(self, pattern: str) -> str:
        """Fill the client's port into a pattern of the log."""
        client = self.clients.get("a")
        port = client.local[1] if client and isinstance(client.local, tuple) else 0
        return pattern.replace("{port}", str(port))

    def log(self) -> str:
        """Return what the server has logged since this run began."""
        return self.process.log_since(self._first_line)

    async def _await_log(self) -> None:
        for pattern in map(self._for_this_client, self.case.log_has):
            try:
                await steps.await_log(self, model.AwaitLog(pattern))
            except Timeout as error:
                self.seen.problems.append(str(error))
        lacks = self.case.log_lacks if self.process.target.exact else ()
        for pattern in map(self._for_this_client, lacks):
            if re.search(pattern, self.log()):
                self.seen.problems.append(f"the log matches {pattern!r}")
