"""The same attacks on ESG and on other servers, and the page that says what came of them."""

from __future__ import annotations

import json
import platform
import select
import shlex
import socket
import struct
import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from tests.conformance import peers
from tests.hardening.attacked import ANSWER_BOUND, Attacked
from tests.hardening.attacks import SLOW, THROWN, NotOffered, Slow, Throw
from tests.hardening.memory import MEBIBYTE
from tests.rows import ROWS
from tests.server import REPOSITORY
from tests.websocket_client import WebSocket

DOCUMENT = REPOSITORY / ".cache" / "abuse-peers.json"
PAGE = REPOSITORY / "docs" / "abuse-peers.md"
# Three times what most servers, ESG among them, let one WebSocket message be.
MUCH = 48 * MEBIBYTE
# Seconds that a slow client is given; ESG's longest timeout is 60, and looked at once a second.
PATIENCE = 75.0
# Seconds after which a connection that its client has reset should be gone.
FREED_WITHIN = 5.0
# Seconds in which the connections of others, who have been answered, come to their end.
AT_REST = 1.0
# What a server with more than this is started anew for the next attack: it might use it again.
CLEAN = 2 * MEBIBYTE
# So many rows of ours are shown: one of each kind.
OWN = ("pure-asyncio", "pure-trio", "fast-uvloop")

INTRODUCTION = """\
# Hostile clients and other servers

<!-- Written by `make abuse-peers`; do not edit. -->

What one hostile client does to each server, by the attacks of
[tests/hardening/attacks.py](../tests/hardening/attacks.py). Each server runs one worker in the version
and with the command line that stand below, so with its own defaults but for the time that it keeps idle
connections where that is named; many have options that bound what their defaults do not. Behind a
proxy that has bounds of its own most of this never arrives. A test that is unfair to a server is a
fault of the test, and reports are welcome. ESG's bounds and their options: [hardening.md](hardening.md).
"""
THROWN_MEANS = f"""\
## What one client can make a server hold

MiB of memory that the server had more at its peak than before, all its processes together. The client
throws up to 128 MiB, or as much as is taken, on one connection; the compressed GiB is one MiB on the
wire. A WebSocket message may have 16 MiB by most servers' defaults. Bold: more than {MUCH // MEBIBYTE} MiB.
*stuck*: meanwhile nobody else got an answer within {ANSWER_BOUND:.0f} s. *ended*: the server ended, or answers
nobody any more. *kept*: the server still held the connection {FREED_WITHIN:.0f} s after its client had reset it.
A dash: not offered.
"""
SLOW_MEANS = f"""\
## How long one client can keep a connection

Seconds until the server had closed; bold: not within {PATIENCE:.0f}. Clients that do not read are counted until
their connection was reset or at its end. *ended*: the server ended under them, all at once.
"""


@dataclass(frozen=True)
class Server:
    """One server of the matrix."""

    id: str
    version: str
    command: tuple[str, ...]

    @property
    def shown(self) -> str:
        """Its command line, as a user would write it."""
        return " ".join("python" if "/bin/python" in word else word for word in self.command)


def servers() -> list[Server]:
    """List ESG's rows and the peers that are installed."""
    found = [
        Server(
            row.id,
            "ESG",
            (sys.executable, "-m", "esg", *row.options, "--port", "{port}", "{app}"),
        )
        for row in ROWS
        if row.id in OWN and not row.missing
    ]
    for known in peers.PEERS:
        if known.missing is None:
            command = known.command.replace("{python}", str(peers.PYTHON))
            found.append(Server(known.id, known.version(), tuple(shlex.split(command))))
    return found


def throw_at(running: Attacked, attack: Throw) -> str:
    """Return the cell of one attack."""
    before = running.resident()
    running.forget_peak()
    marks = []
    client = WebSocket(running.address)
    try:
        client.socket.settimeout(ANSWER_BOUND)
        attack(client)
    except NotOffered:
        client.close()
        return "-"
    except (OSError, AssertionError):
        pass  # closed, or no answer: what matters is measured below
    if not running.serves():
        marks.append("stuck")
    growth = max(0, running.resident("VmHWM") - before)
    time.sleep(AT_REST)
    open_still, sockets = not _is_over(client.socket), running.sockets()
    client.reset()
    deadline = time.monotonic() + FREED_WITHIN
    while open_still and running.sockets() >= sockets and time.monotonic() < deadline:
        time.sleep(0.1)  # between two looks
    if open_still and running.sockets() >= sockets:
        marks.append("kept")
    if not running.serves():
        marks = ["ended"]
    size = f"{growth / MEBIBYTE:.0f}"
    return " ".join([f"**{size}**" if growth > MUCH else size, *(f"*{m}*" for m in marks)])


def throw_all(server: Server) -> dict[str, str]:
    """Return the cells of every attack that throws, each on a server in its first memory."""
    cells: dict[str, str] = {}
    waiting = dict(THROWN)
    while waiting:
        with Attacked(server.command) as running:
            fresh = running.resident()
            while waiting:
                name = next(iter(waiting))
                cells[name] = throw_at(running, waiting.pop(name))
                sys.stderr.write(f"{server.id}: {name}: {cells[name]}\n")
                clean = running.resident() < fresh + CLEAN and "*" not in cells[name]
                if not clean:
                    break
    return cells


def _is_over(client: socket.socket) -> bool:
    """Tell whether the server has closed, perhaps behind what nobody reads."""
    poll = select.poll()
    poll.register(client, select.POLLRDHUP)
    return bool(poll.poll(0))


class Waiting:
    """One slow client, until the server has had enough of it."""

    def __init__(self, server: str, kind: str, address: tuple[str, int]) -> None:
        self.server = server
        self.kind = kind
        self._what: Slow = SLOW[kind]
        self._begun = time.monotonic()
        self.ended: float | None = None
        self._socket = socket.create_connection(address)
        if not self._what.reads:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self._socket.sendall(self._what.sent)
        self._socket.setblocking(False)

    def look(self) -> None:
        """Take what has come, send the next drop, and note the end."""
        try:
            if self._what.reads:
                while self._socket.recv(65_536):
                    pass
                self._end()
            elif _is_over(self._socket):
                self._end()
        except BlockingIOError:
            pass
        except OSError:
            self._end()
        if self.ended is None and self._what.drop:
            try:
                self._socket.sendall(self._what.drop)
            except OSError:
                self._end()

    def _end(self) -> None:
        self.ended = time.monotonic() - self._begun

    @property
    def cell(self) -> str:
        """What the matrix says of it."""
        return "**kept**" if self.ended is None else f"{self.ended:.0f}"

    def close(self) -> None:
        """Leave."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._socket.close()


def wait_on_all(tested: list[Server]) -> dict[str, dict[str, str]]:
    """Return the cells of the slow clients, of all servers at the same time."""
    cells: dict[str, dict[str, str]] = {server.id: {} for server in tested}
    with ExitStack() as running:
        clients: list[Waiting] = []
        started: dict[str, Attacked] = {}
        for server in tested:
            attacked = started[server.id] = running.enter_context(Attacked(server.command))
            clients += [Waiting(server.id, kind, attacked.address) for kind in SLOW]
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline and any(c.ended is None for c in clients):
            for client in clients:
                if client.ended is None:
                    client.look()
            time.sleep(1)  # the pace of the drops
        ended = {name for name, attacked in started.items() if not attacked.serves()}
        for client in clients:
            cells[client.server][client.kind] = "*ended*" if client.server in ended else client.cell
            client.close()
    return cells


def attack_all(names: list[str]) -> None:
    """Attack the servers that are named, or all; keep the other results, and write the page."""
    known = json.loads(DOCUMENT.read_text("utf-8")) if DOCUMENT.exists() else {}
    tested = [server for server in servers() if not names or server.id in names]
    slow = wait_on_all(tested)
    for server in tested:
        known[server.id] = {"thrown": throw_all(server), "slow": slow[server.id]}
        DOCUMENT.parent.mkdir(exist_ok=True)
        DOCUMENT.write_text(json.dumps(known, indent=1), "utf-8")
    PAGE.write_text(page(known, [s for s in servers() if s.id in known]), "utf-8")


def page(known: dict[str, dict[str, dict[str, str]]], shown: list[Server]) -> str:
    """Write the page."""
    lines = [INTRODUCTION]
    for part, kinds, says in (
        ("thrown", THROWN, THROWN_MEANS),
        ("slow", SLOW, SLOW_MEANS),
    ):
        lines += [says, f"| attack | {' | '.join(server.id for server in shown)} |"]
        lines.append("|---" * (len(shown) + 1) + "|")
        for kind in kinds:
            cells = (known[server.id][part].get(kind, "") for server in shown)
            lines.append(f"| {kind} | {' | '.join(cells)} |")
        lines.append("")
    lines += ["## How each was run", "", "| server | version | command |", "|---|---|---|"]
    lines += [f"| {s.id} | {s.version} | `{s.shown}` |" for s in shown]
    python = f"{platform.python_implementation()} {platform.python_version()}"
    lines += ["", f"All on {python}, {platform.system()}.", ""]
    return "\n".join(lines)


def install() -> list[str]:
    """Install the peers; return what could not be."""
    Path(DOCUMENT.parent).mkdir(exist_ok=True)
    return peers.install()
