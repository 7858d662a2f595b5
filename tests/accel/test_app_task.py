"""The fast implementation's task, seen by those who wait for it, beside asyncio's own."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import weakref
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

app_task = pytest.importorskip("esg.accel.app_task")

Start = Callable[[Coroutine[Any, Any, Any]], "asyncio.Task[Any]"]


def _by_asyncio(coro: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
    return asyncio.get_running_loop().create_task(coro)


def _eagerly(coro: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
    """Run a coroutine as the driver does: from a callback, where no task is current."""
    loop = asyncio.get_running_loop()
    tasks: list[asyncio.Task[Any]] = []
    context = contextvars.copy_context()
    current = asyncio.current_task()
    assert current is not None
    asyncio.tasks._leave_task(loop, current)
    try:
        tasks.append(app_task.run_eagerly(loop, coro, context))
    finally:
        asyncio.tasks._enter_task(loop, current)
    return tasks[0]


@pytest.fixture(params=[_by_asyncio, _eagerly], ids=["asyncio", "own"])
def start(request: pytest.FixtureRequest) -> Start:
    function: Start = request.param
    return function


def run(main: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(main())


async def fail() -> None:
    await asyncio.sleep(0)
    raise ValueError("failed")


@pytest.mark.parametrize("waits", [False, True])
def test_result(start: Start, waits: bool) -> None:
    async def work() -> str:
        if waits:
            await asyncio.sleep(0)
        return "done"

    async def main() -> None:
        task = start(work())
        assert await task == "done"
        assert task.done()
        assert not task.cancelled()
        assert task.result() == "done"
        assert task.exception() is None
        assert not task.cancel()
        assert await task == "done"
        assert repr(task).startswith("<Task finished name=")

    run(main)


def test_exception(start: Start) -> None:
    async def main() -> None:
        task = start(fail())
        with pytest.raises(ValueError, match="failed"):
            await task
        with pytest.raises(ValueError, match="failed"):
            task.result()
        assert isinstance(task.exception(), ValueError)
        assert "exception=ValueError('failed')" in repr(task)

    run(main)


def test_cancelled(start: Start) -> None:
    async def main() -> None:
        task = start(asyncio.sleep(30))
        await asyncio.sleep(0)
        assert task.cancel("enough")
        with pytest.raises(asyncio.CancelledError) as caught:
            await task
        assert caught.value.args == ("enough",)
        assert task.cancelled()
        assert task.done()
        for ask in (task.result, task.exception):
            with pytest.raises(asyncio.CancelledError):
                ask()
        assert "<Task cancelled" in repr(task)

    run(main)


def test_cancelled_by_itself_before_it_returns(start: Start) -> None:
    async def work() -> str:
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
        return "done"

    async def main() -> None:
        task = start(work())
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert task.cancelled()

    run(main)


def test_cancellation_reaches_what_is_awaited(start: Start) -> None:
    async def main() -> None:
        future = asyncio.get_running_loop().create_future()

        async def work() -> None:
            await future

        task = start(work())
        await asyncio.sleep(0)
        task.cancel()
        assert future.cancelled()
        await asyncio.wait([task])
        assert task.cancelled()

    run(main)


def test_done_callbacks(start: Start) -> None:
    variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable")

    async def main() -> None:
        called: list[Any] = []
        task = start(asyncio.sleep(0, "done"))
        context = contextvars.copy_context()
        context.run(variable.set, "given")
        task.add_done_callback(called.append)
        task.add_done_callback(lambda t: called.append(variable.get()), context=context)
        removed = called.append
        task.add_done_callback(print)
        assert task.remove_done_callback(print) == 1
        assert task.remove_done_callback(print) == 0
        await task
        await asyncio.sleep(0)
        assert called == [task, "given"]
        task.add_done_callback(removed)
        await asyncio.sleep(0)
        assert called == [task, "given", task]

    run(main)


def test_others_wait_for_it(start: Start) -> None:
    async def main() -> None:
        tasks = [start(asyncio.sleep(0, n)) for n in range(3)]
        assert await asyncio.gather(*tasks) == [0, 1, 2]
        done, pending = await asyncio.wait([start(asyncio.sleep(0)), start(fail())])
        assert len(done) == 2
        assert not pending
        assert [t.exception() is None for t in done].count(True) == 1
        assert await asyncio.wait_for(start(asyncio.sleep(0, "x")), 5) == "x"
        assert await asyncio.shield(start(asyncio.sleep(0, "y"))) == "y"
        assert [await c for c in asyncio.as_completed([start(asyncio.sleep(0, "z"))])] == ["z"]

    run(main)


def test_waiting_for_it_without_await(start: Start) -> None:
    async def main() -> None:
        task = start(asyncio.sleep(0))
        waiting = task.__await__()
        assert next(waiting) is task
        with pytest.raises(RuntimeError, match="await wasn't used with future"):
            next(waiting)
        await asyncio.wait([task])

    run(main)


def test_context(start: Start) -> None:
    variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="outside")

    async def work() -> list[str]:
        variable.set("inside")
        seen = [variable.get()]
        await asyncio.sleep(0)
        return [*seen, variable.get()]

    async def main() -> None:
        assert await start(work()) == ["inside", "inside"]
        assert variable.get() == "outside"

    run(main)


def test_stack(start: Start) -> None:
    async def waits_here() -> None:
        await asyncio.sleep(30)

    async def main() -> None:
        task = start(waits_here())
        await asyncio.sleep(0)
        assert [frame.f_code.co_name for frame in task.get_stack()] == ["waits_here"]
        task.cancel()
        await asyncio.wait([task])

    run(main)


@pytest.mark.parametrize("work", [lambda: asyncio.sleep(0), fail], ids=["returns", "raises"])
def test_leaves_no_cycle(start: Start, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    async def main() -> None:
        task = start(work())
        await asyncio.wait([task])
        await asyncio.sleep(0)
        seen = weakref.ref(task)
        task.exception()
        gc.disable()
        try:
            del task
            assert seen() is None
        finally:
            gc.enable()

    run(main)
