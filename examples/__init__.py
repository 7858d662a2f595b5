"""ASGI applications to try the server with: raw ASGI, no framework.

`tested_sites/` is a project of its own, which shows how to test applications.
"""
