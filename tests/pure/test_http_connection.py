"""One connection of the pure driver: requests in turn, timers, ends."""

from __future__ import annotations

import contextvars

import anyio
import pytest

from esg.asgi import Receive, Scope, Send
from tests.pure.driver import GET, answer, content, current_task, driving, hello, start

pytestmark = pytest.mark.anyio
MARK: contextvars.ContextVar[str] = contextvars.ContextVar("mark", default="unset")
HALF_A_HEAD = b"GET / HTTP/1.1\r\nHo"
WITH_CONTENT = b"POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 5\r\n\r\n"


async def test_requests_in_turn() -> None:
    async with driving(hello) as driven, driven.client() as client:
        for _ in range(3):
            await client.send(GET)
            assert await client.response() == (200, b"hello")
        assert len(driven.server.connections) == 1


async def test_pipelined_requests_in_order() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await answer(send, scope["raw_path"])

    async with driving(app) as driven, driven.client() as client:
        targets = [b"/%d" % number for number in range(20)]
        await client.send(b"".join(GET.replace(b"/", target, 1) for target in targets))
        assert [(await client.response())[1] for _ in targets] == targets


async def test_each_request_has_a_task_and_a_context_of_its_own() -> None:
    tasks: set[object] = set()
    marks: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        tasks.add(current_task())
        marks.append(MARK.get())
        MARK.set("changed")
        await answer(send)

    MARK.set("from start-up")
    async with driving(app) as driven, driven.client() as client:
        for _ in range(3):
            await client.send(GET)
            await client.response()
    assert marks == ["from start-up"] * 3
    assert len(tasks) == 3


async def test_work_after_the_response_holds_nobody_up() -> None:
    go_on = anyio.Event()
    done: list[bool] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await answer(send)
        await go_on.wait()
        done.append(True)

    async with driving(app) as driven, driven.client() as client:
        for _ in range(2):
            await client.send(GET)
            assert await client.response() == (200, b"hello")
        assert done == []
        go_on.set()
    assert done == [True, True]


async def test_idle_connection_is_closed_in_time_and_not_before() -> None:
    async with driving(hello, timeout_keep_alive=5) as driven, driven.client() as client:
        for _ in range(2):
            await client.send(GET)
            await client.response()
            await driven.sweep(4)
        await driven.sweep(6)
        assert await client.at_end()
        await driven.emptied()


async def test_silent_connection_is_closed_without_a_word() -> None:
    async with driving(hello, timeout_headers=10) as driven, driven.client() as client:
        await driven.until(lambda: bool(driven.server.connections))
        await driven.sweep(9)
        assert driven.server.connections
        await driven.sweep(11)
        assert await client.at_end()


async def test_dripped_head_is_a_408() -> None:
    async with driving(hello, timeout_headers=10) as driven, driven.client() as client:
        await client.send(HALF_A_HEAD)
        await driven.until(lambda: any(c.buffer for c in driven.server.connections))
        await driven.sweep(11)
        assert (await client.response())[0] == 408
        assert await client.at_end()


async def test_content_that_does_not_come_is_a_408() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await answer(send)

    async with driving(app, timeout_body=60) as driven, driven.client() as client:
        await client.send(WITH_CONTENT)
        await driven.sweep(61)
        assert (await client.response())[0] == 408


async def test_content_that_nobody_asks_for_is_not_timed() -> None:
    asked = anyio.Event()
    go_on = anyio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        asked.set()
        await go_on.wait()
        await answer(send, (await receive())["body"])

    async with driving(app) as driven, driven.client() as client:
        await client.send(WITH_CONTENT)
        await asked.wait()
        await driven.sweep(3600)
        await client.send(b"12345")
        go_on.set()
        assert await client.response() == (200, b"12345")


async def test_a_client_that_does_not_read_is_reset() -> None:
    raised: list[BaseException] = []
    begun = anyio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send(start())
        begun.set()
        try:
            while True:
                await send(content(b"x" * 1_000_000, more_body=True))
        except OSError as error:
            raised.append(error)

    async with driving(app, timeout_write=60) as driven, driven.client() as client:
        await client.send(GET)
        await begun.wait()
        while not raised:
            await driven.sweep(61)
        await driven.emptied()


async def test_a_held_start_goes_out_with_the_second_sweep() -> None:
    """Nothing is written before content comes, so that an error may still become a 500."""
    held = anyio.Event()
    go_on = anyio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send(start(201))
        held.set()
        await go_on.wait()
        await send(content(b"late"))

    async with driving(app) as driven, driven.client() as client:
        await client.send(GET)
        await held.wait()
        await driven.sweep(0)
        await driven.sweep(0)
        assert (await client.until(b"\r\n\r\n")).startswith(b"HTTP/1.1 201 ")
        go_on.set()
        assert await client.until(b"0\r\n\r\n") == b"4\r\nlate\r\n0\r\n\r\n"


async def test_fin_between_requests_closes() -> None:
    async with driving(hello) as driven, driven.client() as client:
        await client.send(GET)
        await client.response()
        await client.stream.send_eof()
        assert await client.at_end()
        await driven.emptied()


async def test_fin_inside_a_head_closes_without_an_answer() -> None:
    async with driving(hello) as driven, driven.client() as client:
        await client.send(HALF_A_HEAD)
        await client.stream.send_eof()
        assert await client.at_end()
        await driven.emptied()


async def test_a_rejected_head_is_answered_and_closed() -> None:
    async with driving(hello) as driven, driven.client() as client:
        await client.send(b"GET / HTTP/1.1\r\n\r\n")
        assert await client.response() == (400, b"Bad Request")
        assert await client.at_end()


async def test_after_an_answer_the_client_has_time_to_read_it() -> None:
    """What it still sends is thrown away, within a bound (RFC 9112 section 9.6)."""
    async with driving(hello) as driven, driven.client() as client:
        await client.send(b"GET / HTTP/1.1\r\n\r\n" + b"x" * 100_000)
        assert (await client.response())[0] == 400
        assert await client.at_end()
        assert driven.server.connections
        await driven.sweep(3)
        await driven.emptied()


async def test_unread_content_is_not_the_next_request() -> None:
    async with driving(hello) as driven, driven.client() as client:
        await client.send(WITH_CONTENT + b"GET /" + GET)
        assert await client.response() == (200, b"hello")
        assert await client.response() == (200, b"hello")


@pytest.mark.parametrize("length", [b"100000", b"1000"], ids=["lingers", "drains"])
async def test_connection_that_is_dropped_while_it_reads_away_what_is_left(length: bytes) -> None:
    """Its task ends: it must not go on reading what cannot come."""
    async with driving(hello) as driven, driven.client() as client:
        await client.send(WITH_CONTENT.replace(b"5", length))
        assert (await client.response())[0] == 200
        await anyio.wait_all_tasks_blocked()
        for connection in tuple(driven.server.connections):
            connection.drop()
        with anyio.fail_after(30):
            await anyio.wait_all_tasks_blocked()
    assert not driven.server.connections
