"""Put messages on a WebSocket server, or only open connections, and read what was counted."""

from __future__ import annotations

import contextlib
import json
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from environment import BENCH, compile_program
from live_server import ServerError, pinned
from scenarios import WebSocketScenario
from websocket_frames import Client, WrongAnswer
from wrk import LoadError, LoadSummary

PROGRAM = BENCH / ".build" / "websocket_load"
MESSAGES_TO_CHECK = 3
SPARE_SECONDS = 90


def require() -> None:
    """Compile the load.

    Raises:
        LoadError: It cannot be compiled; the text says why.
    """
    reason = compile_program(BENCH / "websocket_load.c", PROGRAM)
    if reason is not None:
        raise LoadError(reason)


def check_answer(port: int, scenario: WebSocketScenario) -> None:
    """Send the scenario's message a few times and compare what comes back.

    Raises:
        ServerError: It is something else, or nothing comes.
    """
    try:
        with contextlib.closing(Client(port, scenario.message)) as client:
            client.open()
            for _ in range(MESSAGES_TO_CHECK):
                client.exchange()
    except (OSError, WrongAnswer) as error:
        raise ServerError(str(error)) from error


def run(scenario: WebSocketScenario, port: int, seconds: int, core: int) -> LoadSummary:
    """Put the load of a scenario on a port of 127.0.0.1.

    Args:
        scenario: What is sent, and over how many connections.
        port: Where to.
        seconds: How long, in whole seconds.
        core: Number of the core that the load is pinned to.

    Raises:
        LoadError: The load failed, or hung.
    """
    with _command(scenario, port, seconds) as command, pinned(core):
        try:
            done = subprocess.run(
                command,
                check=False,
                capture_output=True,
                text=True,
                timeout=seconds + SPARE_SECONDS,
            )
        except subprocess.TimeoutExpired as error:
            raise LoadError("the load did not end in time") from error
    kind, _, counted = done.stdout.partition(" ")
    if kind != "SUMMARY":
        raise LoadError(f"the load failed (exit {done.returncode}): {done.stderr.strip()}")
    summary = json.loads(counted)
    return LoadSummary(
        summary["requests"],
        summary["duration"],
        summary["p50"],
        summary["p99"],
        summary["errors"],
    )


@contextlib.contextmanager
def held_open(scenario: WebSocketScenario, port: int, core: int) -> Iterator[None]:
    """Keep the scenario's connections open, and idle, while the body runs.

    Raises:
        LoadError: Not all of them can be opened.
    """
    with _command(scenario, port, 0) as command:
        with pinned(core):
            load = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
            )
        with load:
            assert load.stdout is not None
            kind, _, counted = load.stdout.readline().partition(" ")
            if kind != "READY" or json.loads(counted)["refused"]:
                raise LoadError(f"not all connections were opened: {counted.strip()}")
            yield


@contextlib.contextmanager
def _command(scenario: WebSocketScenario, port: int, seconds: int) -> Iterator[Sequence[str]]:
    """Give the load's command while the files that it reads are there."""
    message = scenario.message
    with tempfile.TemporaryDirectory() as folder:
        handshake, frame = Path(folder, "handshake"), Path(folder, "frame")
        handshake.write_bytes(message.handshake)
        frame.write_bytes(message.frame)
        size = 0 if message.compressed else message.size
        numbers = (port, scenario.connections, seconds, handshake, frame, size)
        yield [str(PROGRAM), *map(str, numbers)]
