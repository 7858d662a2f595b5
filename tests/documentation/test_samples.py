"""Every sample of every page does something: it is run, or read by what it is for.

The first line of a sample in Python or TOML names its file. docs/testing.md and docs/extensions.md
have tests of their own besides (tests/testing/test_documentation.py, test_extensions.py).
"""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from esg.cli import main
from esg.settings import collect
from tests.certificates import Authority
from tests.conftest import Serve
from tests.documentation.pages import PAGES, Page, Sample, page
from tests.proxies import load_stream, program
from tests.server import REPOSITORY, environment

BOUND = 240  # seconds, on a busy machine
WITH_OWN_TESTS = ("docs/testing.md", "docs/extensions.md")
LANGUAGES = {"sh", "python", "toml", "yaml", "nginx", "dockerfile", "text", ""}
# Besides esg, make and gunicorn, which are looked at.
PROGRAMS = {".", "apt-get", "curl", "eval", "openssl", "pip", "podman", "python3", "pytest"}
APPLICATION = """
async def app(scope, receive, send):
    if scope["type"] != "http":
        raise NotImplementedError
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"Hello, world!\\n"})
"""
# What command lines name and need not do anything.
NAMED_MODULES = ("example", "main", "shop", "trailers")


def samples(language: str) -> list[tuple[Page, Sample]]:
    return [(of, sample) for of in PAGES for sample in of.in_language(language)]


def named(pairs: list[tuple[Page, Sample]]) -> list[str]:
    return [f"{of.name}:{number}" for number, (of, _) in enumerate(pairs)]


PROGRAMS_IN_PYTHON = [
    (of, sample) for of, sample in samples("python") if of.name not in WITH_OWN_TESTS
]
BLOCKS = [(of, sample) for of, sample in samples("sh")]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return a folder with what the samples take for granted, and make it the current one.

    What is imported from there is forgotten afterwards.
    """
    for module in NAMED_MODULES:
        (tmp_path / f"{module}.py").write_text(APPLICATION, "utf-8")
    for name in (".env", "net.pem", "net.key", "clients.pem"):
        (tmp_path / name).touch()
    pair = Authority(tmp_path).issue("server")
    (tmp_path / "cert.pem").write_bytes(pair.certfile.read_bytes())
    (tmp_path / "key.pem").write_bytes(pair.keyfile.read_bytes())
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", sys.path[:])
    yield tmp_path
    for name, imported in list(sys.modules.items()):
        if Path(getattr(imported, "__file__", None) or "/").is_relative_to(tmp_path):
            del sys.modules[name]


def write_samples(of: Page, folder: Path) -> None:
    for sample in of.samples:
        if sample.language in ("python", "toml"):
            suffix = "py" if sample.language == "python" else "toml"
            (folder / f"{sample.file}.{suffix}").write_text(sample.text, "utf-8")


def run(folder: Path, *command: str) -> str:
    done = subprocess.run(
        command,
        cwd=folder,
        env=environment(None),
        capture_output=True,
        text=True,
        check=False,
        timeout=BOUND,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_samples_are_of_known_kinds() -> None:
    assert {sample.language for of in PAGES for sample in of.samples} <= LANGUAGES
    assert len(PROGRAMS_IN_PYTHON) > 8
    assert len(BLOCKS) > 15


@pytest.mark.parametrize(
    ("of", "sample"),
    PROGRAMS_IN_PYTHON,
    ids=[f"{of.name}:{sample.file}" for of, sample in PROGRAMS_IN_PYTHON],
)
def test_python(of: Page, sample: Sample, folder: Path, serve: Serve) -> None:
    write_samples(of, folder)
    if sample.file.startswith("test_"):
        options = ("-p", "no:cacheprovider", "-p", "no:asyncio", "--esg-rows", "pure-asyncio")
        printed = run(folder, sys.executable, "-m", "pytest", *options, f"{sample.file}.py")
        assert re.search(r"\d+ passed", printed)
    elif "esg.run(" in sample.text:
        file = folder / f"{sample.file}.py"
        text, ports = re.subn(r"\bport=\d+", "port=0", sample.text)
        assert ports == 1
        file.write_text(text, "utf-8")
        server = serve(command=(sys.executable, str(file)), cwd=folder, app="", row=None)
        assert server.stop() == 0
    elif re.search(r"^(async def app\(|app = )", sample.text, re.MULTILINE):
        server = serve("--app-dir", str(folder), app=f"{sample.file}:app", cwd=folder)
        with server.connect() as client:
            assert client.get("/").status == 200
    else:
        assert run(folder, sys.executable, "-W", "error", f"{sample.file}.py")


def commands(text: str) -> Iterator[list[str]]:
    """Give the words of every command, without variables in front."""
    for line in text.replace("\\\n", " ").splitlines():
        words = shlex.split(line, comments=True)
        while words and re.fullmatch(r"[A-Z_]+=.*", words[0]):
            words.pop(0)
        if words:
            yield words


@pytest.mark.parametrize(("of", "sample"), BLOCKS, ids=named(BLOCKS))
def test_shell(of: Page, sample: Sample, folder: Path) -> None:
    run(folder, "sh", "-n", "-c", sample.text)
    write_samples(of, folder)
    for program_name, *arguments in commands(sample.text):
        if program_name == "esg":
            check_esg(arguments)
        elif program_name == "make":
            targets = re.findall(
                r"^([a-z-]+):", (REPOSITORY / "Makefile").read_text(), re.MULTILINE
            )
            assert arguments[0] in targets
        elif program_name == "gunicorn":
            run(folder, sys.executable, "-m", "gunicorn", "--check-config", *arguments)
        elif program_name == "python3" and arguments[0] != "-m":
            assert (REPOSITORY / arguments[0]).is_file()
        else:
            assert program_name in PROGRAMS


def check_esg(arguments: list[str]) -> None:
    """See that ESG would start by a command line, its application's import included."""
    with pytest.raises(SystemExit) as ended:
        main([*arguments, "--check-config"], prog_name="esg")
    assert ended.value.code == 0, arguments


@pytest.mark.parametrize(("of", "sample"), samples("toml"), ids=named(samples("toml")))
def test_toml(of: Page, sample: Sample, folder: Path) -> None:
    write_samples(of, folder)
    collect({}, {}, folder / f"{sample.file}.toml").config()


@pytest.mark.parametrize(("of", "sample"), samples("yaml"), ids=named(samples("yaml")))
def test_yaml(of: Page, sample: Sample, folder: Path) -> None:
    read = yaml.safe_load(sample.text)
    if "containers" in read:
        for container in read["containers"]:
            name, *arguments = container["args"]
            assert name == "esg"
            mounted = {"/tls/tls.crt": "cert.pem", "/tls/tls.key": "key.pem"}
            check_esg([mounted.get(argument, argument) for argument in arguments])
    else:
        (folder / "log.yaml").write_text(sample.text, "utf-8")
        esg = (sys.executable, "-m", "esg", "main:app")
        run(folder, *esg, "--log-config", "log.yaml", "--check-config")


def test_dockerfile(tmp_path: Path) -> None:
    ((_, sample),) = samples("dockerfile")
    (line,) = re.findall("^ENV (.*)$", sample.text, re.MULTILINE)
    variables = dict(word.split("=", 1) for word in shlex.split(line))
    assert "ESG_APP" in variables
    nothing = tmp_path / "empty.toml"
    nothing.touch()
    collect({}, variables, nothing).config()


@pytest.mark.parametrize(("of", "sample"), samples("nginx"), ids=named(samples("nginx")))
def test_nginx(of: Page, sample: Sample, folder: Path) -> None:
    upgrade = "map $http_upgrade $connection_upgrade { default upgrade; '' ''; }"
    folders = "".join(
        f"{name}_temp_path {folder}/{name}; "
        for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    text = sample.text
    if text.startswith("location"):
        text = f"http {{ {folders} {upgrade} server {{ listen 127.0.0.1:8080; {text} }} }}"
    text = f"{load_stream()} pid {folder}/pid; error_log stderr; events {{}}\n{text}"
    (folder / "nginx.conf").write_text(text, "utf-8")
    run(folder, program("nginx", "nginx-light"), "-t", "-c", str(folder / "nginx.conf"))


def test_haproxy(folder: Path) -> None:
    (text,) = (of.text for of in page("docs/proxies.md").samples if of.text.startswith("backend"))
    bounds = "defaults\n" + "".join(
        f"    timeout {n} 60s\n" for n in ("connect", "client", "server")
    )
    front = "frontend front\n    mode http\n    bind 127.0.0.1:8080\n    default_backend app\n"
    (folder / "haproxy.cfg").write_text(f"{bounds}\n{front}\n{text}\n", "utf-8")
    run(folder, program("haproxy", "haproxy"), "-c", "-f", str(folder / "haproxy.cfg"))
