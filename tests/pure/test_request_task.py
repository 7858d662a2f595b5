"""The application's receive() and send() in the pure driver."""

from __future__ import annotations

import logging
import socket
import struct
import sys
import traceback
from contextlib import suppress

import anyio
import pytest

import esg
from esg.asgi import Message, Receive, Scope, Send
from esg.errors import MessageError
from tests.pure.driver import GET, Client, answer, content, driving, start

pytestmark = pytest.mark.anyio
CHUNKED = b"POST / HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n"
EXPECTING = b"POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n"


def reset(client: Client) -> None:
    raw = client.stream.extra(anyio.abc.SocketAttribute.raw_socket)
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


async def test_content_comes_as_it_is_sent() -> None:
    seen: list[Message] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        while not seen or seen[-1]["more_body"]:
            seen.append(await receive())
            await send(start()) if len(seen) == 1 else None
            await send(content(b"got", more_body=seen[-1]["more_body"]))

    async with driving(app) as driven, driven.client() as client:
        await client.send(CHUNKED)
        for piece in (b"2;ext=1\r\nab\r\n", b"3\r\ncde\r\n", b"0\r\nTrailer: x\r\n\r\n"):
            await client.send(piece)
            await client.until(b"got\r\n")
    assert b"".join(event["body"] for event in seen) == b"abcde"
    assert {event["type"] for event in seen} == {"http.request"}


async def test_continue_is_sent_when_content_is_asked_for() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await answer(send, (await receive())["body"])

    async with driving(app) as driven, driven.client() as client:
        await client.send(EXPECTING)
        assert await client.until(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        await client.send(b"ok")
        assert await client.response() == (200, b"ok")


async def test_continue_is_not_sent_otherwise() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await answer(send, b"no need")

    async with driving(app) as driven, driven.client() as client:
        await client.send(EXPECTING)
        assert await client.response() == (200, b"no need")
        assert await client.at_end()


async def test_receive_waits_for_the_client_to_leave() -> None:
    seen: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append((await receive())["type"])
        seen.append((await receive())["type"])
        seen.append((await receive())["type"])

    async with driving(app) as driven:
        async with driven.client() as client:
            await client.send(GET)
            await driven.until(lambda: len(seen) == 1)
            await anyio.wait_all_tasks_blocked()
            assert seen == ["http.request"]
        await driven.until(lambda: len(seen) == 3)
    assert seen[1:] == ["http.disconnect"] * 2


async def test_receive_in_two_tasks_at_once() -> None:
    seen: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()

        async def listen() -> None:
            seen.append((await receive())["type"])

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(listen)
            tasks.start_soon(listen)

    async with driving(app) as driven:
        async with driven.client() as client:
            await client.send(GET)
            await anyio.wait_all_tasks_blocked()
        await driven.until(lambda: len(seen) == 2)
    assert seen == ["http.disconnect"] * 2


async def test_a_listener_is_woken_by_the_end_of_the_response() -> None:
    """Frameworks listen for a disconnect beside the stream they send."""
    seen: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()

        async def listen() -> None:
            seen.append((await receive())["type"])

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(listen)
            await anyio.wait_all_tasks_blocked()
            await answer(send)

    async with driving(app) as driven, driven.client() as client:
        for count in (1, 2):
            await client.send(GET)
            assert await client.response() == (200, b"hello")
            await driven.until(lambda count=count: len(seen) == count)  # type: ignore[misc]
    assert seen == ["http.disconnect"] * 2


async def test_a_cancelled_receive_loses_nothing() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        with anyio.move_on_after(0.01) as scope_:
            await receive()
        assert scope_.cancelled_caught
        ready.set()
        await answer(send, (await receive())["body"])

    ready = anyio.Event()
    async with driving(app) as driven, driven.client() as client:
        await client.send(b"POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 3\r\n\r\n")
        await ready.wait()
        await client.send(b"abc")
        assert await client.response() == (200, b"abc")


async def test_send_raises_once_the_client_is_gone() -> None:
    raised: list[BaseException] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send(start())
        try:
            while True:
                await send(content(b"x" * 65536, more_body=True))
        except OSError as error:
            raised.append(error)
            assert (await receive())["type"] == "http.disconnect"
            raise

    async with driving(app) as driven:
        async with driven.client() as client:
            await client.send(GET)
            await client.until(b"\r\n\r\n")
            reset(client)
        await driven.until(lambda: bool(raised))
        await driven.emptied()
    assert isinstance(raised[0], esg.ClientDisconnected)


async def test_a_disconnect_is_no_error_of_the_app(caplog: pytest.LogCaptureFixture) -> None:
    done = anyio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await send(start())
            while True:
                await send(content(b"x" * 65536, more_body=True))
        except OSError as error:
            done.set()
            raise RuntimeError("wrapped") from error

    with caplog.at_level(logging.INFO, "esg"):
        async with driving(app) as driven:
            async with driven.client() as client:
                await client.send(GET)
                reset(client)
            await done.wait()
            await driven.emptied()
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


async def test_a_send_of_the_last_request_does_not_hit_the_next() -> None:
    sends: list[Send] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        sends.append(send)
        if len(sends) == 2:
            await sends[0](content(b"stray"))
        await answer(send)

    async with driving(app) as driven, driven.client() as client:
        await client.send(GET + GET + GET)
        assert [await client.response() for _ in range(3)] == [(200, b"hello")] * 3


async def test_late_messages_are_told_of_once(caplog: pytest.LogCaptureFixture) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await answer(send)
        await send(content(b"late"))
        await send(content(b"later"))

    async with driving(app) as driven, driven.client() as client:
        for _ in range(2):
            await client.send(GET)
            assert await client.response() == (200, b"hello")
    assert [m for m in caplog.messages if "after its response" in m] == [
        "The application sends after its response is complete; ignored"
    ]


async def test_a_wrong_message_leaves_the_wire_clean() -> None:
    raised: list[type[BaseException]] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        for wrong in (content(b"first"), {"type": "http.response"}, start(99)):
            try:
                await send(wrong)
            except (MessageError, TypeError) as error:
                raised.append(type(error))
        await answer(send)

    async with driving(app) as driven, driven.client() as client:
        await client.send(GET)
        assert await client.response() == (200, b"hello")
    assert len(raised) == 3


async def test_large_pieces_from_two_tasks_do_not_mix() -> None:
    """Each piece is one chunk, whoever waits for the client in between."""
    pieces = [letter * 500_000 for letter in (b"a", b"b")]

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        async def write(piece: bytes) -> None:
            await send(content(piece, more_body=True))

        await send(start())
        async with anyio.create_task_group() as tasks:
            for piece in pieces:
                tasks.start_soon(write, piece)
        await send(content())

    async with driving(app) as driven, driven.client() as client:
        await client.send(GET)
        await client.until(b"\r\n\r\n")
        got = [await _chunk(client), await _chunk(client)]
    assert sorted(got) == pieces


async def _chunk(client: Client) -> bytes:
    size = int(await client.until(b"\r\n"), 16)
    data = b""
    while len(data) < size + 2:
        data += await client.until(b"\r\n")
    return data[:-2]


# What anyio could not start, it has not awaited.
@pytest.mark.filterwarnings("ignore:coroutine:RuntimeWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_an_answer_at_the_bottom_of_a_recursion() -> None:
    """Where its send() fails halfway, the next answer must not be taken for this one."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        async def descend(calls: int) -> None:
            await (descend(calls - 1) if calls else answer(send, b"deep"))

        if scope["path"] == "/":
            await answer(send)
        else:
            depth = sum(1 for _ in traceback.walk_stack(None))
            with suppress(RecursionError):
                await descend(sys.getrecursionlimit() - depth - int(scope["path"][1:]))

    last = GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    async with driving(app) as driven:
        for calls in range(3, 40):
            async with driven.client() as client:
                await client.send(b"GET /%d HTTP/1.1\r\nHost: test\r\n\r\n" % calls + last)
                received = await client.rest()
                assert b"hello" not in received or b"deep" in received


async def test_the_bound_of_a_cancelled_receive_is_not_the_next_ones() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        with anyio.move_on_after(0.01):
            await receive()
        cancelled.set()
        await swept.wait()
        await answer(send, (await receive())["body"])

    cancelled, swept = anyio.Event(), anyio.Event()
    async with driving(app, timeout_body=60) as driven, driven.client() as client:
        await client.send(b"POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 3\r\n\r\n")
        await cancelled.wait()
        await driven.sweep(61)
        swept.set()
        await anyio.wait_all_tasks_blocked()
        (connection,) = driven.server.connections
        connection.transport.wake()  # as part of a TLS record does
        await anyio.wait_all_tasks_blocked()
        await client.send(b"abc")
        assert await client.response() == (200, b"abc")
