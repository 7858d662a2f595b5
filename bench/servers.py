"""The servers that are measured: one table.

A command is run in bench/ with these fields filled in: `{python}` (the interpreter of the
environment), `{bin}` (the folder of its scripts), `{build}` (the folder of compiled programs),
`{app}` (the application as `module:attribute`) and `{port}` on 127.0.0.1. Each server runs one
worker, without an access log, with the options that make it fastest.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass

HTTP, WEBSOCKET, FILES = "HTTP", "WebSocket", "files"
BOTH = (HTTP, WEBSOCKET)
ALL = (*BOTH, FILES)


@dataclass(frozen=True)
class Server:
    """One row of the report.

    Args:
        name: Word of the command line and of the report.
        command: Command line with fields, see the module.
        requires: Requirements that are installed for it, as pip reads them.
        overlay: A requirement that only this server sees, in place of the shared one.
        fixed_answer: Whether it can only write one fixed answer to a request without a body.
        speaks: The protocols that it is measured with.
    """

    name: str
    command: str
    requires: tuple[str, ...] = ()
    overlay: str = ""
    fixed_answer: bool = False
    speaks: tuple[str, ...] = (HTTP,)

    @property
    def is_ours(self) -> bool:
        """Tell whether this is a row of ESG."""
        return self.name.startswith("esg-")

    def argv(self, **fields: object) -> list[str]:
        """Return the command with its fields filled in."""
        return [word.format(**fields) for word in shlex.split(self.command)]


ESG = "{python} -m esg {app} --port {port} --no-access-log --log-level warning"
UVICORN = "{python} -m uvicorn {app} --port {port} --no-access-log --log-level warning"
HYPERCORN = "{python} -m hypercorn {app} --bind 127.0.0.1:{port} --log-level warning"
GRANIAN = (
    "{python} -m granian {app} --interface asgi --port {port} --no-access-log"
    " --log-level warning --loop uvloop"
)
UVICORN_HTTPTOOLS = f"{UVICORN} --http httptools --loop uvloop"
BARE_H11 = "{python} bare_h11.py"

SERVERS = (
    Server("floor", "{build}/floor {port}", fixed_answer=True),
    Server("nginx", "sh nginx.sh {build} {app} {port}", speaks=(FILES,)),
    Server("raw-uvloop", "{python} raw_uvloop.py {port}", ("uvloop",), fixed_answer=True),
    Server("esg-fast-uvloop", f"{ESG} --impl fast --loop uvloop", ("uvloop",), speaks=ALL),
    Server("esg-fast-asyncio", f"{ESG} --impl fast --loop asyncio", speaks=ALL),
    Server(
        "uvicorn-httptools",
        UVICORN_HTTPTOOLS,
        ("uvicorn[standard]", "starlette"),
        speaks=(HTTP, FILES),
    ),
    # uvloop 0.23 sends each write at once, so uvicorn's head and body are two system calls.
    Server(
        "uvicorn-uvloop0.22", UVICORN_HTTPTOOLS, ("uvicorn[standard]",), overlay="uvloop==0.22.1"
    ),
    Server(
        "uvicorn-websockets",
        f"{UVICORN_HTTPTOOLS} --ws websockets-sansio",
        ("uvicorn[standard]",),
        speaks=(WEBSOCKET,),
    ),
    Server(
        "uvicorn-wsproto",
        f"{UVICORN_HTTPTOOLS} --ws wsproto",
        ("uvicorn[standard]", "wsproto"),
        speaks=(WEBSOCKET,),
    ),
    Server("granian-asyncio", f"{GRANIAN} --task-impl asyncio", ("granian", "uvloop"), speaks=ALL),
    Server("granian-rust", f"{GRANIAN} --task-impl rust", ("granian", "uvloop"), speaks=ALL),
    Server("picows", "{python} picows_echo.py {port}", ("picows", "uvloop"), speaks=(WEBSOCKET,)),
    Server("fastpysgi", "{bin}/fastpysgi {app} --host 127.0.0.1 --port {port}", ("fastpysgi",)),
    Server(
        "h2corn",
        "{python} -m h2corn {app} --bind 127.0.0.1:{port} --no-access-log --loop uvloop"
        " --runtime-threads 1",
        ("h2corn", "uvloop", "starlette"),
        speaks=ALL,
    ),
    Server(
        "gunicorn-asgi",
        "{python} -m gunicorn {app} --worker-class asgi --asgi-loop uvloop"
        " --bind 127.0.0.1:{port} --log-level warning",
        ("gunicorn>=25", "uvloop"),
        speaks=BOTH,
    ),
    Server("bare-h11-asyncio", f"{BARE_H11} asyncio {{port}}", ("anyio", "h11"), fixed_answer=True),
    Server(
        "bare-h11-uvloop",
        f"{BARE_H11} uvloop {{port}}",
        ("anyio", "h11", "uvloop"),
        fixed_answer=True,
    ),
    Server(
        "bare-h11-trio", f"{BARE_H11} trio {{port}}", ("anyio", "h11", "trio"), fixed_answer=True
    ),
    Server("esg-pure-asyncio", f"{ESG} --impl pure --loop asyncio", speaks=ALL),
    Server("esg-pure-uvloop", f"{ESG} --impl pure --loop uvloop", ("uvloop",), speaks=ALL),
    Server("esg-pure-trio", f"{ESG} --impl pure --loop trio", ("trio",), speaks=ALL),
    Server("uvicorn-h11", f"{UVICORN} --http h11 --loop asyncio", ("uvicorn[standard]", "h11")),
    Server("hypercorn-asyncio", f"{HYPERCORN} --worker-class asyncio", ("hypercorn",), speaks=BOTH),
    Server("hypercorn-trio", f"{HYPERCORN} --worker-class trio", ("hypercorn[trio]",), speaks=BOTH),
)
