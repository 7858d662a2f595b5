"""The runner's end of the side channel: hands out scripts, gathers traces.

A seat is kept for each client connection, by the token of the server process and the
connection's local port, which is known before it connects. The n-th call on a connection
gets the n-th script of its seat, and then the last one again.
"""

from __future__ import annotations

import ast
import asyncio
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.conformance.behaviours import HELLO
from tests.conformance.model import Script

Record = tuple[Any, ...]
Key = tuple[str, int | str]

LIFESPAN_KEY = "lifespan"
LOCAL_KEY = "local"


@dataclass
class CallTrace:
    """What the application recorded in one call."""

    writer: asyncio.StreamWriter
    scope: dict[str, Any] = field(default_factory=dict)
    records: list[Record] = field(default_factory=list)
    gates: list[str] = field(default_factory=list)
    ended: bool = False

    def open_gate(self, name: str) -> None:
        """Let the application pass the gate."""
        self.writer.write(name.encode() + b"\n")

    def count(self, kind: str, detail: str | None) -> int:
        """Count the records of a kind; see `model.AwaitTrace`."""
        return sum(_is(record, kind, detail) for record in self.records)


def _is(record: Record, kind: str, detail: str | None) -> bool:
    if record[0] != kind:
        return False
    if detail is None:
        return True
    if kind == "receive":
        return bool(record[1].get("type") == detail)
    if kind in ("end", "receive-raised"):
        return detail in record[1]
    return bool(record[1] == detail)


@dataclass
class Seat:
    """The scripts for one connection and the traces of its calls."""

    scripts: tuple[Script, ...]
    changed: Callable[[], None]
    calls: list[CallTrace] = field(default_factory=list)

    def next_script(self) -> Script:
        """Return the script of the next call."""
        if not self.scripts:
            return HELLO
        return self.scripts[min(len(self.calls), len(self.scripts) - 1)]


class SideChannel:
    """The listening end, one for all server processes of a session."""

    def __init__(self) -> None:
        self._seats: dict[Key, Seat] = {}
        self._server: asyncio.Server | None = None
        self._strays = Seat((), lambda: None)

    async def open(self) -> None:
        """Listen on a free port of the loopback interface."""
        self._server = await asyncio.start_server(
            self._serve, "127.0.0.1", 0, limit=2**22, backlog=1024
        )

    async def close(self) -> None:
        """Stop listening."""
        assert self._server is not None
        self._server.close()

    def address(self, token: str) -> str:
        """Return the value of `scripted.channel.ADDRESS_VARIABLE` for one process."""
        assert self._server is not None
        host, port = self._server.sockets[0].getsockname()
        return f"{host}:{port}:{token}"

    def keep_seat(self, token: str, place: int | str, seat: Seat) -> None:
        """Keep a seat for a connection (its local port), a UNIX socket or the lifespan."""
        self._seats[token, place] = seat

    def clear_seats(self, token: str) -> None:
        """Forget a process that has ended."""
        for key in [key for key in self._seats if key[0] == token]:
            del self._seats[key]

    def _find(self, token: str, scope_type: str, peer: Any) -> Seat:
        if scope_type == "lifespan":
            return self._seats.get((token, LIFESPAN_KEY), self._strays)
        # A client that a proxy tells of has another port, or none.
        local = self._seats.get((token, LOCAL_KEY), self._strays)
        # A port that is a string is a fault of the scope, and judged there.
        port = int(peer[1]) if peer and str(peer[1]).isdecimal() else LOCAL_KEY
        return self._seats.get((token, port), local)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        sock = writer.get_extra_info("socket")
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            hello = await _record(reader)
            if hello is None:
                return
            _, token, scope_type, peer = hello
            seat = self._find(token, scope_type, peer)
            call = CallTrace(writer)
            script = seat.next_script()
            seat.calls.append(call)
            writer.write(repr(script).encode() + b"\n")
            await self._gather(reader, seat, call)
        except ConnectionError:
            pass  # The process was killed in the middle of a call: its trace ends here.
        finally:
            writer.close()

    async def _gather(self, reader: asyncio.StreamReader, seat: Seat, call: CallTrace) -> None:
        try:
            while record := await _record(reader):
                if record[0] == "scope":
                    call.scope = record[1]
                elif record[0] == "gate":
                    call.gates.append(record[1])
                else:
                    call.records.append(record)
                seat.changed()
        finally:
            call.ended = True
            seat.changed()


async def _record(reader: asyncio.StreamReader) -> Record | None:
    """Read one record; None at the end, be it in the middle of one: the process was killed."""
    line = (await reader.readline()).decode()
    record: Record | None = ast.literal_eval(line) if line.endswith("\n") else None
    return record
