"""Start a server of the table, prove that it answers rightly, and stop it again."""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO

from environment import BENCH, Environment
from scenarios import Scenario
from servers import Server

START_TIMEOUT = 20.0
STOP_TIMEOUT = 10.0
POLL_INTERVAL = 0.02
REQUESTS_TO_CHECK = 3


class ServerError(Exception):
    """A server did not start, or did not answer as it should; the text says what happened."""


def free_port() -> int:
    """Return a TCP port of 127.0.0.1 that was free a moment ago."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


@contextlib.contextmanager
def pinned(core: int) -> Iterator[None]:
    """Run the body on one core; processes started in it stay there."""
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, allowed)


@contextlib.contextmanager
def running(
    server: Server, app: str, environment: Environment, core: int
) -> Iterator[tuple[int, int]]:
    """Run a server in a session of its own on one core while the body runs.

    Args:
        server: The row of the table.
        app: Name of the application in apps.py.
        environment: What the fields of its command are filled in from.
        core: Number of the core it is pinned to.

    Yields:
        Its process id and its port on 127.0.0.1, once it accepts connections.

    Raises:
        ServerError: It ended, or accepted no connection within START_TIMEOUT.
    """
    port = free_port()
    command = server.argv(
        python=environment.python,
        bin=environment.scripts,
        build=environment.programs,
        app=f"apps:{app}",
        port=port,
    )
    with tempfile.TemporaryFile("a+") as output:
        process = _start(command, environment.variables(server), core, output)
        try:
            _wait_until_listening(process, port, output)
            yield process.pid, port
        finally:
            _stop(process)


def _start(
    command: Sequence[str], variables: Mapping[str, str], core: int, output: IO[str]
) -> subprocess.Popen[bytes]:
    """Start the process of a server with its output in a file.

    Raises:
        ServerError: There is no such program.
    """
    with pinned(core):
        try:
            return subprocess.Popen(
                command,
                cwd=BENCH,
                env=variables,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        except FileNotFoundError as error:
            raise ServerError(f"{Path(command[0]).name} is not there") from error


def _wait_until_listening(process: subprocess.Popen[bytes], port: int, output: IO[str]) -> None:
    """Return when the port accepts a connection; peers have no other sign in common.

    Raises:
        ServerError: The process ended first, or START_TIMEOUT passed.
    """
    deadline = time.monotonic() + START_TIMEOUT
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            if process.poll() is not None:
                raise ServerError(
                    f"did not start (exit {process.returncode}): {_last_line(output)}"
                ) from None
            time.sleep(POLL_INTERVAL)
    raise ServerError(f"did not listen within {START_TIMEOUT:g} s: {_last_line(output)}")


def _last_line(output: IO[str]) -> str:
    """Return the last line with something in it that a server wrote."""
    output.seek(0)
    lines = [line.strip() for line in output.read().splitlines() if line.strip()]
    return lines[-1].replace(f"{BENCH}/", "") if lines else "it wrote nothing"


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End a server and whatever of its session is left, by SIGKILL if it takes too long."""
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(STOP_TIMEOUT)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def check_answer(port: int, scenario: Scenario) -> None:
    """Send the scenario's request a few times on one connection and compare the answers.

    Raises:
        ServerError: An answer was not 200 with the body the scenario expects, or none came.
    """
    method = "GET" if scenario.request_body is None else "POST"
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        for _ in range(REQUESTS_TO_CHECK):
            connection.request(method, "/", body=scenario.request_body)
            response = connection.getresponse()
            body = response.read()
            if response.status != 200:
                raise ServerError(f"answered {response.status}")
            if body != scenario.answer:
                raise ServerError(
                    f"wrong body: {len(body)} bytes in place of {len(scenario.answer)}"
                )
    except (OSError, http.client.HTTPException) as error:
        raise ServerError(f"no answer: {error!r}") from error
    finally:
        connection.close()
