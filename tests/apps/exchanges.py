"""An application for what happens between the tasks of a request, and between requests.

Where an order matters, the test leads: each step waits at the gate (see `stage`), and what has
begun is told before the next step may come.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Awaitable, Callable

import anyio
import anyio.from_thread
import anyio.to_thread
from anyio.lowlevel import current_token

from esg.asgi import Message, Receive, Scope, Send
from tests.apps.stage import Route, answer, content, gate, lifespan, start, tell

# More than the kernel takes for a client that does not read.
LARGE = 16_000_000
# Much, and yet no more than the kernel takes at once.
MUCH = 2_000_000
# Enough that they would change places if something woke them in any other order than their own.
LETTERS = "bcdefgh"
PIECE = 100
GIVEN_UP = 200
GIVEN_UP_SIZE = 2**20
# What has to come before `answered_early` answers; the rest of the content is for nobody.
ENOUGH = 65_000
# Longer than the timeouts of the test that blocks the loop.
BLOCKED = 1.1  # seconds


async def _until_the_gate(wait: Callable[[], Awaitable[object]]) -> None:
    """Wait for something, and give up when the gate opens."""
    async with anyio.create_task_group() as tasks:

        async def give_up() -> None:
            await gate()
            tasks.cancel_scope.cancel()

        tasks.start_soon(give_up)
        tell("waiting")
        await wait()
    tell("given up" if tasks.cancel_scope.cancelled_caught else "done")


async def given_up(scope: Scope, _receive: Receive, send: Send) -> None:
    """Give up a send() whose client does not read, as a timeout does; `?length` says its size."""
    sized = scope["query_string"] == b"length"
    await send(start(200, *([(b"content-length", b"%d" % LARGE)] if sized else [])))
    await _until_the_gate(lambda: send(content(b"a" * LARGE)))


async def given_up_inside(_scope: Scope, _receive: Receive, send: Send) -> None:
    """Give up a send() in the middle of a response, then go on with the response."""
    await send(start())
    await _until_the_gate(lambda: send(content(b"a" * LARGE, True)))
    await send(content(b"tail"))


async def given_up_often(_scope: Scope, _receive: Receive, send: Send) -> None:
    """Give up many sends, each at once, then end the response at the gate."""
    await send(start())
    for number in range(GIVEN_UP):
        piece = b"%c" % (97 + number % 26) * GIVEN_UP_SIZE
        with anyio.CancelScope() as scope:
            scope.cancel()
            await send(content(piece, True))
    tell("given up often")
    await gate()
    await send(content(b"tail"))


async def in_turn(_scope: Scope, _receive: Receive, send: Send) -> None:
    """Send from many tasks, one after the other, to a client that does not read yet."""

    async def one(letter: str, size: int, more: bool) -> None:
        tell(f"sending {letter}")
        await send(content(letter.encode() * size, more))

    await send(start())
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(one, "a", LARGE, True)
        for letter in LETTERS:
            await gate()
            tasks.start_soon(one, letter, PIECE, True)
        await gate()
        tasks.start_soon(one, "z", PIECE, False)


async def hasty(_scope: Scope, _receive: Receive, send: Send) -> None:
    """End a response without a pause while another task's piece is waiting to go out."""
    asked = anyio.Event()

    async def another() -> None:
        await anyio.wait_all_tasks_blocked()  # the client does not read
        asked.set()
        tell("sending b")
        await send(content(b"b" * PIECE, True))

    await send(start())
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(another)
        while not asked.is_set():
            await send(content(b"a" * PIECE, True))
        await send(content(b"END"))


async def unheard(_scope: Scope, receive: Receive, send: Send) -> None:
    """Answer while another task waits for content that does not come."""
    heard = anyio.Event()

    async def listen() -> None:
        await receive()
        heard.set()
        await receive()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(listen)
        await heard.wait()
        await answer(send, b"unheard")


async def answered_early(_scope: Scope, receive: Receive, send: Send) -> None:
    """Answer while another task still reads the content."""
    enough = anyio.Event()

    async def read() -> None:
        size, event = 0, await _told_receive(receive)
        while event["type"] != "http.disconnect":
            size += len(event["body"])
            if size >= ENOUGH:
                enough.set()
            event = await receive()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(read)
        await enough.wait()
        await answer(send, b"early")


async def _told_receive(receive: Receive) -> Message:
    tell("receiving")
    return await receive()


async def overheard(_scope: Scope, receive: Receive, send: Send) -> None:
    """Answer at the gate, with another task waiting for the client to leave."""

    async def listen() -> None:
        assert (await receive())["type"] == "http.request"
        tell("listening")
        tell(f"heard {(await receive())['type']}")

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(listen)
        await gate()
        await answer(send, b"overheard")


async def measure(_scope: Scope, receive: Receive, send: Send) -> None:
    """Read the content and answer with its size."""
    size, more = 0, True
    while more:
        event = await receive()
        size += len(event["body"])
        more = event["more_body"]
    await answer(send, b"%d" % size)


async def at_once(scope: Scope, _receive: Receive, send: Send) -> None:
    """Answer with the target, without a look at the content."""
    await answer(send, scope["raw_path"] + b"?" + scope["query_string"])


async def late(_scope: Scope, receive: Receive, send: Send) -> None:
    """Read the content, then answer with much at the gate."""
    while (await receive())["more_body"]:
        pass
    tell("late: waiting")
    await gate()
    await answer(send, b"x" * MUCH)


async def silent(_scope: Scope, _receive: Receive, _send: Send) -> None:
    """Return at the gate, without a response."""
    tell("silent: waiting")
    await gate()


async def blocking(_scope: Scope, _receive: Receive, send: Send) -> None:
    """Block the loop: until the gate opens, and then for a while."""
    tell("blocking")
    os.read(sys.stdin.fileno(), 1)  # it is to block
    time.sleep(BLOCKED)  # noqa: ASYNC251 - as an application may
    await answer(send, b"blocked")


async def in_a_thread(_scope: Scope, _receive: Receive, _send: Send) -> None:
    """Wait for ever in a thread, as a synchronous endpoint may."""
    tell("in a thread")
    await anyio.to_thread.run_sync(threading.Event().wait)


async def late_thread(_scope: Scope, _receive: Receive, send: Send) -> None:
    """Answer from a thread that waits at the gate, whatever happens to the task meanwhile."""

    async def answered() -> None:
        try:
            await answer(send, b"late")
        except OSError as error:
            tell(f"late thread: {type(error).__name__}")

    def work() -> None:
        os.read(sys.stdin.fileno(), 1)
        anyio.from_thread.run(answered, token=token)

    token = current_token()
    await anyio.to_thread.run_sync(work)


async def stubborn(_scope: Scope, _receive: Receive, _send: Send) -> None:
    """Swallow every cancellation."""
    tell("stubborn")
    while True:
        try:
            await anyio.sleep_forever()
        except BaseException:
            continue


ROUTES: dict[str, Route] = {
    "/answered-early": answered_early,
    "/blocking": blocking,
    "/given-up": given_up,
    "/given-up-inside": given_up_inside,
    "/given-up-often": given_up_often,
    "/hasty": hasty,
    "/in-a-thread": in_a_thread,
    "/in-turn": in_turn,
    "/late": late,
    "/late-thread": late_thread,
    "/measure": measure,
    "/overheard": overheard,
    "/silent": silent,
    "/stubborn": stubborn,
    "/unheard": unheard,
}


async def app(scope: Scope, receive: Receive, send: Send) -> object:
    """Serve the lifespan and the routes; what has no route is answered at once."""
    known: Route = ROUTES.get(scope["path"], at_once) if "path" in scope else lifespan
    return await known(scope, receive, send)
