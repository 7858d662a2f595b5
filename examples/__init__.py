"""ASGI applications to try the server with: raw ASGI, no framework."""
