"""ASGI 2 and WSGI applications seen as ASGI 3, which is all that the drivers know."""
