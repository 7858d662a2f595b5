"""One example: what the client sends and how, and what the application does; and as one word."""

from __future__ import annotations

import base64
import zlib
from ast import literal_eval
from dataclasses import astuple, dataclass

from hypothesis import strategies as st

from tests.conformance.behaviours import (
    HELLO,
    READ_AND_ECHO,
    READ_AND_HELLO,
    READ_BODY,
    RECEIVE,
    UNTIL_DISCONNECT,
    answer,
    body,
    chunked,
    send,
    sized,
    start,
)
from tests.conformance.model import Script
from tests.differential.edges import mutated
from tests.differential.http_streams import pipelines
from tests.rules.grammar import cut

# Each must leave the same trace however the client's bytes are cut into segments.
SCRIPTS: dict[str, Script] = {
    "echo": READ_AND_ECHO,
    "hello": HELLO,
    "read and hello": READ_AND_HELLO,
    "read and chunks": (READ_BODY, *chunked(b"one", b"two")),
    "read inside the response": (
        send(start(200, sized(b"a" * 10))),
        send(body(b"a" * 5, True)),
        READ_BODY,
        send(body(b"a" * 5)),
    ),
    "read after the response": (*HELLO, RECEIVE, RECEIVE),
    "read to the end": (UNTIL_DISCONNECT, *HELLO),
    "close": (
        READ_BODY,
        *answer(headers=[*sized(b"hello from the app"), (b"connection", b"close")]),
    ),
    "no content": (READ_BODY, *answer(b"", 204, ())),
    "large": (READ_BODY, *answer(b"l" * 100_000)),
    "nothing": (READ_BODY,),
    "raise": (READ_BODY, ("raise", "ValueError")),
    "raise inside the response": (READ_BODY, *chunked(b"one")[:2], ("raise", "ValueError")),
}
# Those that read all content and keep the connection, and what they answer.
READERS = {"echo": 200, "read and hello": 200, "read and chunks": 200, "no content": 204}
# Waits for a client that is gone: for inputs that end with a FIN, and not behind more of them than
# a server reads ahead.
NEEDS_FIN = "read to the end"
READ_AHEAD = 60_000


@dataclass(frozen=True)
class Example:
    """One connection.

    Args:
        data: what the client sends.
        places: where it is cut into segments, as for `grammar.cut`.
        scripts: what the application does, names of SCRIPTS: one for each call, the last again.
        ends: whether the client ends its side behind `data`. Else it asks for one thing more,
            and waits for that answer or the connection's end.
    """

    data: bytes
    places: tuple[int, ...] = ()
    scripts: tuple[str, ...] = ("echo",)
    ends: bool = True

    @property
    def pieces(self) -> list[bytes]:
        """The segments."""
        return cut(self.data, list(self.places))

    def word(self) -> str:
        """Write the example as one word for the command line."""
        return base64.urlsafe_b64encode(zlib.compress(repr(astuple(self)).encode(), 9)).decode()

    @classmethod
    def of_word(cls, word: str) -> Example:
        """Read what `word` has written."""
        return cls(*literal_eval(zlib.decompress(base64.urlsafe_b64decode(word)).decode()))


@st.composite
def http_examples(draw: st.DrawFn) -> Example:
    """Draw an example."""
    data = draw(mutated(pipelines))
    places = draw(st.one_of(st.just([]), st.lists(st.integers(0, len(data)), max_size=5)))
    ends = draw(st.booleans())
    sees_fin = ends and len(data) < READ_AHEAD
    names = [name for name in SCRIPTS if sees_fin or name != NEEDS_FIN]
    # Most first: what reads all and keeps the connection lets the rest of the input count.
    usual = st.sampled_from(["echo", "echo", "read and hello", "hello"])
    scripts = draw(st.lists(st.one_of(usual, st.sampled_from(names)), min_size=1, max_size=3))
    return Example(data, tuple(sorted(places)), tuple(scripts), ends)
