"""An application's lifespan beside a server, on every loop."""

from __future__ import annotations

import asyncio
import contextvars
import logging
from collections.abc import Callable

import anyio
import pytest

from esg.asgi import ASGIApp, Receive, Scope, Send
from esg.errors import LifespanError, MessageError
from esg.lifespan import Lifespan

pytestmark = pytest.mark.anyio
MARK: contextvars.ContextVar[str] = contextvars.ContextVar("mark", default="unset")
COMPLETE = {"type": "lifespan.startup.complete"}


async def run(app: ASGIApp, mode: str = "auto", bound: float = 5.0) -> Lifespan:
    """Start an application and shut it down."""
    lifespan = Lifespan(app, mode, bound)
    async with anyio.create_task_group() as tasks:
        error: LifespanError | None = None
        try:
            await lifespan.startup(tasks)
        except LifespanError as raised:
            error = raised
        else:
            await lifespan.shutdown()
        tasks.cancel_scope.cancel()
    if error is not None:
        raise error
    return lifespan


async def test_both_events_in_order() -> None:
    seen: list[object] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append({key: value for key, value in scope.items() if key != "state"})
        seen.append(await receive())
        await send(COMPLETE)
        seen.append(await receive())
        await send({"type": "lifespan.shutdown.complete"})
        seen.append("ended")

    await run(app)
    assert seen[0] == {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}}
    assert seen[1:3] == [{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}]


async def test_start_up_waits_for_the_application() -> None:
    ready = anyio.Event()
    order: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await ready.wait()
        order.append("complete")
        await send(COMPLETE)

    lifespan = Lifespan(app, "on", 5)
    async with anyio.create_task_group() as tasks:

        async def wait() -> None:
            await lifespan.startup(tasks)
            order.append("started")

        tasks.start_soon(wait)
        await anyio.wait_all_tasks_blocked()
        order.append("waiting")
        ready.set()
    assert order == ["waiting", "complete", "started"]


async def test_state_and_context_are_the_applications() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        scope["state"]["pool"] = "open"
        MARK.set("set in start-up")
        await receive()
        await send(COMPLETE)
        MARK.set("too late")
        await receive()

    lifespan = await run(app)
    assert lifespan.state == {"pool": "open"}
    assert lifespan.context[MARK] == "set in start-up"
    assert MARK.get() == "unset"


async def test_off_calls_nothing() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        raise AssertionError("called")

    await run(app, "off")


async def raises_at_once(scope: Scope, receive: Receive, send: Send) -> None:
    """Know no lifespan, by an exception."""
    raise NotImplementedError("lifespan")


async def returns_at_once(scope: Scope, receive: Receive, send: Send) -> None:
    """Know no lifespan, by a return."""


async def raises_in_start_up(scope: Scope, receive: Receive, send: Send) -> None:
    """Fall over its own start-up."""
    await receive()
    raise ValueError("broken")


async def returns_in_start_up(scope: Scope, receive: Receive, send: Send) -> None:
    """Leave its start-up without a word."""
    await receive()


async def fails(scope: Scope, receive: Receive, send: Send) -> None:
    """Say that it cannot start."""
    await receive()
    await send({"type": "lifespan.startup.failed", "message": "no database"})


@pytest.mark.parametrize(
    ("app", "level", "said"),
    [
        (raises_at_once, logging.INFO, "NotImplementedError: lifespan"),
        (returns_at_once, logging.INFO, "it returned"),
        (raises_in_start_up, logging.ERROR, "ValueError: broken"),
        (returns_in_start_up, logging.ERROR, "it returned"),
    ],
)
async def test_auto_serves_on(
    app: ASGIApp, level: int, said: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "esg"):
        await run(app, "auto")
    (record,) = caplog.records
    assert record.levelno == level
    assert said in record.getMessage()
    assert ("Traceback" in record.getMessage()) == (app is raises_in_start_up)


@pytest.mark.parametrize(
    "app", [raises_at_once, returns_at_once, raises_in_start_up, returns_in_start_up]
)
async def test_on_does_not_serve(app: ASGIApp, caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(LifespanError, match=r"^application start-up failed$"):
        await run(app, "on")
    assert [record.levelno for record in caplog.records] == [logging.ERROR]


@pytest.mark.parametrize("mode", ["auto", "on"])
async def test_failed_never_serves(mode: str) -> None:
    with pytest.raises(LifespanError, match=r"^application start-up failed: no database$"):
        await run(fails, mode)


async def test_shutdown_that_hangs_is_bounded(caplog: pytest.LogCaptureFixture) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send(COMPLETE)
        await receive()
        await anyio.sleep_forever()

    with anyio.fail_after(5):
        await run(app, bound=0.05)
    assert caplog.messages == ["Application shutdown did not complete within 0.05 s"]


def _ends(how: str) -> ASGIApp:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send(COMPLETE)
        if how == "returns early":
            return
        await receive()
        if how == "raises":
            raise ValueError("in shutdown")
        if how == "fails":
            await send({"type": "lifespan.shutdown.failed", "message": "disk full"})

    return app


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("returns early", []),
        ("returns", []),
        ("raises", ["ValueError: in shutdown"]),
        ("fails", ["Application shutdown failed: disk full"]),
    ],
)
async def test_ways_to_end(how: str, said: list[str], caplog: pytest.LogCaptureFixture) -> None:
    with anyio.fail_after(5):
        await run(_ends(how))
    assert len(caplog.messages) == len(said)
    assert all(text in message for text, message in zip(said, caplog.messages, strict=True))


async def test_work_after_shutdown_complete_is_not_waited_for_forever() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send(COMPLETE)
        await receive()
        await send({"type": "lifespan.shutdown.complete"})
        await anyio.sleep_forever()

    with anyio.fail_after(5):
        await run(app)


async def test_third_receive_waits() -> None:
    seen: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send(COMPLETE)
        await receive()
        await send({"type": "lifespan.shutdown.complete"})
        seen.append("third")
        await receive()
        seen.append("fourth")

    await run(app)
    assert seen == ["third"]


@pytest.mark.parametrize(
    "message",
    [
        {"type": "lifespan.startup.done"},
        {"type": "lifespan.shutdown.complete"},
        {"type": "http.response.start"},
        {},
    ],
)
async def test_wrong_messages_raise_and_change_nothing(message: dict[str, str]) -> None:
    raised: list[Exception] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        try:
            await send(message)
        except MessageError as error:
            raised.append(error)
        await send(COMPLETE)
        await receive()

    await run(app, "on")
    assert len(raised) == 1


async def test_own_cancellation_is_an_error_like_others(
    anyio_backend_name: str, caplog: pytest.LogCaptureFixture
) -> None:
    """An application that lets a CancelledError of its own out does not end the server."""
    if anyio_backend_name == "trio":
        pytest.skip("trio has no cancellation that can be raised by hand")
    cancelled: Callable[[], BaseException] = anyio.get_cancelled_exc_class()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        raise cancelled()

    with caplog.at_level(logging.INFO, "esg"):
        await run(app, "auto")
    assert "CancelledError" in caplog.messages[0]


@pytest.mark.parametrize("started", [False, True])
async def test_own_cancellation_before_the_end_ends_nobody_else(
    started: bool, anyio_backend_name: str
) -> None:
    if anyio_backend_name == "trio":
        pytest.skip("a trio task cannot cancel itself but by a scope of its own")

    async def app(_scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        if started:
            await send(COMPLETE)
        task = asyncio.current_task()
        assert task
        task.cancel()

    lifespan = Lifespan(app, "auto", 5.0)
    async with anyio.create_task_group() as tasks:
        await lifespan.startup(tasks)
        await anyio.wait_all_tasks_blocked()
        assert not tasks.cancel_scope.cancel_called
        await lifespan.shutdown()
