"""The demo page: `esg examples.demo:app`, then open the address it prints.

This file holds the application's lifespan and its routes; what they answer is in demo_api.py
(the live parts), demo_chat.py and demo_assets.py (the page itself, from demo_page/).
"""

from typing import Any

from examples import demo_api
from examples.asgi_types import Receive, Scope, Send
from examples.demo_assets import ASSETS, send_asset
from examples.demo_chat import Room, chat
from examples.demo_exchange import Endpoint, Exchange, Tally
from examples.demo_session import Session
from examples.websocket_echo import echo

READ = ("GET", "HEAD")
ANY = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")

ROUTES: dict[str, tuple[tuple[str, ...], Endpoint]] = {
    "/api/server": (READ, demo_api.describe_server),
    "/api/scope": (ANY, demo_api.describe_scope),
    "/api/stream": (READ, demo_api.stream_words),
    "/api/upload": (("POST",), demo_api.measure_upload),
    "/api/events": (READ, demo_api.send_events),
    **dict.fromkeys(ASSETS, (READ, send_asset)),
}

WITHOUT_LIFESPAN: dict[str, Any] = {"tally": Tally(), "room": Room()}
"""The state for servers that run no lifespan, or keep no state for it."""


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Serve `lifespan`, `http` and `websocket` scopes; raise NotImplementedError for others."""
    if scope["type"] == "lifespan":
        await live(scope, receive, send)
        return
    state = WITHOUT_LIFESPAN | scope.get("state", {})
    if scope["type"] == "http":
        await route(Exchange(scope, receive, send, state["tally"]))
    elif scope["type"] == "websocket":
        state["tally"].requests += 1
        await route_session(Session(scope, receive, send), state["room"])
    else:
        raise NotImplementedError(f"the demo does not speak {scope['type']}")


async def live(scope: Scope, receive: Receive, send: Send) -> None:
    """Put the counts and the room of the chat into the lifespan state.

    Every request gets a shallow copy of that state, so all share the one Tally and the one Room
    (ASGI lifespan 2.0, "Lifespan State").
    """
    await receive()  # lifespan.startup
    scope.get("state", {}).update(tally=Tally(), room=Room())
    await send({"type": "lifespan.startup.complete"})
    await receive()  # lifespan.shutdown
    await send({"type": "lifespan.shutdown.complete"})


async def route(exchange: Exchange) -> None:
    """Pass the exchange to its endpoint, or answer 404 or 405."""
    exchange.tally.requests += 1
    path = exchange.route_path
    if path.startswith("/api/scope/"):
        path = "/api/scope"  # the visitor tries paths of their own below it
    if path not in ROUTES:
        await exchange.respond_text(404, "There is nothing here.\n")
        return
    methods, endpoint = ROUTES[path]
    if exchange.scope["method"] not in methods:
        allow = (b"allow", ", ".join(methods).encode())
        await exchange.respond_text(405, f"Only {', '.join(methods)} here.\n", [allow])
        return
    await endpoint(exchange)


async def route_session(session: Session, room: Room) -> None:
    """Pass a WebSocket to its endpoint; refuse what is none of ours."""
    path = session.route_path
    if session.comes_from_elsewhere or path not in ("/api/echo", "/api/chat"):
        await session.refuse()
    elif path == "/api/chat":
        await chat(session, room)
    else:
        await session.accept()
        await echo(session.receive, session.send)
