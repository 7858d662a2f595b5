"""What an application's task waits for goes on within the callback that brings it."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

app_task = pytest.importorskip("esg.accel.app_task")
app_waiter = pytest.importorskip("esg.accel.app_waiter")

variable: contextvars.ContextVar[int] = contextvars.ContextVar("variable", default=0)
Start = Callable[[Coroutine[Any, Any, None]], "asyncio.Task[None]"]


def run_eagerly(coro: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
    """Run a coroutine as the driver does."""
    loop = asyncio.get_running_loop()
    task: asyncio.Task[None] = app_task.run_eagerly(loop, coro, contextvars.copy_context())
    return task


def outside_of_tasks(act: Callable[[], None]) -> asyncio.Future[None]:
    """Call a function as the loop calls a protocol; the future says when it has been called."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[None] = loop.create_future()

    def call() -> None:
        try:
            act()
        except BaseException as error:
            done.set_exception(error)
        else:
            done.set_result(None)

    loop.call_soon(call)
    return done


async def waits(waiter: Any, seen: list[object]) -> None:
    variable.set(1)
    seen.append("waits")
    try:
        seen.append(await waiter)
    except asyncio.CancelledError as error:
        seen.append(f"cancelled {error.args}")
        raise
    seen.append((variable.get(), asyncio.current_task()))


def test_task_of_ours_goes_on_at_once() -> None:
    async def run() -> None:
        seen: list[object] = []
        waiter = app_waiter.new_waiter(asyncio.get_running_loop())
        tasks: list[asyncio.Task[None]] = []

        def act() -> None:
            tasks.append(run_eagerly(waits(waiter, seen)))
            assert seen == ["waits"]
            app_waiter.wake(waiter, True)
            assert seen == ["waits", None, (1, tasks[0])]
            assert variable.get() == 0
            assert asyncio.current_task() is None

        await outside_of_tasks(act)
        await tasks[0]

    asyncio.run(run())


@pytest.mark.parametrize("start", [run_eagerly, asyncio.ensure_future])
def test_task_goes_on_soon(start: Start) -> None:
    """In another task's step, and where the task that waits is none of ours."""

    async def run() -> None:
        seen: list[object] = []
        waiter = app_waiter.new_waiter(asyncio.get_running_loop())
        tasks: list[asyncio.Task[None]] = []
        await outside_of_tasks(lambda: tasks.append(start(waits(waiter, seen))))
        await asyncio.sleep(0)
        assert seen == ["waits"]
        app_waiter.wake(waiter, start is not run_eagerly)
        assert seen == ["waits"]
        await tasks[0]
        assert seen == ["waits", None, (1, tasks[0])]

    asyncio.run(run())


@pytest.mark.parametrize("start", [run_eagerly, asyncio.ensure_future])
def test_task_is_cancelled_where_it_waits(start: Start) -> None:
    async def run() -> None:
        seen: list[object] = []
        waiter = app_waiter.new_waiter(asyncio.get_running_loop())
        tasks: list[asyncio.Task[None]] = []
        await outside_of_tasks(lambda: tasks.append(start(waits(waiter, seen))))
        await asyncio.sleep(0)
        assert tasks[0].cancel("why")
        with pytest.raises(asyncio.CancelledError):
            await tasks[0]
        assert seen == ["waits", "cancelled ('why',)"]
        app_waiter.wake(waiter, True)  # too late, and nobody is there
        assert waiter.cancel() is False

    asyncio.run(run())


def test_task_that_is_cancelled_before_it_waits() -> None:
    async def run() -> None:
        seen: list[object] = []
        waiter = app_waiter.new_waiter(asyncio.get_running_loop())

        async def cancels_itself() -> None:
            task = asyncio.current_task()
            assert task is not None
            task.cancel()
            await waits(waiter, seen)

        tasks: list[asyncio.Task[None]] = []
        await outside_of_tasks(lambda: tasks.append(run_eagerly(cancels_itself())))
        with pytest.raises(asyncio.CancelledError):
            await tasks[0]
        assert seen == ["waits", "cancelled ()"]

    asyncio.run(run())


def test_task_that_was_woken_can_still_be_cancelled() -> None:
    """Before it goes on."""

    async def run() -> None:
        seen: list[object] = []
        waiter = app_waiter.new_waiter(asyncio.get_running_loop())
        tasks: list[asyncio.Task[None]] = []
        await outside_of_tasks(lambda: tasks.append(run_eagerly(waits(waiter, seen))))
        app_waiter.wake(waiter, False)
        assert tasks[0].cancel()
        with pytest.raises(asyncio.CancelledError):
            await tasks[0]

    asyncio.run(run())
