"""A server in a thread: `esg.run_in_thread`."""

from __future__ import annotations

import socket
import threading

import httpx
import pytest

import esg
from esg.asgi import Receive, Scope, Send
from tests.apps import lifespans
from tests.apps.stage import answer
from tests.rows import Row

SETTINGS = {"port": 0}


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Greet."""
    if scope["type"] != "http":
        raise NotImplementedError(scope["type"])
    await answer(send, b"hello")


def names_of_threads() -> set[str]:
    return {thread.name for thread in threading.enumerate()}


def test_serves_while_the_block_runs(row: Row) -> None:
    with esg.run_in_thread(app, port=0, impl=row.impl, loop=row.loop) as server:
        (url,) = server.addresses
        assert httpx.get(url).text == "hello"
        assert "esg server" in names_of_threads()
    assert "esg server" not in names_of_threads()
    with pytest.raises(httpx.ConnectError):
        httpx.get(url)


def test_two_at_once() -> None:
    with (
        esg.run_in_thread(app, port=0) as first,
        esg.run_in_thread("examples.hello:app", port=0) as second,
    ):
        assert httpx.get(first.addresses[0]).text == "hello"
        assert httpx.get(second.addresses[0]).text == "Hello, world!\n"


def test_ends_with_the_blocks_own_error() -> None:
    with pytest.raises(LookupError, match="mine"), esg.run_in_thread(app, port=0):
        raise LookupError("mine")
    assert "esg server" not in names_of_threads()


def test_wrong_settings_are_raised_in_the_caller() -> None:
    with pytest.raises(esg.ConfigError, match="prot"), esg.run_in_thread(app, prot=0):
        pytest.fail("the block must not run")


def test_an_address_in_use_is_raised_in_the_caller() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with (
            pytest.raises(esg.StartupError, match=f"127.0.0.1:{port}: Address already in use"),
            esg.run_in_thread(app, port=port),
        ):
            pytest.fail("the block must not run")


def test_a_failed_start_up_is_raised_in_the_caller() -> None:
    with (
        pytest.raises(esg.StartupError, match="the database is away"),
        esg.run_in_thread(lifespans.failed, port=0),
    ):
        pytest.fail("the block must not run")


def test_a_missing_module_is_raised_in_the_caller() -> None:
    with (
        pytest.raises(esg.StartupError, match="module 'nowhere' not found"),
        esg.run_in_thread("nowhere:app", port=0),
    ):
        pytest.fail("the block must not run")


def test_shutdown_inside_the_block() -> None:
    with esg.run_in_thread(app, port=0) as server:
        server.shutdown()
        server.shutdown()
