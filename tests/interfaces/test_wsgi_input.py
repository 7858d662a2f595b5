"""`wsgi.input`: what can be read of messages, however they are cut."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from esg.asgi import Message
from esg.errors import ClientDisconnected
from esg.interfaces.wsgi_input import open_input


def receiving(*pieces: bytes) -> Callable[[], Message]:
    """Return a receive() that gives these pieces, and must not be called once more."""

    def messages() -> Iterator[Message]:
        for left, piece in zip(range(len(pieces) - 1, -1, -1), pieces, strict=True):
            yield {"type": "http.request", "body": piece, "more_body": left > 0}
        raise AssertionError("read beyond the end")

    found = messages()
    return lambda: next(found)


@pytest.mark.parametrize(
    "pieces", [(b"one\ntwo\nend",), (b"one", b"\ntw", b"", b"o\nend"), (b"one\n", b"two\nend", b"")]
)
def test_ways_to_read(pieces: tuple[bytes, ...]) -> None:
    assert open_input(receiving(*pieces), b"", more=True).read() == b"one\ntwo\nend"
    stream = open_input(receiving(*pieces), b"", more=True)
    assert [stream.read(5), stream.read(100), stream.read(1)] == [b"one\nt", b"wo\nend", b""]
    lines = [b"one\n", b"two\n", b"end"]
    assert list(open_input(receiving(*pieces), b"", more=True)) == lines
    assert open_input(receiving(*pieces), b"", more=True).readlines() == lines
    stream = open_input(receiving(*pieces), b"", more=True)
    assert [stream.readline(2), stream.readline(), stream.read(0)] == [b"on", b"e\n", b""]


def test_nothing() -> None:
    stream = open_input(receiving(), b"", more=False)
    assert [stream.read(), stream.read(5), stream.readline(), list(stream)] == [b"", b"", b"", []]


def test_what_was_there_comes_first() -> None:
    assert open_input(receiving(), b"there", more=False).read() == b"there"
    assert open_input(receiving(b" and more"), b"there", more=True).read() == b"there and more"


def test_what_has_come_is_not_held_back() -> None:
    stream = open_input(receiving(b"one", b"two"), b"", more=True)
    assert stream.read1(100) == b"one"
    assert stream.read1(100) == b"two"


def test_a_client_that_has_left() -> None:
    stream = open_input(lambda: {"type": "http.disconnect"}, b"", more=True)
    for _ in range(2):
        with pytest.raises(ClientDisconnected, match="before all of its content"):
            stream.read()
