"""Run one case against one server process and observe what comes of it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, ClassVar

from tests.conformance import model, websocket_steps
from tests.conformance.behaviours import PROBE, PROBE_BODY
from tests.conformance.client import Changes, Client, Timeout
from tests.conformance.model import Case, Fate
from tests.conformance.process import ServerProcess
from tests.conformance.receive_queue import ReceiveQueue
from tests.conformance.side_channel import LOCAL_KEY, CallTrace, Seat, SideChannel
from tests.conformance.targets import SPLIT

# For a close by another server that has said nothing of it.
WRONG_BOUND = 1.0
FILL_QUIET = 0.4
REFUSE_RETRY = 0.02
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
        self._channel = channel
        self._queue = queue
        self._split = mode == SPLIT
        self.patience = process.target.patience
        # Of a process that is shared, what was written before is no concern of this run.
        self._first_line = 0 if case.own_process else len(process.log)

    async def run(self) -> Observation:
        """Play the steps, then establish the fate of the connections and gather the traces."""
        self.process.watchers.add(self.changes)
        try:
            await self._play()
        except Timeout as error:
            self.seen.problems.append(str(error))
        except OSError as error:
            self.seen.problems.append(f"the client cannot connect: {error}")
        finally:
            await self._finish()
            self.process.watchers.discard(self.changes)
        return self.seen

    async def _play(self) -> None:
        if self.case.listens and self.case.steps and not self._connects_first():
            await self.do_connect(model.Connect())
        for step in self.case.steps:
            await self._steps[type(step)](self, step)
        await self._await_expected()
        for name in list(self.clients):
            await self._establish_fate(name)

    def _connects_first(self) -> bool:
        return isinstance(self.case.steps[0], CONNECTS_LATER) or self.case.steps[0].on == "lifespan"

    # Steps

    async def do_connect(self, step: model.Step) -> None:
        """Open a connection, its seat kept before the server can see it."""
        methods = [r.method for r in self.case.responses if r.on == step.on]
        client = self._client(methods)
        seat = Seat(self._scripts(step.on), self.changes.notify)
        if self.case.client_is_told or isinstance(client.address, str):
            self._channel.keep_seat(self.process.token, LOCAL_KEY, seat)
        if not isinstance(client.address, str):
            self._channel.keep_seat(self.process.token, client.local[1], seat)
        self.clients[step.on], self.seats[step.on] = client, seat
        await client.connect()

    def _scripts(self, name: str) -> tuple[model.Script, ...]:
        """Return the scripts of a connection: all of the case's, but for the others only its last."""
        return self.case.app if name == "a" else self.case.app[-1:]

    async def do_connect_refused(self, step: model.ConnectRefused) -> None:
        """Check that nobody accepts a connection, or soon nobody does."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self.patience
        while await self._accepted():
            if loop.time() > deadline:
                self.seen.problems.append("a connection was accepted that should be refused")
                return
            await self.changes.once_more(REFUSE_RETRY)

    def _client(self, methods: list[str]) -> Client:
        secure = self.process.target.secure
        return Client(self.process.address, self.changes, methods, secure=secure)

    async def _accepted(self) -> bool:
        client = self._client([])
        try:
            await client.connect()
        except OSError:
            return False
        else:
            return not client.ends.any
        finally:
            client.close()

    async def do_churn(self, step: model.Churn) -> None:
        """Open and reset connections; the server's descriptors must all be closed again."""
        before = self.process.open_descriptors()
        for _ in range(step.count):
            client = self._client([])
            await client.connect()
            await client.send(step.data)
            client.reset()
        # The application asks for its script in each of them, one after the other: on a busy
        # machine, only standing still says that some are left.
        now = asyncio.get_running_loop().time
        open_before, deadline = 0, 0.0
        while (left := self.process.open_descriptors()) > before:
            if left != open_before:
                open_before, deadline = left, now() + self.patience
            elif now() > deadline:
                self.seen.problems.append(f"{left - before} descriptors stay open")
                return
            await self.changes.once_more(0.1)

    async def do_send(self, step: model.Send) -> None:
        """Send a segment, or its bytes one by one."""
        client = self.clients[step.on]
        if self._split and not step.atomic:
            await client.send_split(step.data, self._queue)
        else:
            await client.send(step.data)

    async def do_fill(self, step: model.Fill) -> None:
        """Send until the server stops reading."""
        taken = await self.clients[step.on].fill(step.data, FILL_QUIET)
        if taken > step.at_most:
            self.seen.problems.append(
                f"the server took {taken} bytes while the application did not receive; "
                f"at most {step.at_most} were expected"
            )

    async def do_send_rest(self, step: model.SendRest) -> None:
        """Send what the fill could not."""
        client = self.clients[step.on]
        await client.send(client.rest)

    async def do_await_response(self, step: model.AwaitResponse) -> None:
        """Wait for complete responses."""
        client = self.clients[step.on]
        await self.changes.until(
            lambda: client.parser.complete >= step.count or client.ends.any or client.parser.error,
            self.patience,
            f"response {step.count}",
        )

    async def do_await_interim(self, step: model.AwaitInterim) -> None:
        """Wait for an interim response."""
        parser = self.clients[step.on].parser
        await self.changes.until(
            lambda: step.status in [interim.status for interim in parser.interim],
            self.patience,
            f"an interim response {step.status}",
        )

    async def do_await_bytes(self, step: model.AwaitBytes) -> None:
        """Wait for octets on the wire."""
        parser = self.clients[step.on].parser
        await self.changes.until(
            lambda: step.data in parser.raw, self.patience, f"the bytes {step.data!r}"
        )

    async def do_half_close(self, step: model.HalfClose) -> None:
        """Send FIN."""
        self.clients[step.on].half_close()

    async def do_reset(self, step: model.Reset) -> None:
        """Send RST."""
        self.clients[step.on].reset()

    async def do_close(self, step: model.Close) -> None:
        """Close."""
        self.clients[step.on].close()

    async def do_await_close(self, step: model.AwaitClose) -> None:
        """Wait until the server closes, and not before its time."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        client = self.clients[step.on]
        await self.changes.until(lambda: client.ends.any, self.patience, "the server to close")
        if loop.time() - began < step.not_before:
            self.seen.problems.append(
                f"closed after {loop.time() - began:.2f} s, before {step.not_before:g} s"
            )

    async def do_stop_reading(self, step: model.StopReading) -> None:
        """Stop reading."""
        self.clients[step.on].stop_reading()

    async def do_resume_reading(self, step: model.ResumeReading) -> None:
        """Read again."""
        self.clients[step.on].resume_reading()

    async def do_await_quiet(self, step: model.AwaitQuiet) -> None:
        """Wait until the application stands still."""
        while await self.changes.once_more(step.seconds):
            pass
        sends = sum(call.count("send", None) for call in self.seats[step.on].calls)
        if sends > step.sends:
            self.seen.problems.append(
                f"{sends} calls of send() returned while the client did not read; "
                f"at most {step.sends} were expected"
            )

    def _calls(self, name: str) -> list[CallTrace]:
        return self.process.lifespan.calls if name == "lifespan" else self.seats[name].calls

    async def do_await_gate(self, step: model.AwaitGate) -> None:
        """Wait until the application stands at a gate."""
        await self.changes.until(
            lambda: any(step.name in call.gates for call in self._calls(step.on)),
            self.patience,
            f"the application to reach the gate {step.name!r}",
        )

    async def do_open(self, step: model.Open) -> None:
        """Open a gate."""
        await self.do_await_gate(model.AwaitGate(step.name, on=step.on))
        for call in self._calls(step.on):
            call.open_gate(step.name)

    async def do_await_trace(self, step: model.AwaitTrace) -> None:
        """Wait for records in the traces of a connection's calls."""
        await self.changes.until(
            lambda: (
                sum(c.count(step.kind, step.detail) for c in self._calls(step.on)) >= step.count
            ),
            self.patience,
            f"the application's {step.kind} {step.detail or ''}",
        )

    async def do_await_log(self, step: model.AwaitLog) -> None:
        """Wait for a line of the log; other servers' logs have other words."""
        if not self.process.target.exact:
            return
        await self.changes.until(
            lambda: re.search(step.pattern, self._log()),
            self.patience,
            f"the log to match {step.pattern!r}",
        )

    async def do_signal(self, step: model.Signal) -> None:
        """Send a signal."""
        self.process.signal(step.name)

    async def do_await_exit(self, step: model.AwaitExit) -> None:
        """Wait for the exit of the process; its code is the server's own choice."""
        code = await self.process.exited(step.within)
        if self.process.target.exact and step.code not in (None, code):
            self.seen.problems.append(f"exit code {code}, expected {step.code}")

    _steps: ClassVar[
        dict[type[model.Step], Callable[[CaseRun, Any], Coroutine[Any, Any, None]]]
    ] = {
        model.Connect: do_connect,
        model.ConnectRefused: do_connect_refused,
        model.Churn: do_churn,
        model.Send: do_send,
        model.Fill: do_fill,
        model.SendRest: do_send_rest,
        model.AwaitResponse: do_await_response,
        model.AwaitInterim: do_await_interim,
        model.AwaitBytes: do_await_bytes,
        model.AwaitFrame: websocket_steps.await_frame,
        model.AwaitSilence: websocket_steps.await_silence,
        model.AnswerPing: websocket_steps.answer_ping,
        model.MarkMemory: websocket_steps.mark_memory,
        model.CheckMemory: websocket_steps.check_memory,
        model.HalfClose: do_half_close,
        model.Reset: do_reset,
        model.Close: do_close,
        model.AwaitClose: do_await_close,
        model.StopReading: do_stop_reading,
        model.ResumeReading: do_resume_reading,
        model.AwaitQuiet: do_await_quiet,
        model.AwaitGate: do_await_gate,
        model.Open: do_open,
        model.AwaitTrace: do_await_trace,
        model.AwaitLog: do_await_log,
        model.Signal: do_signal,
        model.AwaitExit: do_await_exit,
    }

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
            await self.changes.until(
                lambda: client.ends.any, self._close_bound(client), "the server to close"
            )

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
                self.seen.problems.append(str(error))
        await self._await_log()
        self.seen.clients = self.clients
        self.seen.inapplicable = websocket_steps.inapplicable(self)
        self.seen.lifespan = self.process.lifespan.calls
        self.seen.exit_code = self.process.exit_code
        self.seen.log = self._log()

    def _for_this_client(self, pattern: str) -> str:
        """Fill the client's port into a pattern of the log."""
        client = self.clients.get("a")
        port = client.local[1] if client and isinstance(client.local, tuple) else 0
        return pattern.replace("{port}", str(port))

    def _log(self) -> str:
        return self.process.log_since(self._first_line)

    async def _await_log(self) -> None:
        for pattern in map(self._for_this_client, self.case.log_has):
            try:
                await self.do_await_log(model.AwaitLog(pattern))
            except Timeout as error:
                self.seen.problems.append(str(error))
        lacks = self.case.log_lacks if self.process.target.exact else ()
        for pattern in map(self._for_this_client, lacks):
            if re.search(pattern, self._log()):
                self.seen.problems.append(f"the log matches {pattern!r}")
