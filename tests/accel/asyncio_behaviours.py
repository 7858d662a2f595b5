"""Functions that use asyncio and anyio as applications do, each telling what it saw.

What they return must not depend on what runs them: they are run by the fast implementation's own
task and by asyncio's. Served as an ASGI application, the path names the function.
"""

# A context manager that may suppress what is raised in it ends a function for mypy without a return.
# mypy: disable-error-code="return"

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import functools
import json
import sys
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import anyio
import anyio.from_thread
import anyio.lowlevel
import anyio.to_thread
import sniffio

from esg.asgi import Receive, Scope, Send

Behaviour = Callable[[], Awaitable[object]]
BEHAVIOURS: dict[str, Behaviour] = {}

_variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="default")
_LONG = 30.0  # never waited for
_SHORT = 0.01


def behaviour(function: Behaviour) -> Behaviour:
    """Add a function to the list."""
    BEHAVIOURS[function.__name__] = function
    return function


def this_task() -> asyncio.Task[Any]:
    """Return the task that runs the caller."""
    task = asyncio.current_task()
    assert task is not None
    return task


@behaviour
async def current_task_stays() -> object:
    before = this_task()
    await asyncio.sleep(0)
    middle = this_task()
    await asyncio.sleep(_SHORT)
    return [before is middle, middle is this_task(), isinstance(before, asyncio.Task)]


@behaviour
async def handled_error_is_over() -> object:
    failing = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_soon(failing.set_exception, KeyError("handled"))
    with contextlib.suppress(KeyError):
        await failing
    try:
        raise ValueError
    except ValueError as error:
        return [repr(error.__context__), repr(sys.exc_info()[1])]


@behaviour
async def known_to_all_tasks() -> object:
    await asyncio.sleep(0)
    return this_task() in asyncio.all_tasks()


@behaviour
async def task_attributes() -> object:
    task = this_task()
    task.set_name("renamed")
    await asyncio.sleep(0)
    return [
        task.get_name(),
        task.done(),
        task.cancelled(),
        task.cancelling(),
        task.get_loop() is asyncio.get_running_loop(),
        asyncio.iscoroutine(task.get_coro()),
        asyncio.isfuture(task),
        repr(task).startswith("<Task pending name='renamed' coro=<"),
        len(task.get_stack()) > 0,
        hash(task) == hash(this_task()),
    ]


@behaviour
async def outcome_not_there() -> object:
    seen = []
    for ask in (this_task().result, this_task().exception):
        try:
            ask()
        except asyncio.InvalidStateError as error:
            seen.append(str(error))
    for settle in (this_task().set_result, this_task().set_exception):
        try:
            settle(None)  # type: ignore[arg-type]
        except RuntimeError as error:
            seen.append(str(error))
    return seen


@behaviour
async def timeout_expires() -> object:
    try:
        async with asyncio.timeout(_SHORT):
            await asyncio.sleep(_LONG)
    except TimeoutError as error:
        return ["timeout", type(error.__cause__).__name__, this_task().cancelling()]


@behaviour
async def timeout_of_zero() -> object:
    try:
        async with asyncio.timeout(0):
            await asyncio.sleep(_LONG)
    except TimeoutError:
        return this_task().cancelling()


@behaviour
async def timeout_not_reached() -> object:
    async with asyncio.timeout(_LONG) as scope:
        await asyncio.sleep(0)
    return [scope.expired(), this_task().cancelling()]


@behaviour
async def timeouts_nested() -> object:
    try:
        async with asyncio.timeout(_SHORT):
            try:
                async with asyncio.timeout(_LONG):
                    await asyncio.sleep(_LONG)
            except TimeoutError:
                return "inner"
    except TimeoutError:
        return ["outer", this_task().cancelling()]


@behaviour
async def wait_for_result() -> object:
    return await asyncio.wait_for(asyncio.sleep(0, "done"), _LONG)


@behaviour
async def wait_for_expires() -> object:
    try:
        await asyncio.wait_for(asyncio.sleep(_LONG), _SHORT)
    except TimeoutError:
        return this_task().cancelling()


@behaviour
async def task_group() -> object:
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(asyncio.sleep(0, n)) for n in range(3)]
    return [task.result() for task in tasks]


@behaviour
async def task_group_child_fails() -> object:
    async def fail() -> None:
        raise ValueError("child")

    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(fail())
            await asyncio.sleep(_LONG)
    except ExceptionGroup as errors:
        return [str(e) for e in errors.exceptions] + [str(this_task().cancelling())]


@behaviour
async def task_group_body_fails() -> object:
    cancelled = []

    async def child() -> None:
        try:
            await asyncio.sleep(_LONG)
        except asyncio.CancelledError:
            cancelled.append(True)
            raise

    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(child())
            await asyncio.sleep(0)
            raise KeyError("body")
    except ExceptionGroup:
        return cancelled


@behaviour
async def gather_with_exceptions() -> object:
    async def fail() -> None:
        raise ValueError("one")

    results = await asyncio.gather(asyncio.sleep(0, 1), fail(), return_exceptions=True)
    return list(map(repr, results))


@behaviour
async def shield_survives() -> object:
    inner = asyncio.ensure_future(asyncio.sleep(_SHORT, "inner"))
    try:
        await asyncio.wait_for(asyncio.shield(inner), 0)
    except TimeoutError:
        return [inner.cancelled(), await inner]


@behaviour
async def cancels_itself() -> object:
    this_task().cancel("why")
    counts = [this_task().cancelling()]
    try:
        await asyncio.sleep(_LONG)
    except asyncio.CancelledError as error:
        counts.append(this_task().uncancel())
        await asyncio.sleep(0)
        return [counts, error.args]


@behaviour
async def cancelled_by_another() -> object:
    task = this_task()

    async def cancel() -> None:
        task.cancel("from outside")

    child = asyncio.create_task(cancel())
    try:
        await asyncio.sleep(_LONG)
    except asyncio.CancelledError as error:
        await child
        return [error.args, task.cancelling(), task.uncancel(), task.uncancel()]


@behaviour
async def cancelled_while_a_task_is_awaited() -> object:
    task = this_task()
    inner = asyncio.create_task(asyncio.sleep(_LONG))
    asyncio.get_running_loop().call_soon(task.cancel)
    try:
        await inner
    except asyncio.CancelledError:
        return [inner.cancelled(), task.uncancel()]


@behaviour
async def cancellation_swallowed() -> object:
    task = this_task()
    asyncio.get_running_loop().call_soon(task.cancel)
    try:
        await asyncio.sleep(_LONG)
    except asyncio.CancelledError:
        pass
    await asyncio.sleep(_SHORT)
    return task.cancelling()


@behaviour
async def context_is_kept() -> object:
    token = _variable.set("mine")
    await asyncio.sleep(0)
    seen = [_variable.get()]
    asyncio.get_running_loop().call_soon(lambda: seen.append(_variable.get()))
    await asyncio.sleep(0)

    async def child() -> str:
        value = _variable.get()
        _variable.set("child's")
        return value

    seen.append(await asyncio.create_task(child()))
    seen.append(await asyncio.to_thread(_variable.get))
    _variable.reset(token)
    return [*seen, _variable.get()]


@behaviour
async def waits_for_first() -> object:
    quick = asyncio.create_task(asyncio.sleep(0, "quick"))
    slow = asyncio.create_task(asyncio.sleep(_LONG))
    done, pending = await asyncio.wait({quick, slow}, return_when=asyncio.FIRST_COMPLETED)
    slow.cancel()
    return [done == {quick}, pending == {slow}]


@behaviour
async def another_task_waits_for_this_one() -> object:
    task = this_task()
    waiting = asyncio.create_task(asyncio.wait({task}, timeout=_SHORT))
    gathered = asyncio.ensure_future(asyncio.shield(task))
    done, pending = await waiting
    gathered.cancel()
    return [len(done), len(pending)]


@behaviour
async def awaits_itself() -> object:
    try:
        await this_task()
    except RuntimeError as error:
        return str(error).partition(":")[0]


@behaviour
async def awaits_a_future_of_another_loop() -> object:
    other = asyncio.new_event_loop()
    try:
        await other.create_future()
    except RuntimeError as error:
        return "attached to a different loop" in str(error)
    finally:
        other.close()


@behaviour
async def bad_yield() -> object:
    class Bad:
        def __await__(self) -> Any:
            yield 42

    try:
        await Bad()
    except RuntimeError as error:
        return str(error)


@behaviour
async def future_yielded_without_await() -> object:
    class Bad:
        def __await__(self) -> Any:
            yield asyncio.get_running_loop().create_future()

    try:
        await Bad()
    except RuntimeError as error:
        return str(error).startswith("yield was used instead of yield from in task")


@behaviour
async def locks_and_queues() -> object:
    queue: asyncio.Queue[int] = asyncio.Queue(1)
    lock = asyncio.Lock()

    async def produce() -> None:
        for n in range(5):
            async with lock:
                await queue.put(n)

    async with asyncio.TaskGroup() as group:
        group.create_task(produce())
        return [await queue.get() for _ in range(5)]


@behaviour
async def async_generators() -> object:
    closed = []

    async def numbers() -> Any:
        try:
            for n in range(10):
                yield n
                await asyncio.sleep(0)
        finally:
            await asyncio.sleep(0)
            closed.append(True)

    stream = numbers()
    seen = [await anext(stream), await anext(stream)]
    await stream.aclose()
    return [seen, closed]


@behaviour
async def exit_stack() -> object:
    order = []

    @asynccontextmanager
    async def step(name: str) -> Any:
        await asyncio.sleep(0)
        yield
        order.append(name)

    async with AsyncExitStack() as stack:
        for name in "ab":
            await stack.enter_async_context(step(name))
    return order


@behaviour
async def executor() -> object:
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(None, functools.partial(sum, [1, 2, 3]))


@behaviour
async def library_is_detected() -> object:
    return sniffio.current_async_library()


@behaviour
async def anyio_move_on() -> object:
    with anyio.move_on_after(_SHORT) as scope:
        await anyio.sleep(_LONG)
    await anyio.lowlevel.checkpoint()
    return [scope.cancelled_caught, this_task().cancelling()]


@behaviour
async def anyio_fail_after() -> object:
    try:
        with anyio.fail_after(0):
            await anyio.sleep(_LONG)
    except TimeoutError:
        return this_task().cancelling()


@behaviour
async def anyio_scope_cancelled_before_any_wait() -> object:
    with anyio.CancelScope() as scope:
        scope.cancel()
        await anyio.sleep(_LONG)
    await anyio.lowlevel.checkpoint()
    return [scope.cancelled_caught, this_task().cancelling()]


@behaviour
async def anyio_shielded_scope() -> object:
    seen = []
    with anyio.move_on_after(_SHORT) as outer:
        try:
            await anyio.sleep(_LONG)
        finally:
            with anyio.CancelScope(shield=True):
                await anyio.sleep(_SHORT)
                seen.append("shielded")
    return [seen, outer.cancelled_caught]


@behaviour
async def anyio_task_group() -> object:
    seen = []

    async def child(n: int, *, task_status: Any = anyio.TASK_STATUS_IGNORED) -> None:
        task_status.started(n)
        await anyio.lowlevel.checkpoint()
        seen.append(n)

    async with anyio.create_task_group() as group:
        started = await group.start(child, 1)
        group.start_soon(child, 2)
    return [started, sorted(seen)]


@behaviour
async def anyio_task_group_child_fails() -> object:
    async def fail() -> None:
        raise ValueError("child")

    try:
        async with anyio.create_task_group() as group:
            group.start_soon(fail)
            await anyio.sleep(_LONG)
    except ExceptionGroup as errors:
        return [len(errors.exceptions), this_task().cancelling()]


@behaviour
async def anyio_task_group_cancelled() -> object:
    async with anyio.create_task_group() as group:
        group.start_soon(anyio.sleep, _LONG)
        await anyio.lowlevel.checkpoint()
        group.cancel_scope.cancel()
    await anyio.lowlevel.checkpoint()
    return [group.cancel_scope.cancelled_caught, this_task().cancelling()]


@behaviour
async def anyio_threads() -> object:
    async def back() -> str:
        await anyio.lowlevel.checkpoint()
        return _variable.get()

    def in_thread() -> str:
        anyio.from_thread.check_cancelled()
        return anyio.from_thread.run(back)

    _variable.set("in a thread")
    return await anyio.to_thread.run_sync(in_thread)


@behaviour
async def anyio_task_info() -> object:
    here = anyio.get_current_task()
    await anyio.lowlevel.checkpoint()
    return [here == anyio.get_current_task(), here in anyio.get_running_tasks()]


@behaviour
async def anyio_streams() -> object:
    sender, receiver = anyio.create_memory_object_stream[int](0)

    async def produce() -> None:
        async with sender:
            for n in range(3):
                await sender.send(n)

    async with anyio.create_task_group() as group:
        group.start_soon(produce)
        async with receiver:
            return [n async for n in receiver]


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Run the function that the path names and answer with what it returned."""
    if scope["type"] != "http":
        raise NotImplementedError
    body = json.dumps(await BEHAVIOURS[scope["path"].strip("/")]()).encode()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": body})
