"""The servers that are measured: one table.

A command is run in bench/ with these fields filled in: `{python}` (the interpreter of the row's
environment), `{bin}` (the folder of its scripts), `{build}` (the folder of compiled programs),
`{app}` (the application as `module:attribute`), `{port}` on 127.0.0.1, `{socket}` (the path of a
UNIX socket), `{certificate}`, `{key}`, and `{options}`: those of the mode that is measured.
Each server runs one worker, without an access log, with the options that make it fastest, where the
mode does not say otherwise.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass

HTTP, WEBSOCKET, FILES = "HTTP", "WebSocket", "files"
BOTH = (HTTP, WEBSOCKET)
ALL = (*BOTH, FILES)

PLAIN, LOGGED, UNIX, TLS, WORKERS = "plain", "logged", "unix", "tls", "workers"
CPYTHON, PYPY = "CPython", "PyPy"
JIT_WARMUP = 4  # seconds


@dataclass(frozen=True)
class Options:
    """What a command line says of where to listen and how; None where a server does not offer it.

    Args:
        tcp: Listens on 127.0.0.1 at `{port}`.
        quiet: Writes no access log.
        logged: Writes one, to stdout or stderr.
        unix: Listens on `{socket}`.
        tls: Speaks TLS with `{certificate}` and `{key}`.
        workers: Serves with four processes.
    """

    tcp: str
    quiet: str = ""
    logged: str | None = None
    unix: str | None = None
    tls: str | None = None
    workers: str | None = None

    def words(self, mode: str) -> str | None:
        """Return the options for a mode; None if the server does not offer it."""
        parts = {
            PLAIN: (self.tcp, self.quiet),
            LOGGED: (self.tcp, self.logged),
            UNIX: (self.unix, self.quiet),
            TLS: (self.tcp, self.quiet, self.tls),
            WORKERS: (self.tcp, self.quiet, self.workers),
        }[mode]
        given = [part for part in parts if part is not None]
        return " ".join(given) if len(given) == len(parts) else None


@dataclass(frozen=True)
class Server:
    """One row of the report.

    Args:
        name: Word of the command line and of the report.
        command: Command line with fields, see the module.
        requires: Requirements that are installed for it, as pip reads them.
        options: What `{options}` of the command stands for in each mode.
        overlay: A requirement that only this server sees, in place of the shared one.
        fixed_answer: Whether it can only write one fixed answer to a request without a body.
        speaks: The protocols that it is measured with.
        interpreter: What it runs on.
        variant: Whether it is so near to another row that a few scenarios of it say enough.
    """

    name: str
    command: str
    requires: tuple[str, ...] = ()
    options: Options = Options("")
    overlay: str = ""
    fixed_answer: bool = False
    speaks: tuple[str, ...] = (HTTP,)
    interpreter: str = CPYTHON
    variant: bool = False

    @property
    def is_ours(self) -> bool:
        """Tell whether this is a row of ESG."""
        return self.name.startswith("esg-")

    @property
    def least_warmup(self) -> int:
        """Return how long it is warmed up at least, in seconds: a JIT compiles meanwhile."""
        return JIT_WARMUP if self.interpreter == PYPY else 0

    @property
    def runs_apps(self) -> bool:
        """Tell whether it calls an ASGI application."""
        return "{app}" in self.command

    def argv(self, mode: str, **fields: object) -> list[str]:
        """Return the command for a mode that it offers, with its fields filled in."""
        words = self.options.words(mode) or ""
        command = self.command.replace("{options}", words)
        return [word.format(**fields) for word in shlex.split(command)]


UVICORN_OPTIONS = Options(
    tcp="--port {port}",
    quiet="--no-access-log --log-level warning",
    logged="--log-level info",
    unix="--uds {socket}",
    tls="--ssl-certfile {certificate} --ssl-keyfile {key}",
    workers="--workers 4",
)
BIND = "--bind 127.0.0.1:{port}"
HYPERCORN_OPTIONS = Options(
    tcp=BIND,
    quiet="--log-level warning",
    logged="--access-logfile -",
    unix="--bind unix:{socket}",
    tls="--certfile {certificate} --keyfile {key}",
    workers="--workers 4",
)
GRANIAN_OPTIONS = Options(
    tcp="--port {port}",
    quiet="--no-access-log --log-level warning",
    logged="--access-log",
    unix="--uds {socket}",
    tls="--ssl-certificate {certificate} --ssl-keyfile {key}",
    workers="--workers 4",
)
H2CORN_OPTIONS = Options(
    tcp=BIND,
    quiet="--no-access-log",
    logged="--access-log",
    unix="--bind unix:{socket}",
    tls="--certfile {certificate} --keyfile {key}",
    workers="--workers 4",
)
DAPHNE_OPTIONS = Options(
    tcp="--bind 127.0.0.1 --port {port}",
    quiet="--verbosity 0",
    logged="--verbosity 1",
    unix="--unix-socket {socket}",
)
FASTPYSGI_OPTIONS = Options(
    tcp="--host 127.0.0.1 --port {port}", tls="--certfile {certificate} --keyfile {key}"
)
SOCKETIFY_OPTIONS = Options(
    tcp="--host 127.0.0.1 --port {port}",
    unix="--uds {socket}",
    tls="--ssl-certfile {certificate} --ssl-keyfile {key}",
    workers="--workers 4",
)

# To open thousands of connections may take longer than what servers allow an idle one.
ESG = "{python} -m esg {app} {options} --timeout-keep-alive 75"
UVICORN = "{python} -m uvicorn {app} {options} --timeout-keep-alive 75"
UVICORN_HTTPTOOLS = f"{UVICORN} --http httptools --loop uvloop"
UVICORN_H11 = f"{UVICORN} --http h11 --loop asyncio"
HYPERCORN = "{python} -m hypercorn {app} {options} --keep-alive 75"
GRANIAN = "{python} -m granian {app} --interface asgi {options} --loop uvloop"
BARE_H11 = "{python} bare_h11.py"


def _esg(
    name: str,
    choice: str,
    requires: tuple[str, ...] = (),
    interpreter: str = CPYTHON,
    variant: bool = True,
) -> Server:
    return Server(
        f"esg-{name}",
        f"{ESG} {choice}",
        requires,
        UVICORN_OPTIONS,
        speaks=ALL,
        interpreter=interpreter,
        variant=variant,
    )


def _bare(loop: str, requires: tuple[str, ...] = (), interpreter: str = CPYTHON) -> Server:
    return Server(
        f"bare-h11-{loop}" if interpreter == CPYTHON else f"bare-h11-pypy-{loop}",
        f"{BARE_H11} {loop} {{port}}",
        ("anyio", "h11", *requires),
        fixed_answer=True,
        interpreter=interpreter,
        variant=True,
    )


SERVERS = (
    Server("floor", "{build}/floor {port}", fixed_answer=True),
    Server("nginx", "sh nginx.sh {build} {app} {port}", speaks=(FILES,)),
    Server("raw-uvloop", "{python} raw_uvloop.py {port}", ("uvloop",), fixed_answer=True),
    _esg("fast-uvloop", "--impl fast --loop uvloop", ("uvloop",), variant=False),
    _esg("fast-asyncio", "--impl fast --loop asyncio"),
    Server(
        "uvicorn-httptools",
        UVICORN_HTTPTOOLS,
        ("uvicorn[standard]",),
        UVICORN_OPTIONS,
        speaks=(HTTP, FILES),
    ),
    # uvloop 0.23 sends each write at once, so uvicorn's head and body are two system calls.
    Server(
        "uvicorn-uvloop0.22",
        UVICORN_HTTPTOOLS,
        ("uvicorn[standard]",),
        UVICORN_OPTIONS,
        overlay="uvloop==0.22.1",
    ),
    Server(
        "uvicorn-websockets",
        f"{UVICORN_HTTPTOOLS} --ws websockets-sansio",
        ("uvicorn[standard]",),
        UVICORN_OPTIONS,
        speaks=(WEBSOCKET,),
    ),
    Server(
        "uvicorn-wsproto",
        f"{UVICORN_HTTPTOOLS} --ws wsproto",
        ("uvicorn[standard]", "wsproto"),
        UVICORN_OPTIONS,
        speaks=(WEBSOCKET,),
    ),
    Server(
        "granian-asyncio",
        f"{GRANIAN} --task-impl asyncio",
        ("granian", "uvloop"),
        GRANIAN_OPTIONS,
        speaks=ALL,
        variant=True,
    ),
    Server(
        "granian-rust",
        f"{GRANIAN} --task-impl rust",
        ("granian", "uvloop"),
        GRANIAN_OPTIONS,
        speaks=ALL,
    ),
    Server("picows", "{python} picows_echo.py {port}", ("picows", "uvloop"), speaks=(WEBSOCKET,)),
    Server("fastpysgi", "{bin}/fastpysgi {app} {options}", ("fastpysgi",), FASTPYSGI_OPTIONS),
    Server(
        "h2corn",
        "{python} -m h2corn {app} {options} --loop uvloop --runtime-threads 1",
        ("h2corn", "uvloop"),
        H2CORN_OPTIONS,
        speaks=ALL,
    ),
    Server(
        "socketify",
        "{python} -m socketify {app} {options} --interface asgi",
        ("socketify",),
        SOCKETIFY_OPTIONS,
        speaks=BOTH,
    ),
    Server(
        "gunicorn-asgi",
        "{python} -m gunicorn {app} --worker-class asgi --asgi-loop uvloop {options}"
        " --keep-alive 75",
        ("gunicorn>=25", "uvloop"),
        HYPERCORN_OPTIONS,
        speaks=BOTH,
    ),
    _bare("asyncio"),
    _bare("uvloop", ("uvloop",)),
    _bare("trio", ("trio",)),
    _esg("pure-asyncio", "--impl pure --loop asyncio", variant=False),
    _esg("pure-uvloop", "--impl pure --loop uvloop", ("uvloop",)),
    _esg("pure-trio", "--impl pure --loop trio", ("trio",)),
    Server("uvicorn-h11", UVICORN_H11, ("uvicorn[standard]", "h11"), UVICORN_OPTIONS),
    Server(
        "hypercorn-asyncio",
        f"{HYPERCORN} --worker-class asyncio",
        ("hypercorn",),
        HYPERCORN_OPTIONS,
        speaks=BOTH,
    ),
    Server(
        "hypercorn-trio",
        f"{HYPERCORN} --worker-class trio",
        ("hypercorn[trio]",),
        HYPERCORN_OPTIONS,
        speaks=BOTH,
        variant=True,
    ),
    Server(
        "daphne",
        "{bin}/daphne {options} {app}",
        ("daphne",),
        DAPHNE_OPTIONS,
        speaks=BOTH,
        variant=True,
    ),
    _bare("asyncio", interpreter=PYPY),
    _bare("trio", ("trio",), PYPY),
    _esg("pypy-asyncio", "--impl pure --loop asyncio", interpreter=PYPY),
    _esg("pypy-trio", "--impl pure --loop trio", ("trio",), PYPY),
    Server(
        "uvicorn-pypy",
        UVICORN_H11,
        ("uvicorn", "h11"),
        UVICORN_OPTIONS,
        interpreter=PYPY,
        variant=True,
    ),
)

# Those of bench-quick.
QUICK = (
    "floor,raw-uvloop,esg-fast-uvloop,uvicorn-httptools,granian-rust,esg-pure-asyncio,uvicorn-h11"
)
