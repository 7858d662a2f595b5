"""The chat of the demo page: one room for everybody that this process serves.

What is said is one text message. What is told is one JSON object: `welcome` to who has come in,
then `joined`, `left` and `said` to all.
"""

import json
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple
from urllib.parse import parse_qs

import anyio
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream

from examples.demo_session import Session

MOST_PEOPLE = 200
LONGEST_NAME = 24
LONGEST_TEXT = 500
REMEMBERED = 20
BACKLOG = 100
"""Events that may wait for one member; who reads slower than that must leave."""

GUESTS = (
    *("Heron", "Wren", "Linnet", "Plover", "Avocet", "Curlew", "Dunlin", "Egret", "Finch"),
    *("Godwit", "Hobby", "Jackdaw", "Kestrel", "Lapwing", "Martin", "Nuthatch", "Osprey"),
    *("Pipit", "Redstart", "Siskin", "Tern", "Whimbrel", "Yellowhammer"),
)

Event = dict[str, Any]


class Farewell(NamedTuple):
    """How the server closes a WebSocket."""

    code: int
    reason: str


FULL = Farewell(1013, "the room is full")
NOT_TEXT = Farewell(1003, "text only")
TOO_LONG = Farewell(1009, f"at most {LONGEST_TEXT} characters")
TOO_SLOW = Farewell(1008, "too slow")


@dataclass(frozen=True, eq=False)
class Member:
    """Somebody in the room, and the events that wait for them."""

    name: str
    outbox: MemoryObjectSendStream[str]


@dataclass(repr=False)
class Room:
    """Who is there, and what was said last."""

    members: list[Member] = field(default_factory=list)
    said: deque[Event] = field(default_factory=lambda: deque(maxlen=REMEMBERED))
    came: int = 0

    def __repr__(self) -> str:
        """Show how many are there; the page shows the state to everybody, but not what is said."""
        return f"Room(people={len(self.members)})"

    @property
    def people(self) -> list[str]:
        """The names of those who are there, in the order they came."""
        return [member.name for member in self.members]

    def join(self, wanted: str, outbox: MemoryObjectSendStream[str]) -> Member | None:
        """Let somebody in and tell everybody; return None if the room is full.

        Args:
            wanted: the name they would like; a bird's if it is empty.
            outbox: where their events go.
        """
        if len(self.members) >= MOST_PEOPLE:
            return None
        member = Member(self._free_name(wanted or GUESTS[self.came % len(GUESTS)]), outbox)
        self.came += 1
        self._tell({"event": "joined", "name": member.name, "people": [*self.people, member.name]})
        self.members.append(member)
        welcome = {"name": member.name, "people": self.people, "said": list(self.said)}
        outbox.send_nowait(json.dumps({"event": "welcome", **welcome}))
        return member

    def leave(self, member: Member) -> None:
        """Let somebody go and tell the others; one who was put out is gone already."""
        if member in self.members:
            self.members.remove(member)
            self._tell({"event": "left", "name": member.name, "people": self.people})

    def say(self, member: Member, text: str) -> None:
        """Tell everybody what a member says."""
        at = datetime.now(UTC).isoformat(timespec="seconds")
        event = {"event": "said", "name": member.name, "text": text, "at": at}
        self.said.append(event)
        self._tell(event)

    def _free_name(self, wanted: str) -> str:
        taken = {name.casefold() for name in self.people}
        candidates = (wanted, *(f"{wanted} {number}" for number in range(2, MOST_PEOPLE + 2)))
        return next(name for name in candidates if name.casefold() not in taken)

    def _tell(self, event: Event) -> None:
        """Put an event before every member; put out those who have too many unread."""
        text = json.dumps(event)
        late = [member for member in self.members if not delivered(member, text)]
        for member in late:
            member.outbox.close()
            self.leave(member)


def delivered(member: Member, text: str) -> bool:
    """Put an event before a member; tell whether there was room for it."""
    try:
        member.outbox.send_nowait(text)
    except anyio.WouldBlock:
        return False
    return True


async def chat(session: Session, room: Room) -> None:
    """Let the visitor take part in the room until either side closes the WebSocket."""
    await session.accept()
    outbox, inbox = anyio.create_memory_object_stream[str](BACKLOG)
    with outbox, inbox:
        member = room.join(wanted_name(session), outbox)
        if member is None:
            await session.close(*FULL)
            return
        try:
            farewell = await take_part(session, room, member, inbox)
        finally:
            room.leave(member)
        if farewell is not None:
            await session.close(*farewell)


async def take_part(
    session: Session, room: Room, member: Member, inbox: MemoryObjectReceiveStream[str]
) -> Farewell | None:
    """Listen and tell at the same time; return how to close, or None if the visitor has left."""
    farewell = None
    async with anyio.create_task_group() as task_group:

        async def tell() -> None:
            with suppress(OSError):  # the client has gone (ASGI WebSocket 2.4)
                async for text in inbox:
                    await session.send_text(text)
            task_group.cancel_scope.cancel()

        task_group.start_soon(tell)
        farewell = await listen(session, room, member)
        task_group.cancel_scope.cancel()
    return farewell if member in room.members else TOO_SLOW


async def listen(session: Session, room: Room, member: Member) -> Farewell | None:
    """Take what the member says until they leave; return why what they said has no place here."""
    while (message := await session.next_message()) is not None:
        if isinstance(message, bytes):
            return NOT_TEXT
        if len(message) > LONGEST_TEXT:
            return TOO_LONG
        if text := message.strip():
            room.say(member, text)
    return None


def wanted_name(session: Session) -> str:
    """Return the name in the query, cut to what can be shown on a line."""
    query = parse_qs(session.scope["query_string"].decode("latin-1"))
    name = "".join(c for c in query.get("name", [""])[-1] if c.isprintable())
    return " ".join(name.split())[:LONGEST_NAME].strip()
