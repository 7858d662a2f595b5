"""Put a load of HTTP by http_load.c."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

import load
from live_server import Place
from load import Begin, compiled
from scenarios import HttpScenario
from servers import TLS


def can_put(scenario: HttpScenario) -> bool:
    """Tell whether a load is of a kind that this program puts: it does not speak TLS."""
    return scenario.mode != TLS


@contextlib.contextmanager
def opened(scenario: HttpScenario, place: Place, seconds: int, core: int) -> Iterator[Begin]:
    """Keep the connections of a scenario open, each answered once, while the body runs.

    Yields:
        What puts the load on the server for some whole seconds, see load.opened.
    """
    with tempfile.TemporaryDirectory() as folder:
        request, other = Path(folder, "request"), Path(folder, "other")
        request.write_bytes(scenario.request * scenario.pipelined)
        other.write_bytes(scenario.other_request)
        command: list[object] = [compiled("http_load"), place.target, scenario.connections, seconds]
        command += [request, scenario.pipelined]
        if scenario.slow:
            command += ["slow", scenario.slow, other]
        elif scenario.streams:
            command += ["streams", scenario.streams, other]
        with load.opened(command, core) as begin:
            yield begin
