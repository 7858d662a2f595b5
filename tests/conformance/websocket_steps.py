"""The steps of WebSocket cases, and what the runner does after the last of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.conformance import model
from tests.conformance.client import Client, Timeout
from tests.conformance.websocket_frames import CLOSE, PING, PONG, WireMessage, cut_all, frame
from tests.conformance.websocket_opening import split_opening

if TYPE_CHECKING:
    from tests.conformance.runner import CaseRun

LONGEST_SCANNED = 65_536
PROBE_PAYLOAD = b"the connection is usable"


def messages(client: Client, kind: str) -> list[WireMessage]:
    """Return the messages or control frames of a kind that the server has sent."""
    reader = client.parser.frames
    return [message for message in reader.messages if message.kind == kind] if reader else []


async def await_frame(run: CaseRun, step: model.AwaitFrame) -> None:
    """Wait for messages or control frames of a kind."""
    client = run.clients[step.on]
    await run.changes.until(
        lambda: (
            len(messages(client, step.kind)) >= step.count or client.ends.any or client.parser.error
        ),
        run.patience,
        f"{step.kind} frame {step.count}",
    )


async def answer_ping(run: CaseRun, step: model.AnswerPing) -> None:
    """Answer the last ping."""
    await await_frame(run, model.AwaitFrame("ping", step.count, on=step.on))
    client = run.clients[step.on]
    for ping in messages(client, "ping")[-1:]:
        await client.send(frame(PONG, ping.data))


async def await_silence(run: CaseRun, step: model.AwaitSilence) -> None:
    """Check that nothing arrives."""
    raw = run.clients[step.on].parser.raw
    before = len(raw)
    try:
        await run.changes.until(lambda: len(raw) > before, step.seconds, "")
    except Timeout:
        return
    run.seen.problems.append(f"unexpected octets came: {bytes(raw[before:])[:200]!r}")


async def mark_memory(run: CaseRun, step: model.MarkMemory) -> None:
    """Note the memory that the server has."""
    run.memory = run.process.memory_at_rest()


async def check_memory(run: CaseRun, step: model.CheckMemory) -> None:
    """Check how much more memory the server has had since."""
    grown = run.process.memory_peak() - run.memory
    if grown > step.growth:
        run.seen.problems.append(
            f"the server took {grown >> 20} MiB more, at most {step.growth >> 20} were expected"
        )


def frames_have_come(client: Client, expected: list[model.Frame]) -> bool:
    """Tell whether as many frames of each kind have come as are expected."""
    kinds = [wanted.kind for wanted in expected]
    return all(len(messages(client, kind)) >= kinds.count(kind) for kind in set(kinds))


def has_sent_close(case: model.Case, name: str) -> bool:
    """Tell whether the client has a close frame among what it sends; none is far behind others."""
    sent = (step for step in case.steps if isinstance(step, model.Send) and step.on == name)
    payloads = (split_opening(step.data)[1] for step in sent if len(step.data) < LONGEST_SCANNED)
    return any(frame.opcode == CLOSE for payload in payloads for frame in cut_all(payload)[0])


async def answer_close(case: model.Case, client: Client, name: str) -> None:
    """Answer the server's close frame, as every client does, unless the case has."""
    reader = client.parser.frames
    if reader and reader.closed and not client.ends.any and not has_sent_close(case, name):
        await client.send(frame(CLOSE, reader.closed.data))


async def probe(run: CaseRun, client: Client) -> bool:
    """Tell whether the server still answers a ping on the connection."""
    reader = client.parser.frames
    assert reader
    await client.send(frame(PING, PROBE_PAYLOAD))
    await run.changes.until(
        lambda: _probed(client) or client.ends.any or client.parser.error,
        run.patience,
        "the answer to a ping on the connection",
    )
    answered = _probed(client)
    reader.messages = [sent for sent in reader.messages if sent.data != PROBE_PAYLOAD]
    return answered


def _probed(client: Client) -> bool:
    return any(pong.data == PROBE_PAYLOAD for pong in messages(client, "pong"))
