"""The contract in GraphQL: queries over HTTP, subscriptions by two protocols.

https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md (graphql-transport-ws) and
https://github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from tests.ecosystem.site import Site, decoded
from tests.ecosystem.sites.stage import BEGINNING, MISTAKE, PIECES
from tests.websocket_client import WebSocket

PATH = "/graphql/"
PROTOCOL = "graphql-transport-ws"


def ask(site: Site, query: str, **variables: object) -> Any:
    """Send a query or a mutation; return the data."""
    answer = decoded(site.client.post(PATH, json={"query": query, "variables": variables}))
    assert "errors" not in answer
    return answer["data"]


@contextmanager
def subscription(site: Site, query: str) -> Iterator[WebSocket]:
    """Follow something."""
    with site.socket() as client:
        answer = client.open(PATH, fields=[("Sec-WebSocket-Protocol", PROTOCOL)])
        assert answer.field("sec-websocket-protocol") == PROTOCOL
        client.send_text('{"type": "connection_init"}')
        assert json.loads(client.next_text())["type"] == "connection_ack"
        payload = {"query": query}
        client.send_text(json.dumps({"id": "1", "type": "subscribe", "payload": payload}))
        yield client


def next_message(client: WebSocket) -> Any:
    """Read a message of the subscription."""
    message = json.loads(client.next_text())
    assert message["id"] == "1"
    return message


def lifespan(site: Site) -> None:
    site.wait_told("startup")
    assert ask(site, "{ pool }") == {"pool": "open"}


def routing(site: Site) -> None:
    query = "query($number: Int!, $q: String!) { item(number: $number, q: $q) }"
    assert ask(site, query, number=7, q="é") == {"item": "7 é"}
    by_get = site.client.get(PATH, params={"query": '{ item(number: 1, q: "x") }'})
    assert decoded(by_get) == {"data": {"item": "1 x"}}
    assert site.client.get("/nothing").status_code == 404


def mutation(site: Site) -> None:
    sent = "é" * 50_000
    query = "mutation($text: String!) { echo(text: $text) }"
    assert ask(site, query, text=sent) == {"echo": sent}


def upload(site: Site) -> None:
    """By the GraphQL multipart request specification."""
    operations = {
        "query": "mutation($file: Upload!) { upload(file: $file) }",
        "variables": {"file": None},
    }
    form = {"operations": json.dumps(operations), "map": '{"0": ["variables.file"]}'}
    with site.large.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    with site.large.open("rb") as file:
        answer = site.client.post(PATH, data=form, files={"0": ("large.bin", file)})
    assert decoded(answer) == {"data": {"upload": digest}}


@contextmanager
def stream(site: Site, query: str) -> Iterator[Iterator[Any]]:
    """Follow something by server-sent events; give the data as they come."""
    accept = {"Accept": "text/event-stream"}
    with site.client.stream("POST", PATH, json={"query": query}, headers=accept) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        lines = answer.iter_lines()
        yield (json.loads(line[6:])["data"] for line in lines if line.startswith("data: {"))


def streamed_response(site: Site) -> None:
    """Each event has to come while the site waits behind it."""
    with stream(site, "subscription { pieces }") as events:
        for piece in PIECES:
            assert next(events) == {"pieces": piece}
            site.open_gate()
        assert list(events) == []


def websocket(site: Site) -> None:
    with subscription(site, "subscription { pieces }") as client:
        for piece in PIECES:
            message = next_message(client)
            assert (message["type"], message["payload"]["data"]) == ("next", {"pieces": piece})
            site.open_gate()
        assert next_message(client)["type"] == "complete"


def exception(site: Site) -> None:
    answer = decoded(site.client.post(PATH, json={"query": "{ error }"}))
    assert [error["message"] for error in answer["errors"]] == [MISTAKE]


def exception_in_stream(site: Site) -> None:
    with subscription(site, "subscription { broken }") as client:
        assert next_message(client)["payload"]["data"] == {"broken": BEGINNING}
        assert MISTAKE in json.dumps(next_message(client))


def disconnect(site: Site) -> None:
    since = site.mark
    with stream(site, "subscription { endless }") as events:
        assert next(events) == {"endless": "tick"}
    site.wait_told("stream ended", since)


def disconnect_of_websocket(site: Site) -> None:
    since = site.mark
    with subscription(site, "subscription { endless }") as client:
        assert next_message(client)["payload"]["data"] == {"endless": "tick"}
    site.wait_told("stream ended", since)


def shutdown(site: Site) -> None:
    since = site.mark
    with subscription(site, "subscription { endless }") as client:
        next_message(client)
        assert site.stop() == site.target.exit_code
        assert closing_code(client) == 1012
    site.wait_told("stream ended", since)
    site.wait_told("shutdown", since)


def closing_code(client: WebSocket) -> int:
    """Read up to the close frame."""
    while (frame := client.next_frame()).opcode != 8:
        pass
    return int.from_bytes(frame.payload[:2], "big")


CHECKS: Mapping[str, Callable[[Site], None]] = {
    "lifespan": lifespan,
    "routing": routing,
    "JSON": mutation,
    "50 MiB upload": upload,
    "streamed response": streamed_response,
    "WebSocket": websocket,
    "exception": exception,
    "exception in a stream": exception_in_stream,
    "client leaves a stream": disconnect,
    "client leaves a WebSocket": disconnect_of_websocket,
    "shutdown with a stream open": shutdown,
}
