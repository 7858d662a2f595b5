"""One server in one process: load the application, bind, start its lifespan, serve, drain."""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import AbstractContextManager, nullcontext, suppress
from functools import partial
from typing import TYPE_CHECKING, Any

import anyio
from anyio import wait_readable

from esg import binding
from esg._version import __version__
from esg.app_loader import call_function, load_app, load_environment
from esg.asgi import ASGIApp
from esg.config import Config
from esg.errors import ConfigError, ESGError, StartupError
from esg.implementation import Implementation, resolve, running_loop
from esg.interfaces.choice import as_asgi3, close
from esg.lifespan import Lifespan
from esg.logs import TRACE, logger
from esg.message_trace import trace_messages
from esg.service import Service
from esg.supervision import Supervision

if TYPE_CHECKING:
    from esg.tls.server_tls import ServerTLS

# How long lifespan shutdown may take when the user asks a second time to stop.
_FORCED_LIFESPAN = 1.0  # seconds
# How long a server that retires leaves idle connections open, where they have no timeout.
_IDLE_PATIENCE = 5.0  # seconds


def startup_errors(config: Config) -> Iterator[str]:
    """Yield what would keep a server from starting, as far as that shows without serving."""
    attempts: tuple[Callable[[], object], ...] = (
        lambda: resolve(config.impl, config.loop),
        lambda: _tls(config),
        lambda: _load(config),
    )
    if config.log_config is not None:
        from esg.log_config import apply_log_config  # noqa: PLC0415 - brings much, for few

        attempts += (partial(apply_log_config, config.log_config),)
    for attempt in attempts:
        try:
            attempt()
        except ESGError as error:
            yield from error.lines()


def _tls(config: Config) -> ServerTLS | None:
    if not config.speaks_tls:
        return None
    from esg.tls.server_tls import ServerTLS  # noqa: PLC0415 - `ssl` costs time at start-up

    return ServerTLS(config)


def _load(config: Config) -> ASGIApp:
    if config.env_file is not None:
        load_environment(config.env_file)
    if config.worker_init is not None:
        call_function(config.worker_init, config.app_dir)
    app = load_app(config.app, factory=config.factory, app_dir=config.app_dir)
    name = config.app if isinstance(config.app, str) else repr(config.app)
    return as_asgi3(app, config.interface, name, config.wsgi_threads)


class Server:
    """Serve one application; use each server once.

    Args:
        config: the settings.

    Attributes:
        addresses: where it listens, as URLs or unix:PATH; empty until it has started.
    """

    # The rest is for the process around it, ESG's own:
    #   supervision      what it is given as one of several; None if it is the only one
    #   watches_signals  whether `shutdown` is heard; while the application is imported it is not
    #   on_stuck         called once everything but requests that cannot be cancelled has ended
    #   stop_notice      logged as it begins to stop
    #   companions       run in the server's loop, from before the application's start-up until after
    #                    its shutdown; they are cancelled then, and must not raise
    #   reloading        gives the context in which certificates are loaded again

    def __init__(self, config: Config, supervision: Supervision | None = None) -> None:
        self.config = config
        self._supervision = supervision
        # Of several, it is their supervisor that tells what happens.
        self._told = logging.INFO if supervision is None else logging.DEBUG
        self.addresses: tuple[str, ...] = ()
        self.watches_signals = False
        self.on_stuck: Callable[[], None] | None = None
        self.stop_notice = "Stopping"
        self.companions: list[Callable[[], Coroutine[Any, Any, None]]] = []
        self.reloading: Callable[[], AbstractContextManager[object]] = nullcontext
        self._settled = anyio.Event()  # serving, or never will
        self._settled_for_threads = threading.Event()
        self._starting: anyio.CancelScope | None = None
        self._used = False
        self._error: BaseException | None = None
        self._service: Service | None = None
        self._tls: ServerTLS | None = None
        self._stopping = False
        self._retiring = False
        self._leaving = False
        self._forced = False
        self._reloading = False
        self._wake_sender: socket.socket | None = None

    async def serve(self) -> None:
        """Serve until `shutdown` is called, inside a running asyncio or trio loop.

        Raises:
            ConfigError: the settings do not fit the running loop.
            StartupError: the application or an address is not to be had.
            RuntimeError: this server has served before.
        """
        if self._used:
            raise RuntimeError("a Server serves once; make another one")
        if self.config.supervised and self._supervision is None:
            raise ConfigError(
                "workers, reload, worker_max_age and worker_max_rss are for the command esg and "
                "esg.run: a Server is one process"
            )
        self._used = True
        # shutdown() may come from any thread or a signal handler: a byte through a socket is
        # the one way to wake every loop from all of them.
        receiver, sender = socket.socketpair()
        self._wake_sender = sender
        receiver.setblocking(False)
        sender.setblocking(False)
        try:
            await self._serve(receiver)
        except BaseException as error:
            self._error = self._error or error
            raise
        finally:
            self._settle()
            receiver.close()
            sender.close()

    async def started(self) -> None:
        """Wait until the server accepts connections.

        Raises:
            StartupError, ConfigError: it never will.
        """
        await self._settled.wait()
        self._raise_unless_served()

    async def stop_begun(self) -> None:
        """Wait until a server that has started begins to stop.

        Raises:
            StartupError, ConfigError: it never starts.
        """
        await self.started()
        if self._service is not None:  # else it has never started, and the line above has raised
            await self._service.stop.wait()

    def wait_started(self, timeout: float | None = None) -> None:
        """Do what `started` does, from another thread than the server's.

        Args:
            timeout: seconds to wait at most.

        Raises:
            StartupError, ConfigError: it never will.
            TimeoutError: it has not yet.
        """
        if not self._settled_for_threads.wait(timeout):
            raise TimeoutError(f"the server has not started within {timeout:g} s")
        self._raise_unless_served()

    def _settle(self) -> None:
        self._settled.set()
        self._settled_for_threads.set()

    def _raise_unless_served(self) -> None:
        if self.addresses:
            return
        if isinstance(self._error, Exception):
            raise self._error
        raise StartupError("the server was stopped before it had started")

    def shutdown(self, *, force: bool = False) -> None:
        """Stop gracefully; callable from any thread and from signal handlers.

        Args:
            force: do not wait for requests in flight.
        """
        self._stopping = True
        self._forced |= force
        self._wake()

    def reload_certificates(self) -> None:
        """Load the certificates of TLS again; callable from any thread and from signal handlers.

        Their files are looked at every second anyway. Connections stay as they are, and where the
        new certificates are no good, so do the old ones: the log says what has been done.
        """
        self._reloading = True
        self._wake()

    def retire(self) -> None:
        """Stop because others go on: idle connections may be used once more.

        Callable from any thread.
        """
        self._retiring = True
        self._wake()

    def leave(self) -> None:
        """As one of several, tell the supervisor that another one is needed, and retire.

        Callable from any thread and from signal handlers.
        """
        self._leaving = True
        self._wake()

    def _wake(self) -> None:
        if self._wake_sender is not None:
            with suppress(OSError):  # it has stopped already, or a byte is waiting to be read
                self._wake_sender.send(b".")

    async def _serve(self, wake: socket.socket) -> None:
        implementation = self._implementation()
        self._tls = _tls(self.config)
        app = _load(self.config)
        self.watches_signals = True  # a byte that comes from here on will be read
        traced = trace_messages(app) if logger.isEnabledFor(TRACE) else app
        supervision = self._supervision
        listeners = supervision.listeners if supervision else binding.bind(self.config)
        try:
            await self._run_app(traced, listeners, implementation, wake)
        finally:
            binding.release(listeners)
            close(app)

    def _implementation(self) -> Implementation:
        loop = running_loop()
        if self.config.loop not in ("auto", loop):
            raise ConfigError(f"loop (--loop) is {self.config.loop}, but {loop} runs")
        return resolve(self.config.impl, loop)

    async def _run_app(
        self,
        app: ASGIApp,
        listeners: list[socket.socket],
        implementation: Implementation,
        wake: socket.socket,
    ) -> None:
        lifespan = Lifespan(app, self.config.lifespan, self.config.timeout_lifespan)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._watch_wake, lifespan, wake)
            for companion in self.companions:
                tasks.start_soon(companion)
            try:
                with anyio.CancelScope() as self._starting:
                    await lifespan.startup(tasks)
                if self._starting.cancelled_caught:
                    logger.log(self._told, "Stopped during start-up")
                else:
                    await self._serve_started(app, lifespan, listeners, implementation)
            except StartupError as error:
                # Out of the task group it would come wrapped in a group.
                self._error = error
            finally:
                await lifespan.shutdown()
            tasks.cancel_scope.cancel()
        if self._error is not None:
            raise self._error
        logger.log(self._told, "Stopped")

    async def _serve_started(
        self,
        app: ASGIApp,
        lifespan: Lifespan,
        listeners: list[socket.socket],
        implementation: Implementation,
    ) -> None:
        self._service = service = Service(
            app=app,
            config=self.config,
            listeners=listeners,
            state=lifespan.state,
            context=lifespan.context,
            server_info=implementation.info(),
            on_serving=lambda: self._on_serving(listeners, implementation),
            tls=self._tls,
            share=self._supervision.share if self._supervision else None,
            on_enough=self._supervision.enough if self._supervision else None,
        )
        self._apply_stop(lifespan)
        binding.listen(listeners, self.config.backlog)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._leave_if_stuck, lifespan, service)
            tasks.start_soon(self._close_idle_in_time, service)
            if self._tls is not None:
                tasks.start_soon(self._tls.keep_current, self.reloading)
            await implementation.serve(service)
            tasks.cancel_scope.cancel()

    async def _leave_if_stuck(self, lifespan: Lifespan, service: Service) -> None:
        """Stop without requests that do not even end when they are cancelled.

        Only a process of our own can be left like that (`on_stuck`); a server in somebody else's
        program goes on waiting for what that program's threads and tasks do.
        """
        await service.stuck.wait()
        logger.error("Requests go on though they are cancelled")
        if self.on_stuck is not None:
            await lifespan.shutdown()
            binding.release(service.listeners)
            logger.log(self._told, "Stopped")
            self.on_stuck()

    async def _close_idle_in_time(self, service: Service) -> None:
        """Of a server that retires, close idle connections once they have had their time."""
        await service.stop.wait()
        with anyio.move_on_after(self.config.timeout_keep_alive or _IDLE_PATIENCE):
            await service.idle_over.wait()
        service.end_idle()

    def _on_serving(self, listeners: list[socket.socket], implementation: Implementation) -> None:
        scheme = self.config.scheme
        self.addresses = tuple(binding.address_of(listener, scheme) for listener in listeners)
        self._settle()
        if self._supervision is not None:
            self._supervision.serving(implementation.describe(), implementation.reason)
            return
        if self.config.impl == "auto" and implementation.name == "pure":
            logger.info("Using the pure implementation: %s", implementation.reason)
        for address in self.addresses:
            logger.info(
                "ESG %s (%s) listening on %s", __version__, implementation.describe(), address
            )

    async def _watch_wake(self, lifespan: Lifespan, wake: socket.socket) -> None:
        while True:
            self._apply_stop(lifespan)
            if self._reloading and self._tls is not None:
                self._reloading = False
                self._tls.reload_soon()
            await wait_readable(wake)
            wake.recv(64)

    def _apply_leave(self) -> None:
        if self._service is None or self._supervision is None:
            self._stopping = True  # nobody is served
        elif not self.is_stopping:
            self._supervision.leaving()
            self._retiring = True

    def _apply_stop(self, lifespan: Lifespan) -> None:
        if self._leaving:
            self._apply_leave()
        if self._retiring and self._service is not None:
            self._service.retire()
        if not self._stopping:
            return
        if self._service is None:
            if self._starting is not None:
                self._starting.cancel()
            return
        if not self._service.closes_idle:
            logger.log(self._told, self.stop_notice)
            self._service.end_idle()
        if self._forced and not self._service.force_stop.is_set():
            logger.warning("Stopping at once")
            self._service.force_stop.set()
            lifespan.hurry(_FORCED_LIFESPAN)

    @property
    def is_one_of_several(self) -> bool:
        """Tell whether a supervisor watches over this server."""
        return self._supervision is not None

    @property
    def is_stopping(self) -> bool:
        """Tell whether the server was told to stop, or to retire."""
        return self._stopping or self._retiring

    @property
    def was_forced(self) -> bool:
        """Tell whether the server was told not to wait for requests in flight."""
        return self._forced
