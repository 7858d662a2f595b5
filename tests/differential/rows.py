"""All rows of ESG, one server each for the whole run, and what each of them answers."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import re
from dataclasses import dataclass, field

import pytest

from esg.rules.request_head import HeadLimits
from tests.conformance.cases.build import case
from tests.conformance.cases.websocket_build import ping
from tests.conformance.client import Changes, Client, Timeout
from tests.conformance.digest import digest
from tests.conformance.model import Case
from tests.conformance.process import ServerProcess
from tests.conformance.receive_queue import ReceiveQueue
from tests.conformance.runner import Observation
from tests.conformance.side_channel import Seat, SideChannel
from tests.conformance.targets import WHOLE, Target, own_targets, require
from tests.conformance.websocket_frames import BINARY, frame
from tests.conformance.websocket_opening import split_opening
from tests.conformance.wire import Framing
from tests.differential import http_streams
from tests.differential.example import ALL_SCRIPTS, LISTENERS, PATIENT, READERS, Example
from tests.differential.walk import Walk, walk, walk_session
from tests.differential.websocket_streams import MESSAGE_LIMIT
from tests.rows import in_ci

LIMITS = HeadLimits(
    http_streams.HEAD_LIMIT,
    http_streams.FIELDS_LIMIT,
    http_streams.TARGET_LIMIT,
    http_streams.BODY_LIMIT,
)
OPTIONS = (
    *("--limit-head-size", str(LIMITS.head_size), "--limit-fields", str(LIMITS.fields)),
    *("--limit-target-size", str(LIMITS.target_size), "--limit-body-size", str(LIMITS.body_size)),
    # No timer may have a say, however slow the machine.
    *("--timeout-keep-alive", "300", "--timeout-headers", "300", "--timeout-body", "300"),
    *("--timeout-write", "300", "--timeout-graceful-shutdown", "1"),
    *("--ws-max-size", str(MESSAGE_LIMIT), "--ws-ping-interval", "0"),
    *("--ws-accept-timeout", "300", "--ws-close-timeout", "300"),
)
BOUND = 60.0  # seconds for anything that a server must do

_MARKER_PATH = b"/marker"
MARKER = b"GET " + _MARKER_PATH + b" HTTP/1.1\r\nHost: marker\r\n\r\n"
PING_MARKER = ping(b"marker")
HEAD_END = b"\r\n\r\n"
_DATE = re.compile(rb"(?im)^(date: ).*?\r$")
_CASE: Case = case("differential", 0, "", "", options=OPTIONS)


@dataclass
class Answer:
    """What one row made of an example.

    Attributes:
        lines: responses, scopes and traces, as `digest` writes them.
        received: every byte, the Date's value masked.
        end: how the server ended the connection.
        problems: what must not be, whatever the other rows say.
    """

    lines: list[str] = field(default_factory=list)
    received: bytes = b""
    end: str = ""
    problems: list[str] = field(default_factory=list)


class Row:
    """One server process."""

    def __init__(self, target: Target, channel: SideChannel, token: str) -> None:
        self.id = target.id
        self._channel = channel
        self._token = token
        self._process = ServerProcess(target, channel, token)
        self._log_seen = 0

    async def start(self) -> None:
        """Start the server."""
        await self._process.launch(_CASE)
        if not await self._process.listening():
            raise RuntimeError(f"{self.id} does not start:\n{self._process.log_text}")

    async def stop(self) -> None:
        """Stop the server."""
        await self._process.stop()

    async def answer(self, example: Example, expected: Walk, queue: ReceiveQueue) -> Answer:
        """Play the client of an example, to the end of the connection."""
        changes = Changes()
        client = Client(self._process.address, changes, [head.method for head in expected.heads])
        seat = Seat(tuple(ALL_SCRIPTS[name] for name in example.scripts), changes.notify)
        self._channel.keep_seat(self._token, client.local[1], seat)
        problems = []
        try:
            await client.connect()
            await _send(client, example, queue, changes)
            if not (example.ends or expected.unfinished or _swallows_marker(example, expected)):
                await _await_marker(example, client, seat, changes)
            await _finish(client, seat, changes)
        except Timeout as late:
            problems.append(str(late))
        finally:
            client.close()
        answer = self._answer(client, seat, problems)
        due = _due(example, expected)
        found = [response.status for response in client.parser.responses]
        if due is not None and found != due:
            answer.problems.append(f"the responses are {found}, by the rules {due}")
        return answer

    def _answer(self, client: Client, seat: Seat, problems: list[str]) -> Answer:
        seen = Observation(_CASE, WHOLE, self.id, clients={"a": client}, calls={"a": seat.calls})
        received = _DATE.sub(rb"\1<masked>\r", _in_order(client))
        problems = [*problems, *self._internal_errors()]
        if client.parser.error:
            problems.append(f"malformed response: {client.parser.error}")
        return Answer(digest(seen), received, _end(client), problems)

    def _internal_errors(self) -> list[str]:
        """Return what the server's log says of its own faults since the last example."""
        log = self._process.log[self._log_seen :]
        self._log_seen += len(log)
        found = [line for line in log if "Internal error" in line]
        if self._process.exit_code is not None:
            found.append(f"the server has exited with {self._process.exit_code}")
        return found


async def _send(client: Client, example: Example, queue: ReceiveQueue, changes: Changes) -> None:
    """Send the pieces, each after the server has read the one before."""
    pieces = example.pieces
    if example.websocket and example.scripts[0] not in PATIENT:
        opening, frames = split_opening(example.data)
        await client.send(opening)
        if opening.endswith(HEAD_END):
            await changes.until(
                lambda: client.ends.any or client.parser.responses,
                BOUND,
                "the answer to the handshake",
            )
        pieces = [frames] if frames else []
    if not example.ends:
        marker = PING_MARKER if example.websocket else MARKER
        pieces = [*pieces[:-1], pieces[-1] + marker] if pieces else [marker]
    for number, piece in enumerate(pieces, 1):
        await client.send(piece)
        if number < len(pieces):
            await client.until_read(queue)


async def _await_marker(example: Example, client: Client, seat: Seat, changes: Changes) -> None:
    """Wait for the marker's answer or the connection's end."""
    answered = _pinged if example.websocket else _marker_answered
    await changes.until(
        lambda: client.ends.any or client.parser.error or answered(example, client, seat),
        BOUND,
        "the answer to one more request, or the connection's end",
    )


async def _finish(client: Client, seat: Seat, changes: Changes) -> None:
    """Send FIN, read to the end."""
    with contextlib.suppress(OSError):  # reset meanwhile
        client.half_close()
    await changes.until(lambda: client.ends.any, BOUND, "the connection's end")
    await changes.until(
        lambda: all(call.ended for call in seat.calls), BOUND, "the end of the application's calls"
    )


def _end(client: Client) -> str:
    """Say how the server ended the connection.

    A response that was broken off may end in either way, as there were unread bytes or not: but
    not where only the end of the connection could pass for the end of the content.
    """
    responses = client.parser.responses
    broken = responses and not responses[-1].complete
    if broken and responses[-1].framing is not Framing.CLOSE and client.ends.any:
        return "FIN or RST"
    return "FIN" if client.ends.eof else "RST" if client.ends.reset else "nothing"


def _in_order(client: Client) -> bytes:
    """Return what was received; the frames of a WebSocket kind by kind, whose order is chance."""
    raw = bytes(client.parser.raw)
    frames = client.parser.frames
    if frames is None:
        return raw
    head, end, _ = raw.partition(b"\r\n\r\n")
    in_order = sorted(frames.frames, key=lambda one: max(one.opcode, BINARY))
    octets = (frame(f.opcode, f.payload, fin=f.fin, rsv=f.rsv, key=None) for f in in_order)
    return head + end + b"".join(octets) + frames.leftover


def _due(example: Example, expected: Walk) -> list[int] | None:
    """Return the statuses that the rules make due, None where the application has its own mind."""
    if not set(example.scripts) <= READERS.keys():
        return None
    scripts = [*example.scripts, *example.scripts[-1:] * len(expected.heads)]
    statuses = [READERS[name] for name, _ in zip(scripts, expected.heads, strict=False)]
    if expected.in_content:
        statuses.pop()
    return [*statuses, expected.rejected] if expected.rejected else statuses


def _pinged(example: Example, client: Client, _seat: Seat) -> bool:
    """Tell whether the session has closed, or the marker has its pong where nothing closes it."""
    frames = client.parser.frames
    if frames is None or frames.closed:
        return frames is not None
    return example.scripts[0] in LISTENERS and any(
        m.kind == "pong" and m.data == b"marker" for m in frames.messages
    )


def _swallows_marker(example: Example, expected: Walk) -> bool:
    """Tell whether an unfinished request takes the marker for its rest, and stays open behind it."""
    if example.websocket or expected.rejected or expected.closes:
        return False
    return not expected.heads or expected.heads[-1].raw_path != _MARKER_PATH


def _marker_answered(_example: Example, client: Client, seat: Seat) -> bool:
    return client.parser.complete >= len(seat.calls) and any(
        call.scope.get("raw_path") == _MARKER_PATH for call in seat.calls
    )


def rows_here() -> list[Target]:
    """Return ESG's rows on the running interpreter; in CI none may be missing."""
    targets = [t for t in own_targets() if t.interpreter is None and not t.secure]
    if in_ci():
        for target in targets:
            require(target)
    found = [target for target in targets if target.missing is None]
    if len(found) < 2:
        pytest.skip("there is only one row to ask")
    return found


class Rows:
    """A server of every row."""

    def __init__(self, targets: list[Target]) -> None:
        self._runner = asyncio.Runner()
        self._channel = SideChannel()
        self._queue = ReceiveQueue()
        self._runner.run(self._channel.open())
        tokens = (f"d{number}" for number in itertools.count())
        self._rows = [Row(target, self._channel, next(tokens)) for target in targets]
        self._runner.run(self._start())

    async def _start(self) -> None:
        await asyncio.gather(*(row.start() for row in self._rows))

    def close(self) -> None:
        """Stop the servers."""
        self._runner.run(self._stop())
        self._queue.close()
        self._runner.close()

    async def _stop(self) -> None:
        await asyncio.gather(*(row.stop() for row in self._rows))
        await self._channel.close()

    def answers(self, example: Example) -> dict[str, Answer]:
        """Put an example to all rows at once."""
        return self._runner.run(self._answers(example))

    async def _answers(self, example: Example) -> dict[str, Answer]:
        if example.websocket:
            expected = walk_session(example.data, LIMITS)
        else:
            expected = walk(example.data + (b"" if example.ends else MARKER), LIMITS)
        found = await asyncio.gather(
            *(row.answer(example, expected, self._queue) for row in self._rows)
        )
        return {row.id: answer for row, answer in zip(self._rows, found, strict=True)}
