"""The steps of cases: what the client does, what it waits for, what the server is told."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

from tests.conformance import model, websocket_steps
from tests.conformance.client import Client
from tests.conformance.side_channel import LOCAL_KEY, CallTrace, Seat

if TYPE_CHECKING:
    from tests.conformance.runner import CaseRun

FILL_QUIET = 0.4
REFUSE_RETRY = 0.02


async def connect(run: CaseRun, step: model.Step) -> None:
    """Open a connection, its seat kept before the server can see it."""
    methods = [r.method for r in run.case.responses if r.on == step.on]
    client = _client(run, methods)
    seat = Seat(_scripts(run, step.on), run.changes.notify)
    named = run.process.target.names_clients and not run.case.client_is_told
    if not named or isinstance(client.address, str):
        run.channel.keep_seat(run.process.token, LOCAL_KEY, seat)
    if not isinstance(client.address, str):
        run.channel.keep_seat(run.process.token, client.local[1], seat)
    run.clients[step.on], run.seats[step.on] = client, seat
    await client.connect()


def _scripts(run: CaseRun, name: str) -> tuple[model.Script, ...]:
    """Return the scripts of a connection: all of the case's, but for the others only its last."""
    return run.case.app if name == "a" else run.case.app[-1:]


async def connect_refused(run: CaseRun, step: model.ConnectRefused) -> None:
    """Check that nobody accepts a connection, or soon nobody does."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + run.patience
    while await _accepted(run):
        if loop.time() > deadline:
            run.seen.problems.append("a connection was accepted that should be refused")
            return
        await run.changes.once_more(REFUSE_RETRY)


def _client(run: CaseRun, methods: list[str]) -> Client:
    secure = run.process.target.secure
    return Client(run.process.address, run.changes, methods, secure=secure)


async def _accepted(run: CaseRun) -> bool:
    client = _client(run, [])
    try:
        await client.connect()
    except OSError:
        return False
    else:
        return not client.ends.any
    finally:
        client.close()


async def churn(run: CaseRun, step: model.Churn) -> None:
    """Open and reset connections; the server's descriptors must all be closed again."""
    before = run.process.open_descriptors()
    for _ in range(step.count):
        client = _client(run, [])
        await client.connect()
        await client.send(step.data)
        client.reset()
    # The application asks for its script in each of them, one after the other: on a busy
    # machine, only standing still says that some are left.
    now = asyncio.get_running_loop().time
    open_before, deadline = 0, 0.0
    while (left := run.process.open_descriptors()) > before:
        if left != open_before:
            open_before, deadline = left, now() + run.patience
        elif now() > deadline:
            run.seen.problems.append(f"{left - before} descriptors stay open")
            return
        await run.changes.once_more(0.1)


async def send(run: CaseRun, step: model.Send) -> None:
    """Send a segment, or its bytes one by one."""
    client = run.clients[step.on]
    if run.split and not step.atomic:
        await client.send_split(step.data, run.queue)
    else:
        await client.send(step.data)


async def fill(run: CaseRun, step: model.Fill) -> None:
    """Send until the server stops reading."""
    taken = await run.clients[step.on].fill(step.data * step.times, FILL_QUIET)
    if taken > step.at_most:
        run.seen.problems.append(
            f"the server took {taken} bytes while the application did not receive; "
            f"at most {step.at_most} were expected"
        )


async def send_rest(run: CaseRun, step: model.SendRest) -> None:
    """Send what the fill could not."""
    client = run.clients[step.on]
    rest, client.rest = client.rest, b""
    await client.send(rest)


async def await_response(run: CaseRun, step: model.AwaitResponse) -> None:
    """Wait for complete responses."""
    client = run.clients[step.on]
    await run.changes.until(
        lambda: client.parser.complete >= step.count or client.ends.any or client.parser.error,
        run.patience,
        f"response {step.count}",
    )


async def await_interim(run: CaseRun, step: model.AwaitInterim) -> None:
    """Wait for an interim response."""
    parser = run.clients[step.on].parser
    await run.changes.until(
        lambda: step.status in [interim.status for interim in parser.interim],
        run.patience,
        f"an interim response {step.status}",
    )


async def await_bytes(run: CaseRun, step: model.AwaitBytes) -> None:
    """Wait for octets on the wire."""
    parser = run.clients[step.on].parser
    await run.changes.until(
        lambda: step.data in parser.raw, run.patience, f"the bytes {step.data!r}"
    )


async def half_close(run: CaseRun, step: model.HalfClose) -> None:
    """Send FIN."""
    run.clients[step.on].half_close()


async def reset(run: CaseRun, step: model.Reset) -> None:
    """Send RST."""
    run.clients[step.on].reset()


async def close(run: CaseRun, step: model.Close) -> None:
    """Close."""
    run.clients[step.on].close()


async def await_close(run: CaseRun, step: model.AwaitClose) -> None:
    """Wait until the server closes, and not before its time."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    client = run.clients[step.on]
    await run.changes.until(lambda: client.ends.any, run.patience, "the server to close")
    if loop.time() - began < step.not_before:
        run.seen.problems.append(
            f"closed after {loop.time() - began:.2f} s, before {step.not_before:g} s"
        )


async def stop_reading(run: CaseRun, step: model.StopReading) -> None:
    """Stop reading."""
    run.clients[step.on].stop_reading()


async def resume_reading(run: CaseRun, step: model.ResumeReading) -> None:
    """Read again."""
    run.clients[step.on].resume_reading()


async def await_quiet(run: CaseRun, step: model.AwaitQuiet) -> None:
    """Wait until the application stands still."""
    while await run.changes.once_more(step.seconds):
        pass
    sends = sum(call.count("send", None) for call in run.seats[step.on].calls)
    if sends > step.sends:
        run.seen.problems.append(
            f"{sends} calls of send() returned while the client did not read; "
            f"at most {step.sends} were expected"
        )


def _calls(run: CaseRun, name: str) -> list[CallTrace]:
    return run.process.lifespan.calls if name == "lifespan" else run.seats[name].calls


async def await_gate(run: CaseRun, step: model.AwaitGate) -> None:
    """Wait until the application stands at a gate."""
    await run.changes.until(
        lambda: any(step.name in call.gates for call in _calls(run, step.on)),
        run.patience,
        f"the application to reach the gate {step.name!r}",
    )


async def open_gate(run: CaseRun, step: model.Open) -> None:
    """Open a gate."""
    await await_gate(run, model.AwaitGate(step.name, on=step.on))
    for call in _calls(run, step.on):
        call.open_gate(step.name)


async def await_trace(run: CaseRun, step: model.AwaitTrace) -> None:
    """Wait for records in the traces of a connection's calls."""
    await run.changes.until(
        lambda: sum(c.count(step.kind, step.detail) for c in _calls(run, step.on)) >= step.count,
        run.patience,
        f"the application's {step.kind} {step.detail or ''}",
    )


async def await_log(run: CaseRun, step: model.AwaitLog) -> None:
    """Wait for a line of the log; other servers' logs have other words."""
    if not run.process.target.exact:
        return
    await run.changes.until(
        lambda: re.search(step.pattern, run.log()),
        run.patience,
        f"the log to match {step.pattern!r}",
    )


async def signal(run: CaseRun, step: model.Signal) -> None:
    """Send a signal."""
    run.process.signal(step.name)


async def await_exit(run: CaseRun, step: model.AwaitExit) -> None:
    """Wait for the exit of the process; its code is the server's own choice."""
    code = await run.process.exited(step.within)
    if run.process.target.exact and step.code not in (None, code):
        run.seen.problems.append(f"exit code {code}, expected {step.code}")


STEPS: dict[type[model.Step], Callable[[CaseRun, Any], Coroutine[Any, Any, None]]] = {
    model.Connect: connect,
    model.ConnectRefused: connect_refused,
    model.Churn: churn,
    model.Send: send,
    model.Fill: fill,
    model.SendRest: send_rest,
    model.AwaitResponse: await_response,
    model.AwaitInterim: await_interim,
    model.AwaitBytes: await_bytes,
    model.AwaitFrame: websocket_steps.await_frame,
    model.AwaitSilence: websocket_steps.await_silence,
    model.AnswerPing: websocket_steps.answer_ping,
    model.MarkMemory: websocket_steps.mark_memory,
    model.CheckMemory: websocket_steps.check_memory,
    model.HalfClose: half_close,
    model.Reset: reset,
    model.Close: close,
    model.AwaitClose: await_close,
    model.StopReading: stop_reading,
    model.ResumeReading: resume_reading,
    model.AwaitQuiet: await_quiet,
    model.AwaitGate: await_gate,
    model.Open: open_gate,
    model.AwaitTrace: await_trace,
    model.AwaitLog: await_log,
    model.Signal: signal,
    model.AwaitExit: await_exit,
}
