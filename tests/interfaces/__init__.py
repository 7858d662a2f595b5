"""ASGI 2 and WSGI applications seen as ASGI 3."""
