"""A server in a background thread, for tests and notebooks."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from esg.asgi import AnyApp
from esg.config import Config
from esg.implementation import resolve, run_loop
from esg.server import Server


@contextmanager
def run_in_thread(app: AnyApp | str, **settings: Any) -> Iterator[Server]:
    """Serve an application in a thread while the block runs.

        with esg.run_in_thread(app, port=0) as server:
            httpx.get(server.addresses[0])

    Args:
        app: an application, or "module:attribute".
        **settings: as for `Config`.

    Raises:
        ConfigError, StartupError: the server does not start.
    """
    config = Config(app, **settings)
    loop = resolve(config.impl, config.loop).loop
    server = Server(config)
    errors: list[BaseException] = []

    def run() -> None:
        try:
            run_loop(loop, server.serve)
        except BaseException as error:  # noqa: BLE001 - it is raised in the caller's thread
            errors.append(error)

    thread = threading.Thread(target=run, name="esg server", daemon=True)
    thread.start()
    try:
        server.wait_started()
        yield server
    finally:
        server.shutdown()
        thread.join()
    if errors:
        raise errors[0]
