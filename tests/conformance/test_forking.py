"""The fork server: its children are processes like any other, and none outlives it."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from tests.conformance.forking import Forking
from tests.conformance.process import base_environment

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only used on Linux")

BOUND = 150.0  # seconds


@asynccontextmanager
async def forking() -> AsyncIterator[Forking]:
    """Run a fork server that has imported ESG's command line."""
    server = Forking()
    await server.open(sys.executable, ("esg.cli",), base_environment())
    try:
        yield server
    finally:
        await server.close()


def run(test: Callable[[Forking], Awaitable[None]]) -> None:
    """Run a test on a fork server, in bounded time."""

    async def bounded() -> None:
        async with asyncio.timeout(BOUND), forking() as server:
            await test(server)

    asyncio.run(bounded())


async def output_of(reading: int) -> bytes:
    """Read a pipe to its end."""

    def read() -> bytes:
        with os.fdopen(reading, "rb") as pipe:
            return pipe.read()

    return await asyncio.to_thread(read)


def test_a_child_runs_the_command_with_its_own_output_and_exit_code() -> None:
    async def test(server: Forking) -> None:
        reading, writing = os.pipe()
        child = await server.start(["esg", "--no-such-option"], base_environment(), writing)
        os.close(writing)
        assert b"no-such-option" in await output_of(reading)
        assert await child.wait() == 2
        assert child.returncode == 2

    run(test)


def test_a_child_has_its_own_environment() -> None:
    async def test(server: Forking) -> None:
        reading, writing = os.pipe()
        variables = {**base_environment(), "ESG_PORT": "no-port"}
        child = await server.start(["esg", "examples.demo:app"], variables, writing)
        os.close(writing)
        assert b"no-port" in await output_of(reading)
        assert await child.wait() == 2

    run(test)


def test_a_child_dies_of_a_signal_as_any_process() -> None:
    async def test(server: Forking) -> None:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        serve = ["esg", "--port", "0", "examples.demo:app"]
        child = await server.start(serve, base_environment(), nowhere)
        os.close(nowhere)
        assert child.returncode is None
        os.kill(child.pid, signal.SIGKILL)
        assert await child.wait() == -signal.SIGKILL

    run(test)


def test_no_child_outlives_the_fork_server() -> None:
    async def test() -> None:
        reading, writing = os.pipe()
        async with forking() as server:
            serve = ["esg", "--port", "0", "examples.demo:app"]
            await server.start(serve, base_environment(), writing)
            os.close(writing)
        # The other end of the pipe is closed only when the child has ended.
        assert b"Traceback" not in await output_of(reading)

    asyncio.run(asyncio.wait_for(test(), BOUND))
