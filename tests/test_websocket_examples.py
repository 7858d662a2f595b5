"""The example applications on WebSocket, called in process as a server would call them."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import anyio
import pytest
from anyio.lowlevel import checkpoint

from examples import demo, demo_chat, websocket_echo
from examples.asgi_types import Application, Message, Scope
from examples.demo_chat import BACKLOG, GUESTS, LONGEST_NAME, REMEMBERED, Room
from examples.demo_exchange import Tally

pytestmark = pytest.mark.anyio

DEADLINE = 10.0
"""Seconds until a call that hangs is a failure."""


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    """Run each test on asyncio and on trio."""
    name: str = request.param
    return name


@dataclass
class Visitor:
    """One WebSocket seen from the server's side; while it does not read, send() waits."""

    reads: bool = True
    has_left: bool = False
    sent: list[Message] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.changed = anyio.Condition()
        self.messages: list[Message] = [{"type": "websocket.connect"}]

    async def receive(self) -> Message:
        async with self.changed:
            while not self.messages:
                await self.changed.wait()
            return self.messages.pop(0)

    async def send(self, message: Message) -> None:
        await checkpoint()
        if self.has_left:
            raise BrokenPipeError
        async with self.changed:
            while not self.reads:
                await self.changed.wait()
            self.sent.append(message)
            self.changed.notify_all()

    async def say(self, content: str | bytes) -> None:
        """Send a message to the application."""
        kinds = {"text": None, "bytes": None, ("text", "bytes")[type(content) is bytes]: content}
        await self.come({"type": "websocket.receive", **kinds})

    async def leave(self) -> None:
        """End the WebSocket."""
        self.has_left = True
        await self.come({"type": "websocket.disconnect", "code": 1001, "reason": ""})

    async def come(self, message: Message) -> None:
        async with self.changed:
            self.messages.append(message)
            self.changed.notify_all()

    async def read(self) -> None:
        """Take what was sent from now on."""
        async with self.changed:
            self.reads = True
            self.changed.notify_all()

    async def wait_for(self, wanted: Callable[[Message], bool]) -> Message:
        """Wait until a message was sent that is wanted, and return it."""
        async with self.changed:
            while not (found := [message for message in self.sent if wanted(message)]):
                await self.changed.wait()
            return found[0]

    async def told(self, event: str, **details: Any) -> Any:
        """Wait for an event of the chat with these details, and return it."""
        wanted = {"event": event, **details}.items()
        message = await self.wait_for(
            lambda message: "text" in message and wanted <= json.loads(message["text"]).items()
        )
        return json.loads(message["text"])

    async def closed(self) -> tuple[int, str]:
        """Wait for the close that the application sends."""
        message = await self.wait_for(lambda message: message["type"] == "websocket.close")
        return message.get("code", 1000), message.get("reason", "")

    @property
    def types(self) -> list[str]:
        return [message["type"].removeprefix("websocket.") for message in self.sent]


def websocket_scope(path: str = "/", **changes: Any) -> Scope:
    """Return a WebSocket scope, complete but for what `changes` replaces."""
    scope: Scope = {
        "type": "websocket",
        "asgi": {"version": "3.0", "spec_version": "2.5"},
        "http_version": "1.1",
        "scheme": "ws",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [(b"host", b"localhost:8000")],
        "client": ("127.0.0.1", 50000),
        "server": ("127.0.0.1", 8000),
        "subprotocols": [],
        "extensions": {},
        "state": {},
    }
    return {**scope, **changes}


async def call(app: Application, visitor: Visitor, **scope: Any) -> None:
    """Call an application for one WebSocket, to its end."""
    with anyio.fail_after(DEADLINE):
        await app(websocket_scope(**scope), visitor.receive, visitor.send)


@dataclass
class House:
    """The demo, running for several visitors at once."""

    start: Callable[..., Awaitable[Visitor]]
    room: Room


@asynccontextmanager
async def open_house() -> AsyncIterator[House]:
    """Let visitors into the chat of one demo; at the end all of them leave."""
    room, tally = Room(), Tally()
    visitors: list[Visitor] = []

    async def start(name: str = "") -> Visitor:
        came = Visitor()
        visitors.append(came)
        scope = websocket_scope("/api/chat", query_string=f"name={name}".encode())
        scope["state"] = {"room": room, "tally": tally}
        task_group.start_soon(demo.app, scope, came.receive, came.send)
        await came.wait_for(lambda message: message["type"] != "websocket.accept")
        return came

    with anyio.fail_after(DEADLINE):
        async with anyio.create_task_group() as task_group:
            yield House(start, room)
            for visitor in visitors:
                await visitor.leave()
        assert room.people == []
        assert tally.requests == len(visitors)


@pytest.mark.parametrize("path", ["/", "/api/echo"])
async def test_echo_sends_back_text_as_text_and_bytes_as_bytes(path: str) -> None:
    visitor = Visitor()
    for content in ("héllo", b"\x00\xff", "", b""):
        await visitor.say(content)
    await visitor.leave()
    visitor.has_left = False  # it still takes what is sent before it is seen to have left
    app = demo.app if path == "/api/echo" else websocket_echo.app
    await call(app, visitor, path=path)
    assert visitor.sent[0] == {"type": "websocket.accept"}
    assert visitor.sent[1:] == [
        {"type": "websocket.send", "text": "héllo"},
        {"type": "websocket.send", "bytes": b"\x00\xff"},
        {"type": "websocket.send", "text": ""},
        {"type": "websocket.send", "bytes": b""},
    ]


@pytest.mark.parametrize("kind", ["http", "lifespan", "telepathy"])
async def test_echo_refuses_another_scope(kind: str) -> None:
    visitor = Visitor()
    with pytest.raises(NotImplementedError, match=kind):
        await websocket_echo.app({"type": kind}, visitor.receive, visitor.send)
    assert visitor.sent == []


@pytest.mark.parametrize("path", ["/", "/api/server", "/api/chat/more"])
async def test_demo_refuses_an_unknown_websocket(path: str) -> None:
    visitor = Visitor()
    await call(demo.app, visitor, path=path)
    assert visitor.types == ["close"]


@pytest.mark.parametrize(
    ("origin", "types"),
    [
        (b"http://localhost:8000", ["accept"]),
        (b"https://LOCALHOST:8000", ["accept"]),
        (b"http://localhost", ["close"]),
        (b"http://evil.example", ["close"]),
        (b"http://localhost:8000.evil.example", ["close"]),
        (b"null", ["close"]),
    ],
)
async def test_demo_refuses_pages_from_elsewhere(origin: bytes, types: list[str]) -> None:
    visitor = Visitor()
    await visitor.leave()
    visitor.has_left = False
    headers = [(b"host", b"localhost:8000"), (b"origin", origin)]
    await call(demo.app, visitor, path="/below/api/echo", root_path="/below", headers=headers)
    assert visitor.types == types


async def test_demo_without_lifespan_has_a_room_too() -> None:
    visitor = Visitor()
    await visitor.leave()
    visitor.has_left = False
    await call(demo.app, visitor, path="/api/chat")
    assert visitor.types[0] == "accept"


async def test_chat_tells_everybody_everything() -> None:
    async with open_house() as house:
        ada = await house.start(name="Ada")
        welcome = await ada.told("welcome")
        assert welcome == {"event": "welcome", "name": "Ada", "people": ["Ada"], "said": []}
        bird = await house.start()
        await ada.told("joined", name=GUESTS[1], people=["Ada", GUESTS[1]])
        await bird.say("  hello\n")
        for visitor in (ada, bird):
            assert (await visitor.told("said"))["text"] == "hello"
        late = await house.start(name="Ada")
        assert [said["text"] for said in (await late.told("welcome"))["said"]] == ["hello"]
        await bird.leave()
        await ada.told("left", name=GUESTS[1], people=["Ada", "Ada 2"])


async def test_chat_says_nothing_where_nothing_is_said() -> None:
    async with open_house() as house:
        ada = await house.start()
        await ada.say(" \n ")
        await ada.say("x")
        assert (await ada.told("said"))["text"] == "x"


async def test_chat_remembers_a_little() -> None:
    async with open_house() as house:
        ada = await house.start()
        for number in range(REMEMBERED + 5):
            await ada.say(str(number))
        await ada.told("said", text=str(REMEMBERED + 4))
        said = (await (await house.start()).told("welcome"))["said"]
        assert [entry["text"] for entry in said] == [str(n) for n in range(5, REMEMBERED + 5)]


@pytest.mark.parametrize(
    ("wanted", "name"),
    [
        ("Ada", "Ada"),
        ("%20Ada%09%20L.%20", "Ada L."),
        ("%00%0a%7f", GUESTS[0]),
        ("%E2%80%AEevil", "evil"),
        ("n" * 100, "n" * LONGEST_NAME),
        ("%C3%89ve", "Éve"),
    ],
)
async def test_chat_shows_names_on_a_line(wanted: str, name: str) -> None:
    async with open_house() as house:
        visitor = await house.start(name=wanted)
        assert (await visitor.told("welcome"))["name"] == name


@pytest.mark.parametrize(
    ("content", "code", "reason"),
    [
        (b"bytes", 1003, "text only"),
        ("x" * (demo_chat.LONGEST_TEXT + 1), 1009, "at most 500 characters"),
    ],
)
async def test_chat_dismisses_what_has_no_place(
    content: str | bytes, code: int, reason: str
) -> None:
    async with open_house() as house:
        ada, other = await house.start(), await house.start()
        await other.say("x" * demo_chat.LONGEST_TEXT)
        await other.say(content)
        assert await other.closed() == (code, reason)
        await ada.told("left", people=[GUESTS[0]])


async def test_chat_has_room_for_so_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo_chat, "MOST_PEOPLE", 3)
    async with open_house() as house:
        for _ in range(3):
            await house.start(name="Ada")
        assert house.room.people == ["Ada", "Ada 2", "Ada 3"]
        assert await (await house.start()).closed() == (1013, "the room is full")


async def test_chat_puts_out_who_does_not_read() -> None:
    """Else what waits for them would grow without bound."""
    async with open_house() as house:
        ada, deaf = await house.start(), await house.start(name="Deaf")
        deaf.reads = False
        for number in range(BACKLOG + 2):
            await ada.say(str(number))
            await ada.told("said", text=str(number))
        await ada.told("left", name="Deaf")
        await deaf.read()
        assert await deaf.closed() == (1008, "too slow")
        assert len(deaf.sent) <= BACKLOG + 4


async def test_a_visitor_who_is_gone_ends_quietly() -> None:
    async with open_house() as house:
        ada, gone = await house.start(), await house.start()
        gone.has_left = True  # only send() knows of it yet
        await ada.say("hello")
        await ada.told("left", name=GUESTS[1])
