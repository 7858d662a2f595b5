"""The smallest useful application: `esg examples.hello:app`."""

from examples.asgi_types import Receive, Scope, Send

BODY = b"Hello, world!\n"


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer every HTTP request with a greeting.

    Raises NotImplementedError for any other scope type, lifespan included: that is how an
    application says it does not speak a protocol (ASGI lifespan, "Scope").
    """
    if scope["type"] != "http":
        raise NotImplementedError(f"this application does not speak {scope['type']}")
    headers = [(b"content-type", b"text/plain"), (b"content-length", b"%d" % len(BODY))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": BODY})
