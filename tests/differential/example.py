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
from tests.conformance.cases.websocket_build import ACCEPT, ECHO, LISTEN, end, say
from tests.conformance.cases.websocket_build import UNTIL_DISCONNECT as UNTIL_CLOSED
from tests.conformance.model import Script
from tests.differential.edges import mutated
from tests.differential.http_streams import pipelines
from tests.differential.websocket_streams import sessions
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
WEBSOCKET_SCRIPTS: dict[str, Script] = {
    "websocket: listen": LISTEN,
    "websocket: echo messages": ECHO,
    "websocket: say and listen": (
        *ACCEPT,
        send(say("said")),
        send(say(data=b"d" * 300)),
        UNTIL_CLOSED,
    ),
    "websocket: say and return": (*ACCEPT, send(say("said" * 200))),
    "websocket: return": ACCEPT,
    "websocket: raise": (*ACCEPT, ("raise", "ValueError")),
    "websocket: close": (*ACCEPT, send(end(4001, "réason")), UNTIL_CLOSED),
    "websocket: refuse": (RECEIVE, send(end())),
    "websocket: raise before": (RECEIVE, ("raise", "ValueError")),
    "websocket: deny": (
        RECEIVE,
        send({**start(401, sized(b"denied")), "type": "websocket.http.response.start"}),
        send({**body(b"denied"), "type": "websocket.http.response.body"}),
    ),
}
# Those that have the same to say whenever frames come: these may come with the handshake. For the
# others the client waits for the 101, as every client does.
PATIENT = ("websocket: listen", "websocket: echo messages")
# Those that leave it to the client to end the connection.
LISTENERS = (*PATIENT, "websocket: say and listen")
ALL_SCRIPTS = SCRIPTS | WEBSOCKET_SCRIPTS
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
        scripts: what the application does, names of ALL_SCRIPTS: one for each call, the last again.
        ends: whether the client ends its side behind `data`. Else it asks for one thing more,
            and waits for that answer or the connection's end.
        websocket: whether `data` begins with an opening handshake.
    """

    data: bytes
    places: tuple[int, ...] = ()
    scripts: tuple[str, ...] = ("echo",)
    ends: bool = True
    websocket: bool = False

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


_NAMES = list(WEBSOCKET_SCRIPTS)


@st.composite
def websocket_examples(draw: st.DrawFn) -> Example:
    """Draw an example of a WebSocket."""
    data = draw(sessions())
    places = draw(st.one_of(st.just([]), st.lists(st.integers(0, len(data)), max_size=5)))
    ends = draw(st.booleans())
    listening = st.sampled_from(LISTENERS)
    # What ends the session itself is seen to end it by a client that waits for that.
    name = draw(listening if ends else st.one_of(listening, st.sampled_from(_NAMES)))
    return Example(data, tuple(sorted(places)), (name,), ends, websocket=True)
