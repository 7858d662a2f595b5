"""Put messages on a WebSocket server by websocket_load.c."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

import load
from live_server import Place, ServerError
from load import Begin, compiled
from scenarios import WebSocketScenario
from websocket_frames import Client, WrongAnswer

MESSAGES_TO_CHECK = 3


def check_answer(place: Place, scenario: WebSocketScenario) -> None:
    """Send the scenario's message a few times and compare what comes back.

    Raises:
        ServerError: It is something else, or nothing comes.
    """
    try:
        with contextlib.ExitStack() as stack:
            clients = [
                stack.enter_context(contextlib.closing(Client(place.port, scenario.message)))
                for _ in range(2 if scenario.broadcast else 1)
            ]
            for client in clients:
                client.open()
            for _ in range(MESSAGES_TO_CHECK):
                clients[0].send()
                for client in clients:
                    client.receive()
    except (OSError, WrongAnswer) as error:
        raise ServerError(str(error)) from error


@contextlib.contextmanager
def opened(scenario: WebSocketScenario, place: Place, seconds: int, core: int) -> Iterator[Begin]:
    """Keep the WebSockets of a scenario open while the body runs.

    Yields:
        What puts the load on the server for some whole seconds, see load.opened.
    """
    message = scenario.message
    with tempfile.TemporaryDirectory() as folder:
        handshake, frame = Path(folder, "handshake"), Path(folder, "frame")
        handshake.write_bytes(message.handshake)
        frame.write_bytes(message.frame)
        size = 0 if message.compressed else message.size
        kind = "broadcast" if scenario.broadcast else "echo"
        command = [
            *(compiled("websocket_load"), place.target, scenario.connections, seconds),
            *(handshake, frame, size, kind),
        ]
        with load.opened(command, core) as begin:
            yield begin
