"""The demo page: `esg examples.demo:app`, then open the address it prints.

This file holds the application's lifespan and its routes; what they answer is in demo_api.py
(the live parts) and demo_assets.py (the page itself, from demo_page/).
"""

from examples import demo_api
from examples.asgi_types import Receive, Scope, Send
from examples.demo_assets import ASSETS, send_asset
from examples.demo_exchange import Endpoint, Exchange, Tally

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

WITHOUT_LIFESPAN = Tally()
"""Counts for servers that run no lifespan, or keep no state for it."""


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Serve the `lifespan` and `http` scopes; raise NotImplementedError for others."""
    if scope["type"] == "lifespan":
        await live(scope, receive, send)
    elif scope["type"] == "http":
        tally = scope.get("state", {}).get("tally", WITHOUT_LIFESPAN)
        await route(Exchange(scope, receive, send, tally))
    else:
        raise NotImplementedError(f"the demo does not speak {scope['type']}")


async def live(scope: Scope, receive: Receive, send: Send) -> None:
    """Put the counts into the lifespan state.

    Every request gets a shallow copy of that state, so all share the one Tally (ASGI lifespan
    2.0, "Lifespan State").
    """
    await receive()  # lifespan.startup
    scope.get("state", {})["tally"] = Tally()
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
