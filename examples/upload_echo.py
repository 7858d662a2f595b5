"""Echo an upload while it is still arriving.

`esg examples.upload_echo:app`, then `curl -T big.iso localhost:8000 | cmp - big.iso`.

Each piece of the request body is sent back before the next one is asked for. A client that
reads slowly makes send() wait, so receive() is not called, so the server stops reading from
the socket: memory stays bounded whatever the size of the upload.
"""

from examples.asgi_types import Receive, Scope, Send

METHODS = ("POST", "PUT")


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer POST and PUT with the request body, anything else with 405.

    Raises NotImplementedError for any scope type but `http`.
    """
    if scope["type"] != "http":
        raise NotImplementedError(f"this application does not speak {scope['type']}")
    if scope["method"] not in METHODS:
        await refuse_method(send)
        return
    await echo(scope, receive, send)


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Send each piece of the request body back as it comes.

    The length, where the client declared one, is passed on. If the client disconnects in
    mid-body the response is left unfinished: a final chunk would call it complete.
    """
    headers = [(b"content-type", b"application/octet-stream")]
    headers += [(name, value) for name, value in scope["headers"] if name == b"content-length"]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    more_body = True
    while more_body:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        more_body = message.get("more_body", False)
        body = message.get("body", b"")
        await send({"type": "http.response.body", "body": body, "more_body": more_body})


async def refuse_method(send: Send) -> None:
    """Answer 405 with the methods that are allowed (RFC 9110 section 15.5.6)."""
    body = b"Send a body by POST or PUT.\n"
    headers = [
        (b"allow", ", ".join(METHODS).encode()),
        (b"content-type", b"text/plain"),
        (b"content-length", b"%d" % len(body)),
    ]
    await send({"type": "http.response.start", "status": 405, "headers": headers})
    await send({"type": "http.response.body", "body": body})
