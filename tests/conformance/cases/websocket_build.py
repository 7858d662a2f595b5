"""Short forms in which the WebSocket case files are written."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from tests.conformance.behaviours import RECEIVE, Operation, send
from tests.conformance.cases.build import HOST, case, error
from tests.conformance.model import (
    AwaitFrame,
    AwaitResponse,
    Call,
    Case,
    Fate,
    Frame,
    HeaderConstraint,
    Level,
    Response,
    Script,
    Seen,
    Send,
    Step,
)
from tests.conformance.websocket_frames import (
    BINARY,
    CLOSE,
    CONTINUATION,
    FLUSHED,
    PING,
    PONG,
    RSV1,
    TEXT,
    frame,
)

KEY = b"dGhlIHNhbXBsZSBub25jZQ=="  # of the example in RFC 6455 section 1.3
DEFLATE = b"Sec-WebSocket-Extensions: permessage-deflate"
CHOICE = Level.CHOICE
GATE = ("gate", "go")


# What the client sends.


def handshake(
    *fields: bytes,
    target: bytes = b"/",
    method: bytes = b"GET",
    version: bytes = b"1.1",
    host: bytes = HOST,
    upgrade: bytes | None = b"websocket",
    connection: bytes | None = b"Upgrade",
    key: bytes | None = KEY,
    number: bytes | None = b"13",
) -> bytes:
    """Write an opening handshake: other values for the usual fields or None, further lines."""
    usual = {
        b"Upgrade: ": upgrade,
        b"Connection: ": connection,
        b"Sec-WebSocket-Key: ": key,
        b"Sec-WebSocket-Version: ": number,
    }
    lines = [name + value for name, value in usual.items() if value is not None]
    head = method + b" " + target + b" HTTP/" + version + b"\r\n" + host
    return head + b"".join(line + b"\r\n" for line in (*lines, *fields)) + b"\r\n"


def text(content: str | bytes, **form: Any) -> bytes:
    """Write a text frame; `form` as for `websocket_frames.frame`."""
    return frame(TEXT, content.encode() if isinstance(content, str) else content, **form)


def binary(content: bytes, **form: Any) -> bytes:
    """Write a binary frame."""
    return frame(BINARY, content, **form)


def more(content: str | bytes, **form: Any) -> bytes:
    """Write a continuation frame."""
    return frame(CONTINUATION, content.encode() if isinstance(content, str) else content, **form)


def ping(content: bytes = b"", **form: Any) -> bytes:
    """Write a ping."""
    return frame(PING, content, **form)


def pong(content: bytes = b"", **form: Any) -> bytes:
    """Write a pong."""
    return frame(PONG, content, **form)


def close(code: int | None = None, reason: str | bytes = b"", **form: Any) -> bytes:
    """Write a close frame, empty without a code."""
    tail = reason.encode() if isinstance(reason, str) else reason
    return frame(CLOSE, b"" if code is None else code.to_bytes(2, "big") + tail, **form)


def deflated(*contents: bytes, takeover: bool = True, bits: int = 15) -> list[bytes]:
    """Compress the payloads of messages one after the other (RFC 7692 section 7.2.1)."""
    made = []
    coder = zlib.compressobj(wbits=-bits)
    for content in contents:
        coded = coder.compress(content) + coder.flush(zlib.Z_SYNC_FLUSH)
        made.append(coded.removesuffix(FLUSHED))
        if not takeover:
            coder = zlib.compressobj(wbits=-bits)
    return made


def compressed(content: str | bytes, **form: Any) -> bytes:
    """Write a message in one frame, compressed by itself."""
    data = content.encode() if isinstance(content, str) else content
    opcode = TEXT if isinstance(content, str) else BINARY
    return frame(opcode, deflated(data)[0], rsv=RSV1, **form)


# What the application does.


def accept(**entries: Any) -> Operation:
    """Accept the connection."""
    return send({"type": "websocket.accept", **entries})


def say(text: Any = None, *, data: Any = None) -> dict[str, Any]:
    """Write a websocket.send message of a text, or of `data` in bytes."""
    key, value = ("text", text) if data is None else ("bytes", data)
    return {"type": "websocket.send", key: value}


def end(code: Any = None, reason: Any = None) -> dict[str, Any]:
    """Write a websocket.close message; an entry that is None is left out."""
    entries = {"code": code, "reason": reason}
    given = {key: value for key, value in entries.items() if value is not None}
    return {"type": "websocket.close", **given}


UNTIL_DISCONNECT: Operation = ("receive_until", "websocket.disconnect")
ACCEPT: Script = (RECEIVE, accept())
ECHO: Script = (*ACCEPT, ("echo_messages",))
LISTEN: Script = (*ACCEPT, UNTIL_DISCONNECT)


# What must come of it.


def switched(**fields: Any) -> Response:
    """Expect a 101; `opening_violations` judges what every 101 must have."""
    names = {name.replace("_", "-"): value for name, value in fields.items()}
    return Response(101, names)


def got(content: str | bytes | None = None, **details: Any) -> Frame:
    """Expect a message from the server, text or binary by the type of `content`."""
    if isinstance(content, str):
        return Frame("text", content.encode(), **details)
    return Frame("binary", content, **details)


def ponged(content: bytes = b"") -> Frame:
    """Expect a pong."""
    return Frame("pong", content)


def closed(code: int = 1005, reason: str | None = None, **details: Any) -> Frame:
    """Expect a close frame."""
    return Frame("close", code=code, reason=reason, **details)


OVER = closed(1000)


def failed(code: int, *alternatives: int) -> Frame:
    """Expect the close frame with which ESG fails a connection (RFC 6455 section 7.1.7).

    Its code is only recommended: `websocket_session/fails-with-*` ask for it.
    """
    return closed(code, by_server=True, alternatives=(*alternatives, 1002, 1005))


CONNECT = Seen("receive", "websocket.connect")
ACCEPTED = Seen("send", "websocket.accept")
SENT = Seen("send", "websocket.send")
CLOSE_SENT = Seen("send", "websocket.close")
RETURNED = Seen("end", "returned")


def message(content: str | bytes) -> Seen:
    """Expect a message in the trace, with one payload and not the other."""
    entries: dict[str, Any] = {"text": None, "bytes": None}
    entries["text" if isinstance(content, str) else "bytes"] = content
    return Seen("receive", "websocket.receive", has=entries)


def disconnect(code: int | None = None, reason: str | None = None, *, ours: bool = False) -> Seen:
    """Expect a disconnect; the code and the reason are promised by ESG alone if `ours`."""
    entries = {"code": code, "reason": reason}
    given = {key: value for key, value in entries.items() if value is not None}
    if ours:
        return Seen("receive", "websocket.disconnect", ours=given)
    return Seen("receive", "websocket.disconnect", has=given)


def session(
    id: str,
    number: int,
    clause: str,
    says: str,
    *steps: bytes | Step,
    opening: bytes = b"",
    **details: Any,
) -> Case:
    """Write a case of an open connection: the handshake is in front, and never split.

    Args:
        id: its id.
        number: the case of the design that it refines.
        clause: what it checks.
        says: it in words.
        steps: what comes after the 101; octets are segments to send.
        opening: the handshake, the plain one by default.
        details: further fields of the case.
    """
    first = (Send(opening or handshake(), atomic=True), AwaitResponse(1))
    details.setdefault("app", (ECHO,))
    details.setdefault("responses", (switched(),))
    return case(id, number, clause, says, *first, *steps, **details)


def echoed(
    id: str,
    number: int,
    clause: str,
    says: str,
    *steps: bytes | Step,
    back: tuple[Frame, ...],
    seen: tuple[Seen, ...] = (),
    **details: Any,
) -> Case:
    """Write a case of messages that come back; when they have, the client closes with 1000.

    Args:
        id: its id.
        number: the case of the design that it refines.
        clause: what it checks.
        says: it in words.
        steps: what comes after the 101.
        back: what the server sends, its close frame left out.
        seen: what the application receives between connect and disconnect, in order.
        details: further fields of the case.
    """
    details.setdefault(
        "calls", (Call(order=(CONNECT, *seen, disconnect(1000, ours=True), RETURNED)),)
    )
    details.setdefault("frames", (*back, closed(1000)))
    return session(id, number, clause, says, *steps, *awaited(back), close(1000), **details)


def awaited(frames: tuple[Frame, ...]) -> list[Step]:
    """Wait for these frames, kind by kind."""
    kinds = [frame.kind for frame in frames]
    return [AwaitFrame(kind, kinds.count(kind)) for kind in dict.fromkeys(kinds)]


def fails(
    id: str,
    number: int,
    clause: str,
    says: str,
    *steps: bytes | Step,
    code: int,
    alternatives: tuple[int, ...] = (),
    back: tuple[Frame, ...] = (),
    seen: tuple[Seen, ...] = (),
    **details: Any,
) -> Case:
    """Write a case in which the server fails the connection and the application hears of it.

    Args:
        id: its id.
        number: the case of the design that it refines.
        clause: what it checks.
        says: it in words.
        steps: what comes after the 101.
        code: the close code on the wire, and in ESG's disconnect.
        alternatives: other codes that the clause leaves to others.
        back: what the server sends before.
        seen: what the application receives before.
        details: further fields of the case.
    """
    over = disconnect(code, ours=True)
    before = (CONNECT, ACCEPTED, *_with_answers(seen))
    details.setdefault("calls", (Call(trace=(*before, over, RETURNED)),))
    details.setdefault("frames", (*back, failed(code, *alternatives)))
    details.setdefault("fate", Fate.GONE)
    written = session(id, number, clause, says, *steps, **details)
    # Whether the application then hears of it is put to others by `websocket_session/failed`.
    nothing_more = () if seen else (Seen("receive", "websocket.receive"),)
    untold = (Call(order=before, lacks=nothing_more),)
    return replace(written, or_else=(replace(written, calls=untold),))


def _with_answers(seen: tuple[Seen, ...]) -> tuple[Seen, ...]:
    """Put the echo behind every message that the application receives."""
    return tuple(entry for received in seen for entry in (received, SENT))


def opened(
    id: str, number: int, clause: str, says: str, *steps: bytes | Step, **details: Any
) -> Case:
    """Write a case of a handshake that succeeds: the connection answers a ping afterwards."""
    details.setdefault("app", (LISTEN,))
    details.setdefault("responses", (switched(**details.pop("fields", {})),))
    details.setdefault("calls", (Call(scope={"type": "websocket", **details.pop("scope", {})}),))
    details.setdefault("fate", Fate.KEPT)
    return case(id, number, clause, says, *steps, **details)


def refused_opening(
    id: str,
    number: int,
    clause: str,
    says: str,
    *steps: bytes | Step,
    status: int = 400,
    alternatives: tuple[int, ...] = (),
    fields: Mapping[str, HeaderConstraint] | None = None,
    **details: Any,
) -> Case:
    """Write a case of a handshake that the server refuses: the application is not called."""
    details.setdefault("calls", ())
    details.setdefault("app", (LISTEN,))
    details.setdefault("responses", (error(status, *alternatives, fields=fields or {}),))
    details.setdefault("fate", Fate.REFUSED)
    return case(id, number, clause, says, *steps, **details)
