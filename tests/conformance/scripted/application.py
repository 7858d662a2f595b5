"""The ASGI application that plays the scripts of the cases.

A script is a tuple of operations, an operation a tuple: its name, then its arguments.
`tests/conformance/behaviours.py` writes them; the methods of `Player` named `do_<name>`
say what each does. Every message in either direction, every exception out of receive() and
send(), and how the call ended go into the trace.
"""

from __future__ import annotations

import asyncio
import contextvars
import enum
import hashlib
import http
import io
import os
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

from tests.conformance.scripted.channel import Channel, family, literal, sleep, together

Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

LARGEST_RECORDED_BODY = 4096

variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="unset")

RAISABLE: dict[str, Callable[[], BaseException]] = {
    "ValueError": lambda: ValueError("raised by the script, secret=hunter2"),
    "CancelledError": asyncio.CancelledError,
    "KeyboardInterrupt": KeyboardInterrupt,
    "SystemExit": lambda: SystemExit(7),
    "OSError": lambda: OSError("raised by the script"),
}


class Text(str):
    """A text as frameworks mark it: what needs no escaping, what stands in a catalogue."""

    __slots__ = ()


def _generate(items: list[Any]) -> Iterator[Any]:
    yield from items


class _Odd(bytes):
    """Bytes by their type, whose methods say that they are others."""

    def __len__(self) -> int:
        return 3

    def __bytes__(self) -> bytes:
        return b"odd\r\nx-odd: 1"


class _Protocol(str, enum.Enum):  # noqa: UP042 - what str() makes of a StrEnum is its value
    """Subprotocols as an application may name them; str() of one is "_Protocol.B"."""

    B = "b"


# Values that are no literals: {"$": kind, "of": literal} in a script; those of files are a player's.
SPECIAL: dict[str, Callable[[Any], Any]] = {
    "bytearray": bytearray,
    "memoryview": memoryview,
    "odd bytes": _Odd,
    "enum": _Protocol,
    "generator": _generate,
    "HTTPStatus": http.HTTPStatus,
    "Text": Text,
    "zeros": bytes,
    "object": lambda _: object(),
    "BytesIO": io.BytesIO,
}


def filler(size: int) -> bytes:
    """Return content that shows where it was cut out: the numbers of its words, in decimal."""
    return b"".join(b"%07d " % number for number in range(size // 8 + 1))[:size]


class Files:
    """The files of one call, in a folder of their own that ends with it."""

    def __init__(self) -> None:
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._open: dict[str, Any] = {}

    def path(self, name: str) -> str:
        """Return the absolute path of a file."""
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory()
        return os.path.join(os.path.realpath(self._folder.name), name)  # noqa: PTH118

    def relative(self, name: str) -> str:
        """Return its path from the working directory."""
        return os.path.relpath(self.path(name))

    def opened(self, name: str) -> Any:
        """Open it, or return what has been opened."""
        if name not in self._open:
            self._open[name] = open(self.path(name), "rb")  # noqa: SIM115, PTH123 - until `close`
        return self._open[name]

    def close(self) -> None:
        """Close and remove all."""
        for file in self._open.values():
            file.close()
        if self._folder is not None:
            self._folder.cleanup()


def _summary(message: Message) -> Message:
    """Put the size of a long body in its place: the trace must not cost more than the exchange."""
    key = next((key for key in ("body", "bytes", "text") if message.get(key)), "body")
    value = message.get(key) or b""
    if len(value) <= LARGEST_RECORDED_BODY:
        return message
    data = value.encode() if isinstance(value, str) else bytes(value)
    digest = {} if key == "body" else {"sha256": hashlib.sha256(data).hexdigest()}
    return {**message, key: {"size": len(value), **digest}}


class Player:
    """Play one script over one ASGI call."""

    def __init__(self, scope: Message, receive: Receive, send: Send, channel: Channel) -> None:
        self.scope = scope
        self.channel = channel
        self._receive = receive
        self._send = send
        self._body = bytearray()
        self._last: Message = {}
        self._result: Any = None
        self.files = Files()
        self._special: dict[str, Callable[[Any], Any]] = {
            **SPECIAL,
            "path": self.files.path,
            "relative path": self.files.relative,
            "open file": self.files.opened,
            "descriptor": lambda name: self.files.opened(name).fileno(),
        }

    def _build(self, value: Any) -> Any:
        """Turn the literals of a script into the values that they stand for."""
        if isinstance(value, dict):
            if "$" in value:
                return self._special[value["$"]](self._build(value["of"]))
            return {key: self._build(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self._build(item) for item in value]
        if isinstance(value, tuple):
            return tuple(self._build(item) for item in value)
        return value

    async def receive(self) -> Message:
        """Receive one message and record it, or the exception."""
        try:
            message = await self._receive()
        except BaseException as error:
            self.channel.record("receive-raised", family(error), str(error))
            raise
        self.channel.record("receive", _summary(message))
        self._last = message
        if message.get("type") == "http.request":
            self._body += message.get("body", b"")
        return message

    async def send(self, message: Message) -> None:
        """Send one message and record its type, or the exception."""
        kind = message.get("type")
        try:
            await self._send(message)
        except BaseException as error:
            self.channel.record("send-raised", kind, family(error), str(error))
            raise
        self.channel.record("send", kind)

    async def play(self, script: tuple[Any, ...]) -> Any:
        """Play the operations in order; return what the script says to return."""
        for name, *arguments in script:
            await getattr(self, f"do_{name}")(*arguments)
        return self._result

    async def do_receive(self) -> None:
        """Receive one message."""
        await self.receive()

    async def do_read_body(self) -> None:
        """Receive until the request body has ended or the client has gone."""
        while True:
            message = await self.receive()
            if message["type"] != "http.request" or not message.get("more_body"):
                return

    async def do_receive_until(self, kind: str) -> None:
        """Receive until a message of type `kind` arrives."""
        while (await self.receive())["type"] != kind:
            pass

    async def do_send(self, message: Any) -> None:
        """Send one message; an exception leaves the application."""
        await self.send(self._build(message))

    async def do_try_send(self, message: Any) -> None:
        """Send one message; an exception is recorded and the script goes on."""
        try:
            await self.send(self._build(message))
        except Exception as error:
            self.channel.record("caught", type(error).__name__)

    async def do_wrap(self, script: tuple[Any, ...]) -> None:
        """Play a script; wrap the exception that its send() raises as frameworks do."""
        try:
            await self.play(script)
        except OSError as error:
            raise RuntimeError("wrapped by a framework") from error

    async def do_swallow(self, script: tuple[Any, ...]) -> None:
        """Play a script; an exception that its send() raises is dropped."""
        try:
            await self.play(script)
        except OSError as error:
            self.channel.record("caught", type(error).__name__)

    async def do_send_until_error(self, message: Any, at_most: int) -> None:
        """Send the message again and again until send() raises, which is recorded."""
        for _ in range(at_most):
            try:
                await self.send(self._build(message))
            except Exception as error:
                self.channel.record("caught", type(error).__name__)
                return

    async def do_send_many(self, message: Any, count: int) -> None:
        """Send the message `count` times."""
        built = self._build(message)
        for _ in range(count):
            await self.send(built)

    async def do_echo(self) -> None:
        """Answer with the body that was read."""
        body = bytes(self._body)
        headers = [(b"content-length", b"%d" % len(body))]
        await self.send({"type": "http.response.start", "status": 200, "headers": headers})
        await self.send({"type": "http.response.body", "body": body})

    async def do_echo_messages(self) -> None:
        """Send every WebSocket message back until the client has gone."""
        while (message := await self.receive())["type"] == "websocket.receive":
            key = "bytes" if message.get("text") is None else "text"
            await self.send({"type": "websocket.send", key: message[key]})

    async def do_receive_messages(self, count: int) -> None:
        """Receive `count` messages, only the last of them recorded."""
        for _ in range(count - 1):
            await self._receive()
        await self.receive()

    async def do_make_file(self, name: str, size: int) -> None:
        """Write a file, with `filler` for content."""
        with open(self.files.path(name), "wb") as file:  # noqa: ASYNC230, PTH123 - it is small
            file.write(filler(size))

    async def do_remove_file(self, name: str) -> None:
        """Remove a file."""
        os.unlink(self.files.path(name))  # noqa: PTH108

    async def do_read_file(self, name: str, size: int) -> None:
        """Read from an open file and record what it was."""
        self.channel.record("mark", self.files.opened(name).read(size).decode())

    async def do_gate(self, name: str) -> None:
        """Wait until the runner opens the gate."""
        await self.channel.pass_gate(name)

    async def do_mark(self, text: str) -> None:
        """Leave a mark in the trace."""
        self.channel.record("mark", text)

    async def do_sleep(self, seconds: float) -> None:
        """Sleep."""
        await sleep(seconds)

    async def do_raise(self, name: str) -> None:
        """Raise an exception by its name."""
        error = RAISABLE[name]()
        raise error

    async def do_raise_out_of_group(self, name: str) -> None:
        """Raise an exception out of its group, as frameworks do: each then holds the other."""
        try:
            raise BaseExceptionGroup("of a task group", [RAISABLE[name]()])
        except BaseExceptionGroup as group:
            raise group.exceptions[0]  # noqa: B904 - its context is what this is about

    async def do_return(self, value: Any) -> None:
        """Make the application return a value."""
        self._result = value

    async def do_together(self, *scripts: tuple[Any, ...]) -> None:
        """Play several scripts concurrently."""

        def branch(script: tuple[Any, ...]) -> Callable[[], Awaitable[None]]:
            async def run() -> None:
                await self.play(script)

            return run

        await together(*(branch(script) for script in scripts))

    async def do_contextvar(self, value: str) -> None:
        """Record the context variable's value, then set it."""
        self.channel.record("mark", f"variable={variable.get()}")
        variable.set(value)

    async def do_set_state(self, state: dict[str, Any]) -> None:
        """Fill the lifespan state, if there is one."""
        self.scope.get("state", {}).update(self._build(state))

    async def do_touch_state(self) -> None:
        """Record the state, then rebind `n` and append to the list `l`."""
        state = self.scope.get("state", {"n": None, "l": None})
        if state["n"] is None:
            return  # A server without this feature is not judged by it.
        self.channel.record("mark", f"n={state['n']} l={state['l']}")
        state["n"] += 1
        state["l"].append("x")

    async def do_spoil_scope(self) -> None:
        """Record whether an earlier request's spoiling shows, then spoil this scope."""
        self.channel.record("mark", f"spoilt={self._spoilt()}")
        self.scope["spoilt"] = True
        self.scope["asgi"]["spoilt"] = True
        self.scope.setdefault("extensions", {})["spoilt"] = {}

    def _spoilt(self) -> bool:
        extensions = self.scope.get("extensions") or {}
        return "spoilt" in self.scope or "spoilt" in self.scope["asgi"] or "spoilt" in extensions


def _client_of(scope: Message) -> Any:
    """Return host and port of the client, from where the server tells them."""
    if scope.get("client") or "REMOTE_ADDR" not in scope:
        return scope.get("client")
    # fastpysgi has CGI's word for it, with the port behind the address.
    host, _, port = scope["REMOTE_ADDR"].decode("latin-1").rpartition(":")
    return [host, port]


async def app(scope: Message, receive: Receive, send: Send) -> Any:
    """Play the script that the runner has for this connection."""
    channel = Channel(scope["type"], _client_of(scope))
    player = Player(scope, receive, send, channel)
    try:
        channel.record("scope", literal(scope), type(scope).__name__)
        result = await player.play(channel.script)
        channel.record("end", ["returned"], "")
        return result
    except BaseException as error:
        channel.record("end", family(error), str(error))
        raise
    finally:
        player.files.close()
        channel.close()


def make_app() -> Callable[[Message, Receive, Send], Awaitable[Any]]:
    """Return the application: the factory form, for `--factory`."""
    return app
