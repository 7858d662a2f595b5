"""What the servers are measured with: one table.

A scenario asks one of three things. CPU: what one unit of a load costs the server. MEMORY: what one
connection that only stays open costs it. START: how long it takes until it answers.
"""

from __future__ import annotations

from dataclasses import dataclass

import apps
from servers import FILES, HTTP, LOGGED, PLAIN, TLS, UNIX, WEBSOCKET, WORKERS
from websocket_frames import BINARY, TEXT, Message

CPU, MEMORY, START = "cpu", "memory", "start"


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """One kind of load.

    Args:
        name: Word of the command line and of the result file.
        title: Heading of the report.
        app: Name of the application in apps.py, or a `module:attribute`.
        connections: Connections that are open at once.
        protocol: What a server has to speak to take part.
        mode: How the server is started.
        asks: What is measured.
        unit: What is counted.
        for_fixed_answer: Whether a server that can only write one fixed answer takes part.
        for_variants: Whether servers take part that are near to another one.
    """

    name: str
    title: str
    app: str
    connections: int = 64
    protocol: str = HTTP
    mode: str = PLAIN
    asks: str = CPU
    unit: str = "request"
    for_fixed_answer: bool = False
    for_variants: bool = False

    @property
    def most_under_way(self) -> int:
        """Return the greatest number of units that can be under way at once."""
        return self.connections

    @property
    def times_latency(self) -> bool:
        """Tell whether the load's latencies mean anything."""
        return self.asks == CPU


def request(method: str = "GET", path: str = "/", body: bytes = b"", *fields: str) -> bytes:
    """Return a request as it is sent."""
    length = (f"Content-Length: {len(body)}",) if body else ()
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", *fields, *length, "", ""]
    return "\r\n".join(lines).encode() + body


@dataclass(frozen=True, kw_only=True)
class HttpScenario(Scenario):
    """Requests that are sent again when their answers are there.

    Args:
        request: The request, its body included.
        answer: Body that it must be answered with.
        pipelined: Requests that are sent in one write.
        slow: Clients beside the others that send or read slowly.
        streams: Clients that get an event for each request of the one connection.
        other_request: What the slow clients or the streams send.
    """

    request: bytes = request()
    answer: bytes = apps.HELLO
    pipelined: int = 1
    slow: int = 0
    streams: int = 0
    other_request: bytes = b""

    @property
    def closes(self) -> bool:
        """Tell whether every request asks for the end of its connection."""
        return self.request == CLOSING_REQUEST

    @property
    def most_under_way(self) -> int:
        """Return the greatest number of requests or events that can be under way at once."""
        return self.streams or self.connections * self.pipelined

    @property
    def times_latency(self) -> bool:
        """Tell whether the latencies mean anything: those of pipelined requests do not."""
        return super().times_latency and self.pipelined == 1


@dataclass(frozen=True, kw_only=True)
class WebSocketScenario(Scenario):
    """Messages that come back over WebSockets, or WebSockets that only stay open.

    Args:
        message: What a connection sends, again when it is back.
        broadcast: Whether one connection sends, and the message comes to all.
    """

    message: Message
    broadcast: bool = False
    app: str = "websocket_echo"
    protocol: str = WEBSOCKET
    unit: str = "message"


BROWSER_FIELDS = (
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8",
    "Accept-Language: en-GB,en;q=0.7,de;q=0.3",
    "Accept-Encoding: gzip, deflate, br, zstd",
    "Referer: http://127.0.0.1/start/page?with=query",
    "Cookie: session=0f8a1c4d7e2b4f6a9c3d5e7f10213243; theme=dark; consent=1",
    "Cache-Control: max-age=0",
    "Sec-Fetch-Dest: document",
    "Sec-Fetch-Mode: navigate",
    "Upgrade-Insecure-Requests: 1",
)
BROWSER_REQUEST = request("GET", "/", b"", *BROWSER_FIELDS)
CLOSING_REQUEST = request("GET", "/", b"", "Connection: close")
KIB, MIB = 1024, 1024**2


def _hello(name: str, title: str, **changes: object) -> HttpScenario:
    return HttpScenario(name=name, title=title, app="hello", **changes)  # type: ignore[arg-type]


def _posted(name: str, title: str, size: int) -> HttpScenario:
    body = b"x" * size
    return HttpScenario(
        name=name,
        title=title,
        app="echo",
        request=request("POST", "/", body),
        answer=body,
        for_variants=size == KIB,
    )


SCENARIOS = (
    _hello("hello", "hello, 13 bytes", for_fixed_answer=True, for_variants=True),
    _hello(
        "headers", "hello with 10 browser headers", request=BROWSER_REQUEST, for_fixed_answer=True
    ),
    _hello("pipelined", "hello, 16 pipelined", pipelined=16, for_fixed_answer=True),
    _posted("post1k", "POST 1 KiB, echoed", KIB),
    _posted("post64k", "POST 64 KiB, echoed", 64 * KIB),
    HttpScenario(name="large", title="1 MiB response", app="large", answer=apps.LARGE),
    HttpScenario(
        name="stream",
        title="100 chunks of 1 KiB",
        app="stream",
        answer=apps.CHUNK * apps.CHUNK_COUNT,
    ),
)

GROWTH_SCENARIOS = tuple(
    _hello(f"connections-{n}", f"hello, {n:,} connections", connections=n, for_fixed_answer=True)
    for n in (10, 100, 1000, 10_000)
)

MODE_SCENARIOS = (
    _hello("access-log", "hello, access log on", mode=LOGGED),
    _hello("new-connections", "hello, a connection each", request=CLOSING_REQUEST),
    _hello("unix", "hello over a UNIX socket", mode=UNIX),
    _hello("tls", "hello over TLS", mode=TLS),
    _hello("tls-new", "hello, a TLS handshake each", mode=TLS, request=CLOSING_REQUEST),
    _hello("workers", "hello, 4 workers", mode=WORKERS),
)

FRAMEWORK_SCENARIOS = (
    HttpScenario(
        name="starlette", title="Starlette, JSON", app="starlette_app:app", answer=apps.JSON_ANSWER
    ),
    HttpScenario(
        name="fastapi", title="FastAPI, JSON", app="fastapi_app:app", answer=apps.JSON_ANSWER
    ),
)

MIXED_SCENARIOS = (
    HttpScenario(
        name="slow-clients",
        title="hello, with 200 slow clients besides",
        app="mixed",
        slow=200,
        other_request=request("GET", "/large", b"", *BROWSER_FIELDS),
    ),
    HttpScenario(
        name="events",
        title="server-sent events to 1,000 clients",
        app="events",
        unit="event",
        connections=1,
        request=request("POST", "/", b"x" * 32),
        answer=b"published",
        streams=1000,
        other_request=request(),
    ),
)

FILE_SCENARIOS = tuple(
    HttpScenario(
        name=app.replace("_", "-"),
        title=f"a file of {size} MiB",
        app=app,
        answer=apps.LARGE * size,
        connections=64 if size == 1 else 1,
        protocol=FILES,
    )
    for app, size in apps.FILES.items()
)

IDLE_SCENARIOS = (
    _hello(
        "idle",
        "idle connections",
        connections=1000,
        asks=MEMORY,
        unit="connection",
        for_fixed_answer=True,
        for_variants=True,
    ),
    _hello(
        "start",
        "from the start to the first answer",
        connections=1,
        asks=START,
        unit="start",
        for_variants=True,
    ),
)


def _echo(size: int, shown: str, connections: int, kind: str = "") -> WebSocketScenario:
    message = Message(size, BINARY if kind == "binary" else TEXT, compressed=kind == "deflate")
    words = {"": "text", "deflate": "text, compressed", "binary": "binary"}[kind]
    name = "-".join(filter(None, ("ws", shown.lower().replace(" ", ""), str(connections), kind)))
    return WebSocketScenario(
        name=name,
        title=f"echo {shown}, {words}",
        message=message,
        connections=connections,
        for_variants=(size, connections, kind) == (32, 64, ""),
    )


def _idle(name: str, title: str, message: Message) -> WebSocketScenario:
    return WebSocketScenario(
        name=name, title=title, message=message, connections=1000, asks=MEMORY, unit="connection"
    )


WEBSOCKET_SCENARIOS = (
    *(
        _echo(size, shown, connections, kind)
        for size, shown in ((32, "32 B"), (4096, "4 KiB"), (2**20, "1 MiB"))
        for connections in (1, 64)
        for kind in ("", "deflate")
    ),
    *(_echo(2**20, "1 MiB", connections, "binary") for connections in (1, 64)),
    WebSocketScenario(
        name="ws-broadcast",
        title="32 B to 1,000 WebSockets",
        app="websocket_broadcast",
        message=Message(32),
        connections=1000,
        broadcast=True,
    ),
    _idle("ws-idle", "idle WebSockets", Message(32)),
    _idle(
        "ws-idle-deflate", "idle WebSockets, compression agreed on", Message(32, compressed=True)
    ),
)

ALL_SCENARIOS: tuple[Scenario, ...] = (
    *SCENARIOS,
    *GROWTH_SCENARIOS,
    *MODE_SCENARIOS,
    *FRAMEWORK_SCENARIOS,
    *MIXED_SCENARIOS,
    *FILE_SCENARIOS,
    *IDLE_SCENARIOS,
    *WEBSOCKET_SCENARIOS,
)
QUICK = "hello,post1k"
