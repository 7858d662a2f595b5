"""End a response when its client leaves, on asyncio and on trio."""

from collections.abc import Awaitable, Callable

import anyio

from examples.asgi_types import Receive


async def until_disconnect(receive: Receive, respond: Callable[[], Awaitable[None]]) -> None:
    """Run `respond` to its end, or cancel it as soon as the client has disconnected.

    A response that sleeps between two chunks would otherwise learn of a lost client only at
    its next send(), and one that waits for an event perhaps never.

    Args:
        receive: the exchange's receive(); nothing else may call it meanwhile.
        respond: sends the response.
    """
    async with anyio.create_task_group() as task_group:

        async def watch() -> None:
            while (await receive())["type"] != "http.disconnect":
                pass  # what is left of the request body
            task_group.cancel_scope.cancel()

        task_group.start_soon(watch)
        try:
            await respond()
        except OSError:
            pass  # send() says so when the client has gone (ASGI HTTP 2.4, "Disconnected Client")
        task_group.cancel_scope.cancel()
