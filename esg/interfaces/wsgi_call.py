"""One call of a WSGI application: what it returns and writes, as ASGI messages.

Runs in the application's thread, and knows neither threads nor loops. Source: PEP 3333.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from types import TracebackType
from typing import Any, Final, TypeAlias

from esg.asgi import Headers, Message
from esg.errors import MessageError

ExcInfo: TypeAlias = tuple[type[BaseException], BaseException, TracebackType]
# No length is sent with these (RFC 9110 section 8.6).
_WITHOUT_CONTENT: Final = frozenset((204, 304))
SendAll: TypeAlias = Callable[[Sequence[Message]], object]


class WSGICall:
    """Call an application for one request.

    Args:
        app: the application.
        environ: its environ.
        send: sends ASGI messages; returns when there is room for more, and raises
            ClientDisconnected when nobody is left to read them.
    """

    def __init__(self, app: Callable[..., Any], environ: dict[str, Any], send: SendAll) -> None:
        self._app = app
        self._environ = environ
        self._send = send
        self._start: Message | None = None
        self._started = False  # the start has been sent
        self._left: int | None = None  # bytes that the declared content still lacks
        self._complete = False

    def run(self) -> Sequence[Message]:
        """Call the application, send its content as it comes, and close what it returned.

        Returns:
            What is still to be sent: a response that was there at once waits for no round trip.

        Raises:
            BaseException: what the application, or `send`, has raised.
        """
        content = self._app(self._environ, self.start_response)
        if type(content) in (list, tuple):  # nothing derived from them: that may have a close()
            return self._whole(b"".join(content))
        try:
            self._iterate(content)
        finally:
            close = getattr(content, "close", None)
            if close is not None:
                close()
        return ()

    def start_response(
        self, status: str, headers: list[tuple[str, str]], exc_info: ExcInfo | None = None
    ) -> Callable[[bytes], None]:
        """Take status and header fields; they are sent with the first content.

        Raises:
            MessageError: it was called before, and `exc_info` is not given.
            TypeError, ValueError: the status or a field has a form that WSGI forbids.
        """
        if exc_info is not None:
            try:
                if self._started:
                    raise exc_info[1].with_traceback(exc_info[2])
            finally:
                exc_info = None  # a traceback that refers to itself would live on
        elif self._start is not None:
            raise MessageError("start_response() was called a second time, without exc_info")
        fields = [_field(item) for item in headers]
        self._start = {
            "type": "http.response.start",
            "status": _status(status),
            "headers": fields,
        }
        self._left = _declared_length(fields)
        return self.write

    def write(self, block: bytes) -> None:
        """Send a block of content; return when there is room for more.

        Raises:
            MessageError: the content that was declared is complete.
            ClientDisconnected: nobody is left to read it.
        """
        if not block:
            return
        if self._complete:
            raise MessageError("the application sends more than the Content-Length it declared")
        self._send(self._messages(block, more=True))

    def _whole(self, content: bytes) -> list[Message]:
        """Return what sends all content at once; its length is declared, unless that misleads.

        The length of a response to HEAD is that of its GET, which an application that makes no
        content for HEAD does not tell (RFC 9110 section 9.3.2).
        """
        messages = self._messages(content, more=False)
        start = messages[0]
        if (
            start is self._start
            and self._left is None
            and start["status"] not in _WITHOUT_CONTENT
            and (content or self._environ["REQUEST_METHOD"] != "HEAD")
        ):
            start["headers"].append((b"content-length", b"%d" % len(content)))
        return messages

    def _iterate(self, content: Iterable[bytes]) -> None:
        for block in content:
            self.write(block)
        if not self._complete:
            self._send(self._messages(b"", more=False))

    def _messages(self, block: bytes, more: bool) -> list[Message]:
        """Return what sends a block, and the start before the first one.

        A block that ends the declared content ends the response: what the application does
        then, its `close()` for one, holds no client up.
        """
        if self._start is None:
            raise MessageError("the application has not called start_response()")
        messages: list[Message] = [] if self._started else [self._start]
        self._started = True
        if self._left is not None:
            self._left -= len(block)
            more = more and self._left != 0
        self._complete = not more
        messages.append({"type": "http.response.body", "body": block, "more_body": more})
        return messages


def _status(status: str) -> int:
    if not isinstance(status, str):
        raise TypeError(f"a status must be a str, got {status!r}")
    code, _, _ = status.partition(" ")
    if len(code) != 3 or not code.isascii() or not code.isdigit():
        raise ValueError(f"a status must look like '200 OK', got {status!r}")
    return int(code)


def _field(item: tuple[Any, Any]) -> tuple[bytes, bytes]:
    name, value = item
    if not isinstance(name, str) or not isinstance(value, str):
        raise TypeError(f"a header must be a (str, str), got {item!r}")
    return name.encode("latin-1"), value.encode("latin-1")


def _declared_length(fields: Headers) -> int | None:
    for name, value in fields:
        if name.lower() == b"content-length" and value.isdigit():
            return int(value)
    return None
