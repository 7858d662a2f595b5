"""The way between a request's thread and its loop, whichever that is.

Content crosses a message at a time, and the thread waits for each: what an upload or a download
holds in memory is bounded by the driver.
"""

from __future__ import annotations

import contextvars
from collections.abc import Callable, Sequence
from concurrent import futures
from contextlib import suppress
from typing import Any, TypeVar

import anyio
from anyio import RunFinishedError, from_thread, get_cancelled_exc_class
from anyio.lowlevel import current_token

from esg.asgi import Message, Receive, Send
from esg.errors import ClientDisconnected
from esg.interfaces.thread_pool import ThreadPool

T = TypeVar("T")


class RequestThread:
    """Run the application for one request in a thread.

    Made in the request's task; `receive` and `send` are for the thread.

    Args:
        receive: the request's.
        send: the request's.
    """

    def __init__(self, receive: Receive, send: Send) -> None:
        self._receive = receive
        self._send = send
        self._token = current_token()
        # What a call into a loop raises that ends before the call does.
        self._loop_ended = (RunFinishedError, futures.CancelledError, get_cancelled_exc_class())
        self._ended = anyio.Event()
        self._abandoned = False
        self._result: Any = None
        self._error: BaseException | None = None

    async def run(self, pool: ThreadPool, call: Callable[[], T]) -> T:
        """Call a function in a thread of the pool.

        Raises:
            BaseException: what it has raised.
        """
        context = contextvars.copy_context()
        pool.start(lambda: self._run(context, call))
        try:
            await self._ended.wait()
        finally:
            self._abandoned = True  # from now on nobody waits for it
        error, self._error = self._error, None
        if error is not None:
            raise error
        result: T = self._result
        return result

    def receive(self) -> Message:
        """Wait for the next message from the client.

        Raises:
            ClientDisconnected: the request is over.
        """
        message: Message = self._in_loop(self._receive_one)
        return message

    def send(self, messages: Sequence[Message]) -> None:
        """Send messages; return when there is room for more.

        Raises:
            ClientDisconnected: nobody is left to read them, or the request is over.
            MessageError: ASGI forbids one of them.
        """
        self._in_loop(self._send_all, messages)

    def _run(self, context: contextvars.Context, call: Callable[[], object]) -> None:
        if self._abandoned:
            return
        try:
            self._result = context.run(call)
        except BaseException as error:  # noqa: BLE001 - it is raised in the request's task
            self._error = error
        with suppress(*self._loop_ended):
            from_thread.run_sync(self._ended.set, token=self._token)

    def _in_loop(self, function: Callable[..., Any], *arguments: object) -> Any:
        if self._abandoned:
            raise ClientDisconnected("the request is over")
        try:
            return from_thread.run(function, *arguments, token=self._token)
        except self._loop_ended:
            raise ClientDisconnected("the server has stopped") from None

    async def _receive_one(self) -> Message:
        return await self._receive()

    async def _send_all(self, messages: Sequence[Message]) -> None:
        for message in messages:
            await self._send(message)
