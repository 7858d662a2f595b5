"""Time each rule module, interpreted and compiled, and the fast driver without a network.

    python bench/micro.py [NAMES]      from the root of a checkout; see also `make bench-micro`

Nanoseconds of this thread's CPU time for one call, the least of several repetitions: what disturbs
only ever adds.
"""

from __future__ import annotations

import argparse
import asyncio
import contextvars
import fnmatch
import importlib
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # esg, and what its tests have

import apps
from scenarios import BROWSER_REQUEST, request
from tables import table
from websocket_frames import KEY, Message

from esg.config import Config
from esg.rules import request_head, response_head, trusted_proxies
from esg.service import Service
from esg.websocket import DeflateParameters
from tests.rules.sessions import RecordingAnswers, RecordingCodec

Action = Callable[[], object]
Case = Callable[[ModuleType], Action]

HELLO_REQUEST = request()
UPGRADE = (
    b"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " + KEY.encode() + b"\r\n\r\n"
)
START = {"type": "http.response.start", "status": 200, "headers": apps.HELLO_HEADERS}
BODY = {"type": "http.response.body", "body": apps.HELLO}
CHUNKS = b"5\r\nhello\r\n" * 16 + b"0\r\n\r\n"
SHARED = DeflateParameters(False, False, 15, 15)
LIMITS = (65536, 100, 8192, 0)


def _chunk_framing(rule: ModuleType) -> Action:
    return lambda: rule.ChunkFraming(0, 65536, 100).scan(CHUNKS)


def _deadlines(rule: ModuleType) -> Action:
    deadlines = rule.Deadlines(rule.Timeouts(5.0, 5.0, 5.0, 5.0))

    def request_and_sweep() -> None:
        deadlines.arm(rule.HEAD, 1.0)
        deadlines.stop_reading()
        deadlines.arm(rule.IDLE, 1.0)
        deadlines.expired(2.0)

    return request_and_sweep


def _flow_control(rule: ModuleType) -> Action:
    flow = rule.ReadFlow()
    return lambda: (flow.hold(1024), flow.release(1024))


def _http_exchange(rule: ModuleType) -> Action:
    defaults = response_head.DefaultFields(b"esg", True, ())

    def respond() -> None:
        wire = response_head.Http1Response("1.1", True, defaults)
        exchange = rule.HttpExchange("GET", 0, False, response_head.plan, wire)
        exchange.send(START)
        exchange.send(BODY)

    return respond


def _lifespan(rule: ModuleType) -> Action:
    def start() -> None:
        lifespan = rule.LifespanTable(False)
        lifespan.startup_taken()
        lifespan.send({"type": "lifespan.startup.complete"})

    return start


def _persistence(rule: ModuleType) -> Action:
    return lambda: (rule.request_persists("1.1", ()), rule.after_response(True, True, True))


def _scope_of(module: ModuleType, headers: list[tuple[bytes, bytes]]) -> dict[str, Any]:
    scope: dict[str, Any] = module.http_scope(
        method="GET",
        http_version="1.1",
        raw_path=b"/path",
        query=b"",
        headers=headers,
        scheme="http",
        client=("127.0.0.1", 50000),
        server=("127.0.0.1", 8000),
        root_path="",
        state={},
        extensions={},
        takes_trailers=False,
    )
    return scope


def _scope(rule: ModuleType) -> Action:
    headers = [(b"host", b"a")]
    return lambda: _scope_of(rule, headers)


def _proxy_headers(rule: ModuleType) -> Action:
    trusted = trusted_proxies.TrustedProxies("127.0.0.1")
    proxies = rule.ProxyHeaders(trusted, "for,proto")
    headers = [(b"x-forwarded-for", b"192.0.2.1, 127.0.0.1"), (b"x-forwarded-proto", b"https")]
    scope = _scope_of(importlib.import_module("esg.rules.scope"), headers)
    return lambda: proxies.amend(dict(scope))


def _proxy_protocol(rule: ModuleType) -> Action:
    return lambda: rule.read(b"PROXY TCP4 192.0.2.1 192.0.2.2 50000 80\r\n")


def _judge(raw: bytes) -> Case:
    def case(rule: ModuleType) -> Action:
        limits = rule.HeadLimits(*LIMITS)
        return lambda: rule.judge(raw, limits)

    return case


def _response_head(rule: ModuleType) -> Action:
    defaults = rule.DefaultFields(b"esg", True, ())

    def write() -> None:
        response = rule.Http1Response("1.1", True, defaults)
        response.start(rule.plan("GET", 200, apps.HELLO_HEADERS))
        response.head()

    return write


def _access_line(rule: ModuleType) -> Action:
    client, line = ("127.0.0.1", 54321), rule.access_line
    return lambda: line(client, "GET", b"/items?page=2", "1.1", 200)


def _running_time(rule: ModuleType) -> Action:
    running = rule.RunningTime(30.0, 1.0, 0.0)
    return lambda: running.expired(1.0, False)


def _tls_session(rule: ModuleType) -> Action:
    client = importlib.import_module("tests.rules.test_tls_session").Client(rule)
    client.shake()
    buffer = bytearray(65536)

    def exchange() -> None:
        client.tls.write(HELLO_REQUEST)
        client.session.receive(client.outgoing.read())
        client.session.read_into(buffer)
        client.session.write(HELLO_REQUEST)
        client.incoming.write(client.session.data_to_send())
        client.tls.read(65536)

    return exchange


def _trusted_proxies(rule: ModuleType) -> Action:
    trusted = rule.TrustedProxies("127.0.0.1,10.0.0.0/8")
    return lambda: trusted.covers("10.1.2.3")


def _deflate(rule: ModuleType) -> Action:
    payload = Message(4096).payload
    deflater, inflater = rule.MessageDeflater(SHARED), rule.MessageInflater(SHARED, 2**20)
    return lambda: inflater.inflate(deflater.deflate(payload), True)


def _frames(rule: ModuleType) -> Action:
    rules, frame = rule.FrameRules(2**20, False), Message(300).frame

    def read_and_write() -> None:
        rules.read_header(frame, 0)
        rules.commit()
        rule.header(1, 300, False)

    return read_and_write


def _handshake(rule: ModuleType) -> Action:
    head = request_head.judge(UPGRADE, request_head.HeadLimits(*LIMITS))
    return lambda: rule.judge(head, True).accept_fields(None, [])


def _session(rule: ModuleType) -> Action:
    def echo() -> None:
        session = rule.WebSocketSession(RecordingAnswers(), RecordingCodec(), 8, False)
        session.next_event()
        session.send({"type": "websocket.accept"})
        session.take("hello")
        session.next_event()
        session.send({"type": "websocket.send", "text": "hello"})

    return echo


RULES: Mapping[str, Case] = {
    "access_line: a line": _access_line,
    "chunk_framing: 16 chunks": _chunk_framing,
    "deadlines: timers of a request, a sweep": _deadlines,
    "flow_control: 1 KiB in and out": _flow_control,
    "http_exchange: a response, head and body": _http_exchange,
    "lifespan: the start": _lifespan,
    "persistence: after a response": _persistence,
    "proxy_headers: two fields": _proxy_headers,
    "proxy_protocol: version 1": _proxy_protocol,
    "request_head: hello": _judge(HELLO_REQUEST),
    "request_head: 10 browser headers": _judge(BROWSER_REQUEST),
    "response_head: two fields": _response_head,
    "running_time: a look": _running_time,
    "scope: HTTP": _scope,
    "tls_session: 40 bytes in and out": _tls_session,
    "trusted_proxies: a network": _trusted_proxies,
    "websocket_deflate: 4 KiB of text, both ways": _deflate,
    "websocket_frames: a header in and out": _frames,
    "websocket_handshake: one that is accepted": _handshake,
    "websocket_session: one that echoes once": _session,
}


def timed(action: Action, repetitions: int = 5, seconds: float = 0.02) -> float:
    """Return the nanoseconds that a call takes, by the least of some repetitions.

    Args:
        action: What is called.
        repetitions: How often it is measured.
        seconds: How long each of them takes at least.
    """
    number, taken = 1, 0.0
    while taken < seconds:
        number *= 2
        taken = _repeat(action, number)
    return min(taken, *(_repeat(action, number) for _ in range(repetitions - 1))) / number * 1e9


def _repeat(action: Action, number: int) -> float:
    started = time.thread_time()
    for _ in range(number):
        action()
    return time.thread_time() - started


class Transport(asyncio.Transport):
    """Take what is written, and drop it: the socket is not measured."""

    def __init__(self) -> None:
        super().__init__({"peername": ("127.0.0.1", 50000), "sockname": ("127.0.0.1", 8000)})
        self.protocol: Any = None
        self.written = 0

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Go on with another protocol."""
        self.protocol = protocol

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """Have none."""

    def get_write_buffer_size(self) -> int:
        """Hold nothing."""
        return 0

    def write(self, data: Any) -> None:
        """Count the bytes."""
        self.written += len(data)

    def writelines(self, list_of_data: Any) -> None:
        """Count the bytes."""
        for data in list_of_data:
            self.write(data)

    def pause_reading(self) -> None:
        """Nothing comes by itself."""

    def resume_reading(self) -> None:
        """Nothing comes by itself."""

    def is_closing(self) -> bool:
        """Stay open."""
        return False


def fast_driver(names: str) -> dict[str, float]:
    """Time what the fast driver does between a read and a write; nothing if it is not built."""
    try:
        protocols = importlib.import_module("esg.accel.http_protocol")
    except ModuleNotFoundError:
        return {}
    return asyncio.run(_fast_driver(protocols, names))


async def _fast_driver(protocols: ModuleType, names: str) -> dict[str, float]:
    loop = asyncio.get_running_loop()
    posted = request("POST", "/", b"x" * 1024)
    cases: dict[str, tuple[Any, bytes, bytes]] = {
        "hello": (apps.hello, HELLO_REQUEST, b""),
        "hello with 10 browser headers": (apps.hello, BROWSER_REQUEST, b""),
        "16 pipelined": (apps.hello, HELLO_REQUEST * 16, b""),
        "POST 1 KiB, echoed": (apps.echo, posted, b""),
        "WebSocket echo, 32 bytes": (apps.websocket_echo, Message(32).frame, UPGRADE),
    }
    found: dict[str, float] = {}
    for name, (app, data, before) in cases.items():
        if fnmatch.fnmatch(name, names):
            ended: asyncio.Future[float] = loop.create_future()
            # Outside of any task, as a loop calls a protocol.
            loop.call_soon(_time_reads, protocols, app, data, before, ended)
            found[name] = await ended
    if fnmatch.fnmatch("a task that ends at once", names):
        ended = loop.create_future()
        loop.call_soon(_time_task, ended)
        found["a task that ends at once"] = await ended
    return found


def _time_reads(
    protocols: ModuleType, app: Any, data: bytes, before: bytes, ended: asyncio.Future[float]
) -> None:
    """Time the reading of some bytes by a protocol whose application answers at once."""
    serving = importlib.import_module("esg.accel.serving")
    shared = serving.Serving(_service(app), asyncio.get_running_loop())
    transport = Transport()
    transport.protocol = protocols.HttpProtocol(shared)
    transport.protocol.connection_made(transport)

    def read(data: bytes) -> None:
        memoryview(transport.protocol.get_buffer(-1)).cast("B")[: len(data)] = data
        transport.protocol.buffer_updated(len(data))

    if before:
        read(before)
    written = transport.written
    read(data)
    if transport.written == written:
        ended.set_exception(RuntimeError("nothing is answered at once"))
    else:
        ended.set_result(timed(lambda: read(data)))
    transport.protocol.connection_lost(None)


def _time_task(ended: asyncio.Future[float]) -> None:
    tasks = importlib.import_module("esg.accel.app_task")
    loop = asyncio.get_running_loop()

    async def end_at_once() -> None:
        pass

    context = contextvars.copy_context()
    ended.set_result(timed(lambda: tasks.run_eagerly(loop, end_at_once(), context)))


def _service(app: Any) -> Service:
    return Service(
        app=app,
        config=Config(app, access_log=False),
        listeners=[],
        state={},
        context=contextvars.copy_context(),
        server_info={},
        on_serving=lambda: None,
    )


def rules(names: str) -> list[list[str]]:
    """Time the rules whose names fit a pattern; the rows of a table."""
    rows = []
    for name, case in RULES.items():
        if fnmatch.fnmatch(name, names):
            module = name.partition(":")[0]
            interpreted = timed(case(importlib.import_module(f"esg.rules.{module}")))
            row = [name, f"{interpreted:,.0f}"]
            try:
                twin = importlib.import_module(f"esg.accel.rules.{module}")
            except ModuleNotFoundError:
                rows.append([*row, "–", "–"])
                continue
            compiled = timed(case(twin))
            rows.append([*row, f"{compiled:,.0f}", f"{interpreted / compiled:.1f}"])
    return rows


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the tables."""
    parser = argparse.ArgumentParser(prog="bench/micro.py", description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="?", default="*", help="which, as a pattern (default: all)")
    names = parser.parse_args(arguments).names
    load = os.getloadavg()[0]
    print(f"Python {sys.version.split()[0]}, load average {load:.2f} before the start\n")
    head = ["a rule, ns a call", "interpreted", "compiled", "times faster"]
    print(table(head, rules(names)), end="\n\n")
    rows = [[name, f"{taken:,.0f}"] for name, taken in fast_driver(names).items()]
    print(table(["the fast driver, from read to write", "ns"], rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
