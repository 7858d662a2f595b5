"""Real proxies in front of a server under test: nginx and HAProxy."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.ports import free_port
from tests.rows import in_ci

START_BOUND = 90.0
STREAM_MODULES = ("/usr/lib/nginx/modules", "/usr/lib64/nginx/modules", "/usr/share/nginx/modules")

NGINX = """
daemon off;
master_process off;
pid {folder}/pid;
error_log stderr warn;
{load_stream}
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    map $http_upgrade $connection_upgrade {{ default upgrade; '' ''; }}
    proxy_http_version 1.1;
    proxy_set_header Host $http_host;
    proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
    proxy_set_header X-Forwarded-Proto https;
    proxy_set_header Upgrade $http_upgrade;
    proxy_set_header Connection $connection_upgrade;
    server {{
        listen 127.0.0.1:{http};
        location / {{ proxy_pass http://127.0.0.1:{fields}; }}
    }}
    server {{
        listen 127.0.0.1:{unix};
        location / {{ proxy_pass http://unix:{socket}; }}
    }}
    server {{
        listen 127.0.0.1:{chain};
        location / {{ proxy_pass http://127.0.0.1:{http}; }}
    }}
}}
stream {{
    server {{
        listen 127.0.0.1:{stream};
        proxy_pass 127.0.0.1:{header};
        proxy_protocol on;
    }}
}}
"""

HAPROXY = """
defaults
    timeout connect 20s
    timeout client 60s
    timeout server 60s
listen fields
    mode http
    bind 127.0.0.1:{http}
    option forwardfor
    http-request set-header X-Forwarded-Proto https
    server esg 127.0.0.1:{fields}
listen tls
    mode tcp
    bind 127.0.0.1:{tls}
    server esg 127.0.0.1:{secure} send-proxy-v2
listen v1
    mode tcp
    bind 127.0.0.1:{v1}
    server esg 127.0.0.1:{header} send-proxy
listen v2
    mode tcp
    bind 127.0.0.1:{v2}
    server esg 127.0.0.1:{header} send-proxy-v2
"""


def program(name: str, package: str) -> str:
    """Return where a program is; where it is not, fail in CI and skip elsewhere."""
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")
    if found is None and in_ci():
        pytest.fail(f"{name} is not installed")
    if found is None:
        pytest.skip(f"no {name} here: apt-get install {package}")
    return found


def load_stream() -> str:
    """Return the line that loads nginx's stream module, if it is no part of the program."""
    paths = [Path(folder, "ngx_stream_module.so") for folder in STREAM_MODULES]
    return next((f"load_module {path};" for path in paths if path.is_file()), "")


def free_ports(*names: str) -> dict[str, int]:
    """Find a free port for each name."""
    return {name: free_port() for name in names}


@contextmanager
def nginx(folder: Path, targets: Mapping[str, object]) -> Iterator[dict[str, int]]:
    """Run nginx; give the ports it listens on.

    Args:
        folder: for its files.
        targets: `fields` and `header`, ports of servers that are told by fields and by the PROXY
            protocol; `secure`, of one that speaks TLS behind the latter; and `socket`, the path
            of one told by fields.
    """
    ports = free_ports("http", "unix", "chain", "stream")
    text = NGINX.format(folder=folder, load_stream=load_stream(), **targets, **ports)
    command = (program("nginx", "nginx-light libnginx-mod-stream"), "-c")
    with running(command, folder, text, ports):
        yield ports


@contextmanager
def haproxy(folder: Path, targets: Mapping[str, object]) -> Iterator[dict[str, int]]:
    """Run HAProxy likewise."""
    ports = free_ports("http", "v1", "v2", "tls")
    command = (program("haproxy", "haproxy"), "-f")
    with running(command, folder, HAPROXY.format(**targets, **ports), ports):
        yield ports


@contextmanager
def running(
    command: tuple[str, str], folder: Path, text: str, ports: Mapping[str, int]
) -> Iterator[None]:
    name = Path(command[0]).name
    file = folder / f"{name}.conf"
    file.write_text(text, "utf-8")
    with (folder / f"{name}.log").open("w+") as log:
        process = subprocess.Popen([*command, str(file)], stderr=log)
        try:
            deadline = time.monotonic() + START_BOUND
            while not all(map(_accepts, ports.values())):
                log.seek(0)
                assert process.poll() is None, log.read()
                assert time.monotonic() < deadline, f"{name} does not start"
                time.sleep(0.02)
            yield
        finally:
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(START_BOUND)
            process.kill()
            process.wait()


def _accepts(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
