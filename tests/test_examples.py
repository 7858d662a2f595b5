"""The example applications, called in process as a server would call them."""

import hashlib
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio
import pytest
from anyio.lowlevel import checkpoint

from examples import demo, factory, hello, static_files, streaming, upload_echo
from examples.asgi_types import Application, Message, Scope
from examples.demo_api import TEXT
from examples.demo_assets import ASSETS, PAGE
from examples.demo_exchange import Tally
from examples.until_disconnect import until_disconnect

pytestmark = pytest.mark.anyio

DEADLINE = 10.0
"""Seconds until a call that hangs is a failure."""


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    """Run each test on asyncio and on trio."""
    name: str = request.param
    return name


@dataclass
class Client:
    """One exchange seen from the server's side: what the application gets and sends.

    Args:
        body: the pieces of the request body.
        leaves_after: response body messages after which the client disconnects.
        leaves_in_body: the client disconnects instead of completing the request body.
        send_fails: send() raises, as from ASGI HTTP 2.4 on, once the client has left.
    """

    body: Iterable[bytes] = (b"",)
    leaves_after: int | None = None
    leaves_in_body: bool = False
    send_fails: bool = False
    sent: list[Message] = field(default_factory=list)
    trace: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        pieces = list(self.body)
        more = [True] * (len(pieces) - 1) + [self.leaves_in_body]
        self.requests = [
            {"type": "http.request", "body": piece, "more_body": more_body}
            for piece, more_body in zip(pieces, more, strict=True)
        ]
        self.gone = anyio.Event()
        if self.leaves_in_body:
            self.gone.set()

    async def receive(self) -> Message:
        await checkpoint()
        self.trace.append("receive")
        if self.requests:
            return self.requests.pop(0)
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        await checkpoint()
        if self.gone.is_set() and self.send_fails:
            raise BrokenPipeError
        self.trace.append("send")
        self.sent.append(message)
        if self.leaves_after is not None and len(self.sent) > self.leaves_after:
            self.gone.set()

    @property
    def status(self) -> int:
        assert self.sent[0]["type"] == "http.response.start"
        status: int = self.sent[0]["status"]
        return status

    @property
    def headers(self) -> dict[bytes, bytes]:
        fields = list(self.sent[0]["headers"])
        assert len(dict(fields)) == len(fields), "a field is sent twice"
        return dict(fields)

    @property
    def chunks(self) -> list[bytes]:
        assert all(message["type"] == "http.response.body" for message in self.sent[1:])
        return [message.get("body", b"") for message in self.sent[1:]]

    @property
    def content(self) -> bytes:
        """The body of a response that is complete, with the length it declares."""
        assert self.is_complete
        content = b"".join(self.chunks)
        if b"content-length" in self.headers and self.status != 304 and content:
            assert int(self.headers[b"content-length"]) == len(content)
        return content

    @property
    def is_complete(self) -> bool:
        ends = [not message.get("more_body", False) for message in self.sent[1:]]
        return ends.count(True) == 1 and ends[-1]

    @property
    def json(self) -> Any:
        assert self.headers[b"content-type"] == b"application/json"
        return json.loads(self.content)


def http_scope(method: str = "GET", path: str = "/", **changes: Any) -> Scope:
    """Return an HTTP scope, complete but for what `changes` replaces."""
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.5"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [(b"host", b"localhost")],
        "client": ("127.0.0.1", 50000),
        "server": ("127.0.0.1", 8000),
        "extensions": {},
        "state": {},
    }
    return scope | changes


async def call(app: Application, client: Client | None = None, **scope: Any) -> Client:
    """Call the application for one HTTP exchange and return what it did."""
    client = client or Client()
    with anyio.fail_after(DEADLINE):
        await app(http_scope(**scope), client.receive, client.send)
    return client


async def live(app: Application, during: Callable[[dict[str, Any]], Any]) -> list[str]:
    """Run the application's lifespan, call `during` with its state, return what it sent."""
    state: dict[str, Any] = {}
    events = ["lifespan.startup", "lifespan.shutdown"]
    sent: list[str] = []

    async def receive() -> Message:
        if len(events) == 1:
            await during(state)
        return {"type": events.pop(0)}

    async def send(message: Message) -> None:
        sent.append(message["type"])

    with anyio.fail_after(DEADLINE):
        await app({"type": "lifespan", "asgi": {"version": "3.0"}, "state": state}, receive, send)
    return sent


LIFESPAN_ANSWERS = ["lifespan.startup.complete", "lifespan.shutdown.complete"]


@pytest.mark.parametrize(
    "app", [hello.app, streaming.app, upload_echo.app, factory.create_app(), demo.app]
)
async def test_an_unknown_scope_is_refused(app: Application) -> None:
    client = Client()
    with pytest.raises(NotImplementedError, match="telepathy"):
        await app({"type": "telepathy"}, client.receive, client.send)
    assert client.trace == []


async def test_hello() -> None:
    client = await call(hello.app)
    assert (client.status, client.content) == (200, b"Hello, world!\n")
    assert client.headers[b"content-length"] == b"14"


async def test_streaming_sends_every_line_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streaming, "INTERVAL", 0)
    client = await call(streaming.app)
    assert client.chunks == [b"line %d of 10\n" % number for number in range(1, 11)] + [b""]
    assert client.is_complete
    assert b"content-length" not in client.headers


@pytest.mark.parametrize("send_fails", [True, False])
async def test_streaming_stops_when_the_client_leaves(
    send_fails: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streaming, "INTERVAL", 0 if send_fails else 10 * DEADLINE)
    client = await call(streaming.app, Client(leaves_after=1, send_fails=send_fails))
    assert client.chunks == [b"line 1 of 10\n"]
    assert not client.is_complete


async def test_a_response_ends_quietly_where_only_send_knows_of_the_lost_client() -> None:
    client = Client()

    async def respond() -> None:
        client.trace.append("respond")
        raise BrokenPipeError

    with anyio.fail_after(DEADLINE):
        await until_disconnect(client.receive, respond)
    assert "respond" in client.trace


async def test_an_error_of_the_application_is_not_taken_for_a_lost_client(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(streaming, "LINES", None)
    with pytest.raises(ExceptionGroup) as raised:
        await call(streaming.app)
    assert raised.group_contains(TypeError)


@pytest.mark.parametrize("method", ["POST", "PUT"])
async def test_upload_echo_sends_each_piece_before_it_asks_for_the_next(method: str) -> None:
    pieces = [b"one", b"two", b"", b"three"]
    client = await call(upload_echo.app, Client(body=pieces), method=method)
    assert (client.status, client.chunks, client.is_complete) == (200, pieces, True)
    assert client.trace == ["send"] + ["receive", "send"] * len(pieces)


async def test_upload_echo_passes_the_length_on() -> None:
    headers = [(b"content-length", b"4"), (b"content-type", b"text/html")]
    client = await call(upload_echo.app, Client(body=[b"abcd"]), method="PUT", headers=headers)
    assert client.headers[b"content-length"] == b"4"
    assert client.headers[b"content-type"] == b"application/octet-stream"


async def test_upload_echo_leaves_a_broken_upload_unfinished() -> None:
    client = Client(body=[b"half"], leaves_in_body=True)
    await call(upload_echo.app, client, method="POST")
    assert client.chunks == [b"half"]
    assert not client.is_complete


async def test_upload_echo_refuses_other_methods() -> None:
    client = await call(upload_echo.app, method="GET")
    assert (client.status, client.headers[b"allow"]) == (405, b"POST, PUT")
    assert client.content == b"Send a body by POST or PUT.\n"


@pytest.fixture
def site(tmp_path: Path) -> Application:
    """Return an application that serves a folder; a secret lies beside that."""
    folder = tmp_path / "site"
    (folder / "deep").mkdir(parents=True)
    (folder / "deep" / "index.html").write_text("<p>deep")
    (folder / "data").write_bytes(b"data")
    (tmp_path / "secret").write_text("secret")
    (folder / "link").symlink_to(tmp_path / "secret")
    return static_files.static_files(folder)


async def test_static_files(site: Application) -> None:
    page = await call(site, path="/deep/")
    assert (page.status, page.content) == (200, b"<p>deep")
    assert page.headers[b"content-type"] == b"text/html; charset=utf-8"
    data = await call(site, path="/below/data", root_path="/below")
    assert data.headers[b"content-type"] == b"application/octet-stream"
    head = await call(site, path="/data", method="HEAD")
    assert (head.headers, head.content) == (data.headers, b"")


async def test_static_files_are_sent_by_their_path(site: Application, tmp_path: Path) -> None:
    client = await call(site, path="/data", extensions={"http.response.pathsend": {}})
    path = str(tmp_path / "site" / "data")
    assert client.sent[1:] == [{"type": "http.response.pathsend", "path": path}]


async def test_a_static_file_is_not_sent_again(site: Application) -> None:
    modified = (await call(site, path="/data")).headers[b"last-modified"]
    again = await call(site, path="/data", headers=[(b"if-modified-since", modified)])
    assert (again.status, again.content) == (304, b"")


@pytest.mark.parametrize("path", ["/", "/no", "/link", "/../secret", "//etc/passwd", "/a\0b"])
async def test_what_is_no_static_file(path: str, site: Application) -> None:
    assert (await call(site, path=path)).status == 404


@pytest.mark.parametrize("path", ["/deep", "//deep"])
async def test_a_folder_of_static_files_has_a_slash_behind_it(path: str, site: Application) -> None:
    client = await call(site, path=path)
    assert (client.status, client.headers[b"location"]) == (308, b"/deep/")


async def test_static_files_are_read_only(site: Application) -> None:
    client = await call(site, path="/data", method="PUT")
    assert (client.status, client.headers[b"allow"]) == (405, b"GET, HEAD")


async def test_factory_greets_by_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GREETING", "Ahoy")
    app = factory.create_app()
    answers: list[Client] = []

    async def during(state: dict[str, Any]) -> None:
        answers.append(await call(app, state=state.copy()))

    assert await live(app, during) == LIFESPAN_ANSWERS
    assert [client.status for client in answers] == [200]
    assert answers[0].content.startswith(b"Ahoy! Serving for 0.")


async def test_demo_lifespan_counts_requests_of_one_run() -> None:
    counts: list[int] = []

    async def during(state: dict[str, Any]) -> None:
        for _ in range(3):
            client = await call(demo.app, path="/api/server", state=state.copy())
            counts.append(client.json["requests"])

    assert await live(demo.app, during) == LIFESPAN_ANSWERS
    assert counts == [1, 2, 3]


async def test_demo_serves_without_lifespan_state() -> None:
    scope = http_scope(path="/api/server")
    del scope["state"], scope["extensions"]
    client = Client()
    with anyio.fail_after(DEADLINE):
        await demo.app(scope, client.receive, client.send)
    assert client.json["loop"] == "unknown"


async def test_demo_shows_what_the_server_says_of_itself() -> None:
    said = {"version": "9.9", "implementation": "pure", "loop": "trio", "reason": "chosen"}
    client = await call(demo.app, path="/api/server", extensions={"esg.server": said})
    assert client.json.items() >= said.items()
    assert client.json["is_esg"] is True


@pytest.mark.parametrize("path", sorted(ASSETS))
async def test_demo_page_file(path: str) -> None:
    client = await call(demo.app, path=path)
    file = PAGE / (path[1:] or "index.html")
    assert (client.status, client.content) == (200, file.read_bytes())
    assert client.headers[b"cache-control"] == b"no-cache"
    kind = {".html": b"text/html", ".js": b"text/javascript", ".css": b"text/css"}
    expected = kind.get(file.suffix, b"image/svg+xml")
    assert client.headers[b"content-type"].startswith(expected)
    policy = client.headers[b"content-security-policy"].decode()
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


async def test_demo_page_needs_nothing_from_elsewhere() -> None:
    texts = {path: asset.body.decode() for path, asset in ASSETS.items()}
    assert len(texts) > 5
    for path, text in texts.items():
        outside = text.replace("http://www.w3.org/2000/svg", "")
        assert "http://" not in outside, path
        assert "https://" not in outside, path


async def test_demo_page_file_is_not_sent_again() -> None:
    first = await call(demo.app)
    etag = first.headers[b"etag"]
    for known in (etag, b'"other", W/' + etag):
        again = await call(demo.app, headers=[(b"if-none-match", known)])
        assert (again.status, again.content, again.headers[b"etag"]) == (304, b"", etag)
    other = await call(demo.app, headers=[(b"if-none-match", b'"other"')])
    assert (other.status, other.content) == (200, first.content)


async def test_demo_knows_its_paths_below_a_root_path() -> None:
    client = await call(demo.app, path="/below/main.js", root_path="/below")
    assert client.content == (PAGE / "main.js").read_bytes()


@pytest.mark.parametrize("path", ["/", "/api/server", "/api/stream", "/api/events"])
async def test_demo_head_is_the_head_of_get(path: str) -> None:
    head = await call(demo.app, method="HEAD", path=path)
    assert (head.status, head.content) == (200, b"")
    get = await call(demo.app, Client(leaves_after=1), path=path)
    assert head.headers.keys() == get.headers.keys()
    assert head.headers[b"content-type"] == get.headers[b"content-type"]


@pytest.mark.parametrize("path", ["/nothing", "/api", "/../demo.py", "/demo_page/main.js"])
async def test_demo_answers_404(path: str) -> None:
    client = await call(demo.app, path=path)
    assert (client.status, client.content) == (404, b"There is nothing here.\n")


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("POST", "/", b"GET, HEAD"),
        ("GET", "/api/upload", b"POST"),
        ("PUT", "/main.js", b"GET, HEAD"),
    ],
)
async def test_demo_answers_405(method: str, path: str, allow: bytes) -> None:
    client = await call(demo.app, method=method, path=path)
    assert (client.status, client.headers[b"allow"]) == (405, allow)


async def test_demo_shows_the_scope_as_python_does() -> None:
    headers = [(b"x-one", b"1"), (b"x-two", b"caf\xe9"), (b"x-one", b"2")]
    client = await call(
        demo.app,
        method="POST",
        path="/api/scope/a b",
        raw_path=b"/api/scope/a%20b",
        headers=headers,
    )
    entries = {entry["key"]: (entry["value"], entry["type"]) for entry in client.json["entries"]}
    assert entries["path"] == ("'/api/scope/a b'", "str")
    assert entries["raw_path"] == ("b'/api/scope/a%20b'", "bytes")
    assert entries["method"] == ("'POST'", "str")
    assert "headers" not in entries
    assert client.json["headers"] == [["x-one", "1"], ["x-two", "café"], ["x-one", "2"]]


async def test_demo_streams_word_by_word() -> None:
    client = await call(demo.app, path="/api/stream", query_string=b"interval=0")
    assert client.content.decode() == f"{TEXT} "
    assert client.chunks[:2] == [b"Each ", b"of "]
    assert b"content-length" not in client.headers


@pytest.mark.parametrize("interval", [b"-1", b"2001", b"99999", b"1.5", b"fast", "²".encode()])
async def test_demo_stream_refuses_a_bad_interval(interval: bytes) -> None:
    client = await call(demo.app, path="/api/stream", query_string=b"interval=" + interval)
    assert (client.status, client.content) == (400, b"interval is 0 to 2000 milliseconds.\n")


async def test_demo_measures_an_upload() -> None:
    pieces = [b"a" * 70_000, b"b" * 70_000, b""]
    client = await call(demo.app, Client(body=pieces), method="POST", path="/api/upload")
    answer = client.json
    assert answer["bytes"] == 140_000
    assert answer["sha256"] == hashlib.sha256(b"".join(pieces)).hexdigest()
    assert answer["seconds"] > 0
    assert answer["bytes_per_second"] == pytest.approx(140_000 / answer["seconds"])


async def test_demo_does_not_answer_a_broken_upload() -> None:
    client = Client(body=[b"half"], leaves_in_body=True)
    await call(demo.app, client, method="POST", path="/api/upload")
    assert client.trace == ["receive", "receive"]


async def test_demo_events_go_on_until_the_client_leaves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("examples.demo_api.EVENT_INTERVAL", 0.001)
    tally = Tally()
    client = Client(leaves_after=6)
    await call(demo.app, client, path="/api/events", state={"tally": tally})
    assert client.headers[b"content-type"] == b"text/event-stream"
    assert not client.is_complete
    retry, *events = client.chunks
    assert retry == b"retry: 1500\n\n"
    assert len(events) >= 5
    ticks = [json.loads(event.removeprefix(b"data: ")) for event in events]
    assert all(event.endswith(b"\n\n") and event.count(b"\n") == 2 for event in events)
    assert {(tick["requests"], tick["open_responses"]) for tick in ticks} == {(1, 1)}
    assert ticks[0]["uptime"] < ticks[-1]["uptime"]
    assert tally.open_responses == 0


async def test_demo_events_end_when_the_server_cancels_them() -> None:
    tally, client = Tally(), Client()
    started = anyio.Event()

    async def send(message: Message) -> None:
        await client.send(message)
        if len(client.chunks) == 2:
            started.set()

    scope = http_scope(path="/api/events", state={"tally": tally})
    with anyio.fail_after(DEADLINE):
        async with anyio.create_task_group() as task_group:
            task_group.start_soon(demo.app, scope, client.receive, send)
            await started.wait()
            assert tally.open_responses == 1
            task_group.cancel_scope.cancel()
    assert tally.open_responses == 0
    assert not client.is_complete
