"""The samples in deploy/: that they say what ESG does, and nginx's as it is before a real ESG."""

from __future__ import annotations

import configparser
import shlex
import shutil
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from websockets.sync.client import connect

from esg.config import Config
from esg.settings import collect
from tests.certificates import Authority
from tests.client import Connection
from tests.conftest import Serve
from tests.proxies import free_ports, program, running
from tests.server import REPOSITORY, ServerProcess, run_esg
from tests.supervisor.load import under_load

DEPLOY = REPOSITORY / "deploy"
SERVICE = DEPLOY / "systemd" / "esg.service"
# What a stop may take beside requests and the application's shutdown: its loop and its threads.
AFTERWARDS = 5.0  # seconds


def checked(folder: Path, *arguments: str) -> Config:
    """Return the configuration that a command line of a sample means."""
    found = run_esg("--print-config", *arguments)
    assert found.returncode == 0, found.stderr
    file = folder / "sample.toml"
    file.write_text(found.stdout)
    return collect({}, {}, file).config()


def seconds_of_a_stop(config: Config) -> float:
    return config.timeout_graceful_shutdown + config.timeout_lifespan + AFTERWARDS


def unit(path: Path) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(interpolation=None)
    parser.optionxform = str  # type: ignore[assignment, method-assign] # names as they are
    parser.read(path)
    return parser


def test_service_has_the_time_that_a_stop_takes(tmp_path: Path) -> None:
    service = unit(SERVICE)["Service"]
    config = checked(tmp_path, *shlex.split(service["ExecStart"])[1:])
    assert config.bind == ("systemd",)
    assert float(service["TimeoutStopSec"]) > seconds_of_a_stop(config)
    assert service["Type"] == "notify"


def test_systemd_finds_nothing_wrong(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("no systemd-analyze here")
    for name in ("esg.socket", "esg.service"):
        text = (DEPLOY / "systemd" / name).read_text()
        # The program has to be there.
        (tmp_path / name).write_text(text.replace("/srv/app/.venv/bin/esg", "/bin/true"))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(tmp_path / "esg.service")],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    ours = [line for line in done.stderr.splitlines() if "esg." in line]
    assert ours == []


def test_pod_has_the_time_that_a_stop_takes(tmp_path: Path) -> None:
    deployment, service = yaml.safe_load_all((DEPLOY / "kubernetes" / "esg.yaml").read_text())
    pod: dict[str, Any] = deployment["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    config = checked(tmp_path, *container["args"])
    sleep, seconds = container["lifecycle"]["preStop"]["exec"]["command"]
    assert sleep == "sleep"
    assert pod["terminationGracePeriodSeconds"] > float(seconds) + seconds_of_a_stop(config)
    assert container["ports"][0]["containerPort"] == config.port
    probed = {container[f"{kind}Probe"]["httpGet"]["path"] for kind in ("startup", "readiness")}
    assert probed == set(config.access_log_exclude)
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    assert service["spec"]["selector"] == labels == deployment["spec"]["selector"]["matchLabels"]


@dataclass
class Site:
    """A server with several workers behind the sample of nginx."""

    server: ServerProcess
    ports: dict[str, int]
    authority: Authority

    def connect(self) -> Connection:
        return Connection(("127.0.0.1", self.ports["http"]))

    def connect_securely(self) -> Connection:
        return Connection(("127.0.0.1", self.ports["https"]), tls=self.authority.client())


@pytest.fixture(scope="module", params=["unix", "tcp"])
def site(
    request: pytest.FixtureRequest, serve_module: Serve, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    """Return the sample's nginx and a server behind it; each test leaves both as they were."""
    folder = tmp_path_factory.mktemp("site")
    path = folder / "app.sock"
    sample = (DEPLOY / "nginx" / "esg.conf").read_text()
    place = ("--uds", str(path)) if request.param == "unix" else ("--port", "0")
    allowed = "unix" if request.param == "unix" else "127.0.0.1"
    options = ("--forwarded-allow-ips", allowed, "--timeout-keep-alive", "75", "--workers", "2")
    server = serve_module(*place, *options, app="tests.apps.deployed:app", row=None)
    ports = free_ports("http", "https")
    authority = Authority(folder)
    pair = authority.issue("nginx")
    target = f"unix:{path}" if request.param == "unix" else f"127.0.0.1:{server.port}"
    changes = {
        "unix:/run/esg/app.sock fail_timeout": f"{target} fail_timeout",
        "listen 80;": f"listen 127.0.0.1:{ports['http']};",
        "# listen 443 ssl;": f"listen 127.0.0.1:{ports['https']} ssl;",
        "# ssl_certificate /etc/ssl/example.org.pem;": f"ssl_certificate {pair.certfile};",
        "# ssl_certificate_key /etc/ssl/example.org.key;": f"ssl_certificate_key {pair.keyfile};",
    }
    for before, after in changes.items():
        assert sample.count(before) == 1
        sample = sample.replace(before, after)
    temporary = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    folders = "\n".join(f"{name}_temp_path {folder}/{name};" for name in temporary)
    text = (
        f"daemon off; master_process off; pid {folder}/pid; error_log stderr warn; events {{}}\n"
        f"http {{ access_log off; {folders}\n{sample} }}"
    )
    with running((program("nginx", "nginx-light"), "-c"), folder, text, ports):
        yield Site(server, ports, authority)


def test_nginx_passes_requests_and_who_asks(site: Site) -> None:
    with site.connect() as client:
        client.request("/client", fields=[("X-Forwarded-For", "6.6.6.6")])
        assert client.response().text == "127.0.0.1 http"
        assert client.get("/client").status == 200


def test_nginx_speaks_tls_and_says_so(site: Site) -> None:
    with site.connect_securely() as client:
        client.request("/client", fields=[("X-Forwarded-Proto", "http")])
        assert client.response().text == "127.0.0.1 https"


def test_nginx_passes_websockets(site: Site) -> None:
    with connect(f"ws://127.0.0.1:{site.ports['http']}/", proxy=None, open_timeout=60) as socket:
        socket.send("hello")
        assert socket.recv(60) == "hello"


def test_nginx_holds_no_stream_back(site: Site) -> None:
    """Each piece of an upload is answered before the next one is sent."""
    with site.connect() as client:
        client.request("/echo", "POST", [("Transfer-Encoding", "chunked")])
        client.send(b"3\r\none\r\n")
        answer = client.start_response()
        assert answer.read1() == b"one"
        client.send(b"3\r\ntwo\r\n")
        assert answer.read1() == b"two"
        client.send(b"0\r\n\r\n")
        assert answer.read() == b""


def test_nginx_answers_through_a_restart_of_all_workers(site: Site) -> None:
    with under_load(("127.0.0.1", site.ports["http"]), "/process") as load:
        load.wait_for_others_than(set(), count=2)
        before = set(load.answers)
        site.server.send_signal(signal.SIGHUP)
        load.wait_for_others_than(before, count=2)
        load.wait_for_answers(100)
    assert load.failures == []
