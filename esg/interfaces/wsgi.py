"""WSGI seen as ASGI 3: each request in a thread, on every loop; source: PEP 3333.

A thread cannot be cancelled. One whose request is over goes on alone, still counted among the
application's threads, and finds out when it next reads or writes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from esg.asgi import Message, Receive, Scope, Send
from esg.errors import is_disconnect_of
from esg.interfaces.thread_pool import ThreadPool
from esg.interfaces.wsgi_call import WSGICall
from esg.interfaces.wsgi_environ import environ_of
from esg.interfaces.wsgi_input import open_input
from esg.interfaces.wsgi_thread import RequestThread
from esg.logs import logger

# Content of at most this many bytes is awaited before it takes a thread.
_SMALL: Final = 65536


class WSGIApp:
    """Serve a WSGI application as an ASGI 3 application.

    Args:
        app: the WSGI application.
        threads: that run it, at most.
    """

    def __init__(self, app: Callable[..., Any], threads: int) -> None:
        self._app = app
        self._pool = ThreadPool(threads)
        self._multithread = threads > 1

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, live through one lifespan, or refuse a WebSocket."""
        if scope["type"] == "http":
            await self._serve(scope, receive, send)
        elif scope["type"] == "lifespan":
            await _live(receive, send)
        else:
            await receive()
            await send({"type": "websocket.close"})  # 403: there is no WebSocket in WSGI

    def close(self) -> None:
        """End the threads; those that are busy end when their requests do."""
        self._pool.close()

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        content, more = await _content_at_hand(scope, receive)
        if content is None:
            return  # the client has left
        thread = RequestThread(receive, send)
        environ = environ_of(scope)
        environ["wsgi.input"] = open_input(thread.receive, content, more)
        environ["wsgi.multithread"] = self._multithread
        # Several processes may share a port or a listening socket; none knows of the others.
        environ["wsgi.multiprocess"] = True
        try:
            last = await thread.run(self._pool, WSGICall(self._app, environ, thread.send).run)
        except BaseException as error:
            if not is_disconnect_of(error, None):
                raise
            logger.debug("The application ended with its client's disconnect", exc_info=error)
            return
        for message in last:
            await send(message)


async def _content_at_hand(scope: Scope, receive: Receive) -> tuple[bytes | None, bool]:
    """Return content that need not be read in a thread, and whether there is more.

    A small body that the client has begun to send is awaited here, so that a slow client does not
    occupy a thread; None where it has left meanwhile.
    """
    fields = dict(scope["headers"])
    length = int(fields.get(b"content-length", b"0"))
    if length > _SMALL or b"transfer-encoding" in fields or b"expect" in fields:
        return b"", True
    pieces = []
    more = length > 0
    while more:
        message = await receive()
        if message["type"] != "http.request":
            return None, False
        pieces.append(message.get("body", b""))
        more = message.get("more_body", False)
    return b"".join(pieces), False


async def _live(receive: Receive, send: Send) -> None:
    """Confirm start-up and shutdown, of which WSGI knows nothing."""
    message: Message = {"type": ""}
    while message["type"] != "lifespan.shutdown":
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
