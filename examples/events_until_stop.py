"""Server-sent events that end by themselves when the server is told to stop.

    esg examples.events_until_stop:app
    curl -N http://127.0.0.1:8000/        (then stop the server: the stream says goodbye)

An endless response would keep a stopping server waiting until its bound. `esg.shutdown` in the
scope's extensions tells when the stop begins; elsewhere it is not there, and the stream only ends
with its client.
"""

from __future__ import annotations

import anyio

from examples.asgi_types import Receive, Scope, Send

SECONDS_BETWEEN = 1.0


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Tell the time since the start, once a second, until the server stops or the client leaves."""
    if scope["type"] != "http":
        raise NotImplementedError(f"this application does not speak {scope['type']}")
    headers = [(b"content-type", b"text/event-stream"), (b"cache-control", b"no-store")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(_end_with_client, receive, tasks.cancel_scope)
        if "esg.shutdown" in scope["extensions"]:
            tasks.start_soon(_end_with_server, scope, tasks.cancel_scope)
        await _count(send)
    await send({"type": "http.response.body", "body": b"event: goodbye\ndata: \n\n"})


async def _count(send: Send) -> None:
    seconds = 0
    while True:
        event = b"data: %d\n\n" % seconds
        await send({"type": "http.response.body", "body": event, "more_body": True})
        await anyio.sleep(SECONDS_BETWEEN)
        seconds += 1


async def _end_with_client(receive: Receive, stream: anyio.CancelScope) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    stream.cancel()


async def _end_with_server(scope: Scope, stream: anyio.CancelScope) -> None:
    await scope["extensions"]["esg.shutdown"]["wait"]()
    stream.cancel()
