"""The way between a request's thread and its loop, on every loop, without a server."""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Iterator
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from esg.asgi import Message
from esg.errors import ClientDisconnected
from esg.interfaces.thread_pool import ThreadPool
from esg.interfaces.wsgi_thread import RequestThread

pytestmark = pytest.mark.anyio
BOUND = 60.0  # seconds, for whatever should take none


@pytest.fixture
def pool() -> Iterator[ThreadPool]:
    made = ThreadPool(1)
    yield made
    made.close()


async def nothing() -> Message:
    raise AssertionError("not to be called")


async def refuse(message: Message) -> None:
    raise AssertionError("not to be called")


async def test_result_error_and_context(pool: ThreadPool) -> None:
    mark: contextvars.ContextVar[str] = contextvars.ContextVar("mark")
    mark.set("of the request")
    main = threading.get_ident()
    found = await RequestThread(nothing, refuse).run(
        pool, lambda: (mark.get(), threading.get_ident())
    )
    assert found[0] == "of the request"
    assert found[1] != main
    error = SystemExit("on purpose")

    def fail() -> None:
        raise error

    with pytest.raises(SystemExit) as caught:
        await RequestThread(nothing, refuse).run(pool, fail)
    assert caught.value is error


async def test_messages_go_both_ways(pool: ThreadPool) -> None:
    sent: list[Any] = []

    async def receive() -> Message:
        await anyio.lowlevel.checkpoint()
        return {"type": "a"}

    async def send(message: Message) -> None:
        sent.append(message)

    thread = RequestThread(receive, send)

    def call() -> Message:
        thread.send([{"type": "1"}, {"type": "2"}])
        return thread.receive()

    assert await thread.run(pool, call) == {"type": "a"}
    assert sent == [{"type": "1"}, {"type": "2"}]


async def test_an_error_of_send_reaches_the_thread(pool: ThreadPool) -> None:
    gone = ClientDisconnected("gone")

    async def send(message: Message) -> None:
        raise gone

    thread = RequestThread(nothing, send)
    with pytest.raises(ClientDisconnected) as caught:
        await thread.run(pool, lambda: thread.send([{"type": "1"}]))
    assert caught.value is gone


class _Busy:
    """A call that is busy until it may go on, then does something and notes what came of it."""

    def __init__(self, then: Any) -> None:
        self.begun = threading.Event()
        self.go_on = threading.Event()
        self.ended = threading.Event()
        self.error: BaseException | None = None
        self._then = then

    def __call__(self) -> None:
        self.begun.set()
        assert self.go_on.wait(BOUND)
        try:
            self._then()
        except BaseException as error:
            self.error = error
        self.ended.set()


@pytest.mark.parametrize("way", ["receive", "send"])
async def test_a_request_that_is_cancelled(pool: ThreadPool, way: str) -> None:
    """Its task ends at once; its thread goes on, and is told when it next asks for the client."""
    thread = RequestThread(nothing, refuse)
    busy = _Busy(thread.receive if way == "receive" else lambda: thread.send([{"type": "1"}]))
    waiting = RequestThread(nothing, refuse)
    never: list[None] = []
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(thread.run, pool, busy)
        await anyio.to_thread.run_sync(busy.begun.wait, BOUND)
        tasks.start_soon(waiting.run, pool, lambda: never.append(None))
        await anyio.wait_all_tasks_blocked()
        tasks.cancel_scope.cancel()
    assert not busy.ended.is_set()
    busy.go_on.set()
    assert await anyio.to_thread.run_sync(busy.ended.wait, BOUND)
    assert isinstance(busy.error, ClientDisconnected)
    assert await RequestThread(nothing, refuse).run(pool, lambda: "still there") == "still there"
    assert never == []  # the one that waited for the thread was not begun


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_loop_that_ends(backend: str, pool: ThreadPool) -> None:
    """A thread that waits for the client in the loop is let go with it."""
    holder: list[Any] = []

    async def receive() -> Message:
        waits.set()
        await anyio.sleep_forever()
        raise AssertionError

    async def main() -> None:
        thread = RequestThread(receive, refuse)
        busy = _Busy(thread.receive)
        busy.go_on.set()
        holder.append(busy)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(thread.run, pool, busy)
            await anyio.to_thread.run_sync(waits.wait, BOUND)
            tasks.cancel_scope.cancel()

    waits = threading.Event()
    anyio.run(main, backend=backend)
    assert holder[0].ended.wait(BOUND)
    assert isinstance(holder[0].error, ClientDisconnected)
