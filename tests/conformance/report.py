"""Put a failed case in words: what it says, what was sent, what came, how to run it alone."""

from __future__ import annotations

from tests.conformance.client import Client
from tests.conformance.runner import Observation
from tests.conformance.trace import shown
from tests.conformance.websocket_frames import cut_all
from tests.conformance.websocket_opening import split_opening

LONGEST_SHOWN = 3000
MOST_FRAMES_SHOWN = 40


def visible(data: bytes) -> str:
    """Show octets with CR, LF and controls visible, one line of the wire per line."""
    text = data[:LONGEST_SHOWN].decode("latin-1")
    shown = "".join(_visible_character(character) for character in text)
    more = f"\n... {len(data) - LONGEST_SHOWN} bytes more" if len(data) > LONGEST_SHOWN else ""
    return shown.replace("\\n", "\\n\n").rstrip("\n") + more


def _visible_character(character: str) -> str:
    if character == "\\":
        return "\\\\"
    if " " <= character <= "~":
        return character
    return {"\r": "\\r", "\n": "\\n", "\t": "\\t"}.get(character, f"\\x{ord(character):02x}")


def indented(text: str) -> str:
    """Indent every line."""
    return "\n".join("    " + line for line in text.splitlines())


def command(seen: Observation) -> str:
    """Return the command that runs one case alone."""
    name = f"{seen.case.id}[{seen.target}-{seen.mode}]"
    return f"pytest tests/conformance {seen.selection} -k '{name}'"


def render(seen: Observation, problems: list[str]) -> str:
    """Render the failure report of one run."""
    case = seen.case
    parts = [
        f"{case.id} on {seen.target}, {seen.mode}",
        f"says:    {case.says}",
        f"clause:  {case.clause} ({case.level.value}; case {case.number})",
        f"options: {' '.join(case.options) or 'none'}",
        "wrong:",
        *(f"  * {problem}" for problem in problems),
    ]
    for name, client in seen.clients.items():
        parts += _connection(name, client)
    for name, calls in seen.calls.items():
        for number, call in enumerate(calls, 1):
            parts.append(f"trace of call {number} on connection {name}:")
            parts.append(f"    scope {call.scope}")
            parts += [f"    {entry}" for entry in shown(call)]
    for call in seen.lifespan:
        parts.append("trace of the lifespan:")
        parts += [f"    {entry}" for entry in shown(call)]
    parts += ["server's log, its end:", indented("\n".join(seen.log.splitlines()[-25:]))]
    parts += ["reproduce:", "    " + command(seen)]
    return "\n".join(parts)


def _connection(name: str, client: Client) -> list[str]:
    unread = [] if client.unread_at is None else [f"(not read beyond byte {client.unread_at})"]
    return [
        f"sent on connection {name} ({len(client.sent)} bytes):",
        indented(_shown(client, *split_opening(bytes(client.sent)))),
        *unread,
        f"received ({len(client.parser.raw)} bytes; by the server: {client.ends.words}):",
        indented(_shown(client, *_split_switch(client))),
    ]


def _split_switch(client: Client) -> tuple[bytes, bytes]:
    """Split what the server has sent behind its 101."""
    raw, last = bytes(client.parser.raw), client.parser.responses[-1:]
    end = raw.find(last[0].head) + len(last[0].head) if last else 0
    return raw[:end], raw[end:]


def _shown(client: Client, heads: bytes, rest: bytes) -> str:
    """Show one direction: after a 101, what follows the heads frame by frame."""
    if not client.parser.frames:
        return visible(heads + rest)
    frames, leftover = cut_all(rest)
    lines = [str(frame) for frame in frames[:MOST_FRAMES_SHOWN]]
    if len(frames) > MOST_FRAMES_SHOWN:
        lines.append(f"... {len(frames) - MOST_FRAMES_SHOWN} frames more")
    lines += [visible(leftover)] if leftover else []
    return "\n".join([visible(heads), *lines])
