"""Every decision that needs no socket, no clock and no await; one module per subject.

These files run as they are under the pure driver. They import only `esg.asgi`, `esg.errors` and
`esg.websocket`, and never each other.
"""
