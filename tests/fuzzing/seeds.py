"""Where a fuzzer begins: the bytes of the conformance cases, for the targets that can read them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache

from tests.conformance.cases import ALL_CASES
from tests.conformance.model import Send
from tests.conformance.websocket_frames import cut_all
from tests.conformance.websocket_opening import split_opening
from tests.fuzzing.given import written

# Larger ones are about limits that targets do not have.
_LARGEST = 1024
_OWN: dict[str, tuple[bytes, ...]] = {
    "response_head": (
        b"content-length:5\ncontent-type:text/plain\n\nhello",
        b"connection:close, x\ndate:d\nlink:</a>\n\none\ntwo\n\nx-trailer:t",
        b"x: y\r\nset-cookie:a=b\n\n",
    ),
    "access_log": (
        b"/a?b=c\nuser-agent:curl\nauthorization:Basic YTpi\nx-one:\x1b[2J\nreferer:\x85",
        b'%(r)s %% "%({x-one}i)s" %({HOME}e)s\n',
    ),
    "settings": (
        b'port = 8000\nworkers = "two"\nheader = ["a: b"]\nheader-x = 1\n',
        b"HOST=::1\nLIMIT_HEAD_SIZE=1e3\nTIMEOUT_BODY=nan\nHEADER=a: b\n",
        b'log-level = "debug"\nforwarded-allow-ips = "10.0.0.0/8, unix"\nssl-sni = {a = "b"}\n',
    ),
    "tls_opening": (
        b"GET /a HTTP/1.1\r\nHost: a\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabcGET / HTTP/1.0\r\n\r\n",
    ),
    "proxy_headers": (
        b'forwarded: for="[2001:db8::1]:4711";proto=https;host=a.b:8;by=_x, for=10.0.0.2',
        b"x-forwarded-for: 1.2.3.4:5, ::1, 10.1.2.3\nx-forwarded-port: 444\nx-forwarded-prefix: /p",
    ),
}


@cache
def seeds(name: str) -> tuple[bytes, ...]:
    """Return the inputs that fuzzing of a target begins with."""
    read = _READERS.get(name)
    streams = dict.fromkeys(_OWN.get(name, ()))
    if read is not None:
        streams |= dict.fromkeys(found for stream in _streams() for found in read(stream))
    return tuple(written(stream) for stream in streams if len(stream) <= _LARGEST)


def _streams() -> Iterator[bytes]:
    """Yield what the client of each case sends on its first connection."""
    for case in ALL_CASES:
        sent = [step.data for step in case.steps if isinstance(step, Send) and step.on == "a"]
        if sum(map(len, sent)) <= _LARGEST:
            yield b"".join(sent)


def _whole(stream: bytes) -> list[bytes]:
    return [stream] if stream.split(b" ")[0] != b"PROXY" else []


def _first_head(stream: bytes) -> list[bytes]:
    end = stream.find(b"\r\n\r\n") + 4
    return [stream[:end]] if end >= 4 else [stream]


def _chunks(stream: bytes) -> list[bytes]:
    head, end, content = stream.partition(b"\r\n\r\n")
    return [content] if end and b"chunked" in head else []


def _frames(stream: bytes) -> list[bytes]:
    frames = split_opening(stream)[1]
    return [frames] if frames and b"websocket" in stream.lower() else []


def _sessions(stream: bytes) -> list[bytes]:
    return [stream] if b"sec-websocket-key" in stream.lower() else []


def _payloads(stream: bytes) -> list[bytes]:
    return [frame.payload for data in _frames(stream) for frame in cut_all(data)[0]]


def _proxy(stream: bytes) -> list[bytes]:
    return [stream] if stream.startswith((b"PROXY", b"\r\n\r\n\0")) else []


def _forwarded(stream: bytes) -> list[bytes]:
    if b"forwarded" not in stream.lower():
        return []
    return [b"\n".join(stream.partition(b"\r\n\r\n")[0].split(b"\r\n")[1:])]


_READERS: dict[str, Callable[[bytes], list[bytes]]] = {
    "request_head": _first_head,
    "chunked_content": _chunks,
    "http_connection": _whole,
    "websocket_connection": _sessions,
    "connection_faults": _whole,
    "frames": _frames,
    "deflate": _payloads,
    "proxy_headers": _forwarded,
    "proxy_protocol": _proxy,
}
