"""The application under every conformance case: it plays a script and reports what it saw.

It depends on nothing but the standard library and knows nothing of the server that runs it,
so it works under any ASGI server, on asyncio and on trio, on CPython and on PyPy. Which
script to play comes from the test runner through a side channel (`channel.py`), never from
the bytes of the request: those belong to the case.
"""

from tests.conformance.scripted.application import app, make_app

__all__ = ["app", "make_app"]
