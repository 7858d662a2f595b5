"""One call of a WSGI application, without threads: what is called, what is sent, in which order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import pytest

from esg.asgi import Message
from esg.errors import ClientDisconnected, MessageError
from esg.interfaces.wsgi_call import WSGICall

Start = Callable[..., Callable[[bytes], object]]


def call(
    app: Callable[[Start], Iterable[Any]], method: str = "GET", log: list[Any] | None = None
) -> list[Message]:
    """Return all messages that one call sends."""
    sent: list[Message] = []

    def send(messages: Sequence[Message]) -> None:
        sent.extend(messages)
        if log is not None:
            log.append([m.get("body", "start") for m in messages])

    environ = {"REQUEST_METHOD": method}
    last = WSGICall(lambda environ, start: app(start), environ, send).run()
    return [*sent, *last]


def body(content: bytes = b"", more: bool = False) -> Message:
    return {"type": "http.response.body", "body": content, "more_body": more}


def start(status: int = 200, *headers: tuple[bytes, bytes]) -> Message:
    return {"type": "http.response.start", "status": status, "headers": list(headers)}


@pytest.mark.parametrize("kind", [list, tuple])
def test_content_that_is_there_at_once(kind: Callable[[list[bytes]], Iterable[bytes]]) -> None:
    def app(start_response: Start) -> Iterable[bytes]:
        start_response("200 OK", [("A", "\xe9")])
        return kind([b"one", b"two"])

    assert call(app) == [start(200, (b"A", b"\xe9"), (b"content-length", b"6")), body(b"onetwo")]


@pytest.mark.parametrize(
    ("status", "method", "content", "declares"),
    [
        ("200 OK", "HEAD", b"content", True),
        ("200 OK", "HEAD", b"", False),
        ("200 OK", "GET", b"", True),
        ("204 No Content", "GET", b"", False),
        ("304 Not Modified", "GET", b"", False),
    ],
)
def test_whose_length_is_declared(status: str, method: str, content: bytes, declares: bool) -> None:
    def app(start_response: Start) -> Iterable[bytes]:
        start_response(status, [])
        return [content]

    headers = call(app, method)[0]["headers"]
    assert headers == ([(b"content-length", b"%d" % len(content))] if declares else [])


def test_a_declared_length_stays() -> None:
    def app(start_response: Start) -> Iterable[bytes]:
        start_response("200 OK", [("content-length", "9")])
        return [b"too short"]

    assert call(app)[0] == start(200, (b"content-length", b"9"))


def test_the_start_waits_for_content() -> None:
    log: list[Any] = []

    def app(start_response: Start) -> Iterator[bytes]:
        yield b""
        start_response("200 OK", [])
        yield b""
        log.append("not yet")
        yield b"one"
        log.append("sent")
        yield b"two"

    call(app, log=log)
    assert log == ["not yet", ["start", b"one"], "sent", [b"two"], [b""]]


def test_content_that_is_complete_ends_the_response_at_once() -> None:
    log: list[Any] = []

    def app(start_response: Start) -> Iterator[bytes]:
        start_response("200 OK", [("Content-Length", "6")])
        yield b"one"
        yield b"two"
        yield b""
        log.append("after")

    assert call(app, log=log)[-1] == body(b"two", more=False)
    assert log == [["start", b"one"], [b"two"], "after"]


def test_more_than_was_declared() -> None:
    def app(start_response: Start) -> Iterator[bytes]:
        start_response("200 OK", [("Content-Length", "3")])
        yield b"one"
        yield b"two"

    with pytest.raises(MessageError, match="more than the Content-Length"):
        call(app)


def test_no_content_at_all() -> None:
    def app(start_response: Start) -> Iterator[bytes]:
        start_response("200 OK", [])
        yield from ()

    assert call(app) == [start(), body()]


def test_write_comes_first() -> None:
    def app(start_response: Start) -> Iterable[bytes]:
        write = start_response("200 OK", [])
        write(b"one")
        write(b"")
        return [b"two"]

    assert call(app) == [start(), body(b"one", more=True), body(b"two")]


class Closing:
    """Content that notes its end."""

    def __init__(self, blocks: Iterable[bytes]) -> None:
        self._blocks = blocks
        self.closed = 0

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._blocks)

    def close(self) -> None:
        """Take note."""
        self.closed += 1


def blocks_then_error(error: Exception) -> Iterator[bytes]:
    yield b"one"
    raise error


def test_content_is_closed() -> None:
    content = Closing([b"one"])

    def app(start_response: Start) -> Iterable[bytes]:
        start_response("200 OK", [])
        return content

    call(app)
    assert content.closed == 1
    content = Closing(blocks_then_error(ValueError("on purpose")))
    with pytest.raises(ValueError, match="on purpose"):
        call(app)
    assert content.closed == 1


def test_content_that_nobody_reads_is_closed() -> None:
    content = Closing([b"one", b"two"])

    def app(environ: object, start_response: Start) -> Iterable[bytes]:
        start_response("200 OK", [])
        return content

    def send(messages: Sequence[Message]) -> None:
        raise ClientDisconnected("gone")

    with pytest.raises(ClientDisconnected):
        WSGICall(app, {"REQUEST_METHOD": "GET"}, send).run()
    assert content.closed == 1


def test_a_list_with_a_close_is_closed() -> None:
    closed = []

    class Derived(list[bytes]):
        def close(self) -> None:
            closed.append(self)

    def app(start_response: Start) -> Iterable[bytes]:
        start_response("200 OK", [])
        return Derived([b"one"])

    assert call(app)[-2:] == [body(b"one", more=True), body()]
    assert closed


def error_info() -> Any:
    try:
        raise LookupError("on purpose")
    except LookupError as error:
        return (LookupError, error, error.__traceback__)


def test_a_start_is_replaced() -> None:
    def app(start_response: Start) -> Iterable[bytes]:
        start_response("200 OK", [("Content-Length", "1")])
        start_response("500 Error", [], error_info())
        return [b"replaced"]

    assert call(app) == [start(500, (b"content-length", b"8")), body(b"replaced")]


def test_a_start_that_is_sent_is_not_replaced() -> None:
    def app(start_response: Start) -> Iterator[bytes]:
        start_response("200 OK", [])
        yield b"sent"
        start_response("500 Error", [], error_info())

    with pytest.raises(LookupError, match="on purpose"):
        call(app)


def test_a_second_start() -> None:
    def app(start_response: Start) -> Iterable[bytes]:
        start_response("200 OK", [])
        start_response("200 OK", [])
        return []

    with pytest.raises(MessageError, match="a second time, without exc_info"):
        call(app)


def test_no_start() -> None:
    with pytest.raises(MessageError, match=r"has not called start_response\(\)"):
        call(lambda start_response: [b"content"])


@pytest.mark.parametrize(
    ("status", "headers", "error"),
    [
        (200, [], TypeError),
        (b"200 OK", [], TypeError),
        ("20 OK", [], ValueError),
        ("2000 OK", [], ValueError),
        ("²00 OK", [], ValueError),
        ("", [], ValueError),
        ("200 OK", [(b"name", "value")], TypeError),
        ("200 OK", [("name", 1)], TypeError),
        ("200 OK", [("name", "value", "more")], ValueError),
        ("200 OK", [("name", "\u0100")], UnicodeEncodeError),
    ],
)
def test_forms_that_wsgi_forbids(status: Any, headers: Any, error: type[Exception]) -> None:
    def app(start_response: Start) -> Iterable[bytes]:
        with pytest.raises(error):
            start_response(status, headers)
        start_response("200", [])  # nothing has changed
        return []

    assert call(app)[0]["status"] == 200
