"""The command line: help and usage, and every way in which a start can fail."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path

import pytest

import esg
from esg.cli import main
from esg.config import Config
from esg.options import flag_name, option_of
from tests.conftest import STAGE, Serve
from tests.server import ESG, EXIT_BOUND, REPOSITORY, environment, run_esg

HELLO = "examples.hello:app"
SETTINGS = [f for f in fields(Config) if option_of(f)]
WriteModule = Callable[[str, str], Path]


def run_here(*arguments: str) -> int:
    """Run the command in this process; return its exit code."""
    with pytest.raises(SystemExit) as ended:
        main(arguments, prog_name="esg")
    code = ended.value.code
    assert isinstance(code, int) or code is None
    return code or 0


@pytest.fixture
def help_text(capsys: pytest.CaptureFixture[str]) -> str:
    """Return what `esg --help` prints, as one line."""
    assert run_here("--help") == 0
    return " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
def test_help_has_every_setting(setting: object, help_text: str) -> None:
    found = next(f for f in SETTINGS if f is setting)
    option = option_of(found)
    assert option
    assert re.search(rf"(?<!-){flag_name(found.name)}\b", help_text)
    assert option.help in help_text
    assert option.group in help_text


def test_help_tells_defaults(help_text: str) -> None:
    assert "Port to bind; 0 takes a free one and prints it. [default: 8000]" in help_text
    assert "Between two requests. [default: 5]" in help_text


@pytest.mark.parametrize(
    ("given", "value"),
    [
        (["--ws-per-message-deflate"], "true"),
        (["--ws-per-message-deflate", "True"], "true"),
        (["--ws-per-message-deflate=1"], "true"),
        (["--ws-per-message-deflate", "false"], "false"),
        (["--ws-per-message-deflate=no"], "false"),
        (["--no-ws-per-message-deflate"], "false"),
    ],
)
def test_switch_with_a_value(
    given: list[str], value: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_here("--print-config", *given, HELLO) == 0
    assert re.search(rf"(?m)^ws_per_message_deflate += {value} ", capsys.readouterr().out)


def test_switch_with_a_value_that_is_none(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_here("--ws-per-message-deflate=maybe", HELLO) == 2
    assert "--ws-per-message-deflate" in capsys.readouterr().err


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_here("--version") == 0
    first = capsys.readouterr().out.splitlines()[0]
    python = ".".join(map(str, sys.version_info[:3]))
    runs = rf"(pure|fast) on \w+, \w+ {re.escape(python)}, (h11|llhttp) [\d.]+"
    assert re.match(rf"ESG {re.escape(esg.__version__)} \({runs}; ", first)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "APP"),
        (["no_colon"], "app must look like 'module:attribute', got 'no_colon'"),
        ([HELLO, "another:app"], "another:app"),
        ([HELLO, "--no-such-option"], "--no-such-option"),
        ([HELLO, "--prot", "1"], "--port"),
        ([HELLO, "--port"], "--port"),
        ([HELLO, "--port", "many"], "many"),
        ([HELLO, "--port", "65536"], "port (--port): must be at most 65535, got 65536"),
        ([HELLO, "--port", "-1"], "port (--port): must be at least 0, got -1"),
        ([HELLO, "--loop", "gevent"], "gevent"),
        ([HELLO, "--impl", "slow"], "slow"),
        ([HELLO, "--lifespan", "maybe"], "maybe"),
        ([HELLO, "--timeout-body", "-1"], "timeout_body (--timeout-body): must be at least 0"),
        ([HELLO, "--timeout-write", "nan"], "timeout_write (--timeout-write): must be a number"),
        ([HELLO, "--limit-head-size", "1"], "limit_head_size (--limit-head-size)"),
        ([HELLO, "--header", "no-colon"], "header (--header): must look like NAME:VALUE"),
        ([HELLO, "--header", "a b: c"], "header (--header): must be a lawful header"),
        ([HELLO, "--root-path", "api"], "root_path (--root-path): must be empty or begin with /"),
        ([HELLO, "--log-level", "loud"], "loud"),
        ([HELLO, "--uds", "/x", "--fd", "3"], "uds (--uds) and fd (--fd) contradict each other"),
        ([HELLO, "--impl", "fast", "--loop", "trio"], "contradict each other"),
        ([HELLO, "--config", "no-such.toml"], "cannot read no-such.toml: No such file"),
        ([HELLO, "--access-log-format", "apache"], "access_log_format (--access-log-format): must"),
        ([HELLO, "--http", "zttp"], "--http: must be one of auto, h11, httptools, got 'zttp'"),
        ([HELLO, "--http", "h11", "--impl", "fast"], "contradict each other"),
        ([HELLO, "--http2"], "--http2: ESG speaks HTTP/1.1"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_bad_usage_is_one_line(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_here(*arguments) == 2
    output = capsys.readouterr()
    assert output.out == ""
    assert len(output.err.splitlines()) == 1
    assert output.err.startswith("esg: ")
    assert said in output.err
    assert "esg --help" in output.err


def test_every_wrong_value_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_here(HELLO, "--port", "x", "--loop", "y") == 2
    first, second = capsys.readouterr().err.splitlines()
    assert first == "esg: port (--port): must be a whole number, got 'x'"
    assert second.startswith("esg: loop (--loop): must be one of auto, asyncio, uvloop, trio, got")


def test_settings_of_the_environment_and_of_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "esg.toml").write_text("port = 81\nbacklog = 7\n", "utf-8")
    monkeypatch.setenv("ESG_CONFIG", str(tmp_path / "esg.toml"))
    monkeypatch.setenv("ESG_PORT", "82")
    monkeypatch.setenv("ESG_APP", HELLO)
    assert run_here("--print-config", "--no-access-log") == 0
    shown = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert f'app = "{HELLO}" # $ESG_APP' in shown
    assert "port = 82 # $ESG_PORT" in shown
    assert f"backlog = 7 # {tmp_path / 'esg.toml'}" in shown
    assert "access_log = false # --access-log" in shown
    assert "timeout_body = 60 # default" in shown


@pytest.mark.parametrize(
    ("arguments", "value"),
    [
        (["--cancel-on-disconnect", HELLO], "3"),
        ([HELLO, "--cancel-on-disconnect"], "3"),
        (["--cancel-on-disconnect", "0.5", HELLO], "0.5"),
        (["--cancel-on-disconnect=7", HELLO], "7"),
    ],
)
def test_an_option_that_can_stand_alone(
    arguments: list[str], value: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_here(*arguments, "--print-config") == 0
    shown = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert f"cancel_on_disconnect = {value} # --cancel-on-disconnect" in shown
    assert f'app = "{HELLO}" # APP' in shown


def test_check_config(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_here(HELLO, "--check-config") == 0
    assert capsys.readouterr().err == "esg: the configuration is good\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nowhere:app"], ["module 'nowhere' not found (app 'nowhere')"]),
        ([HELLO, "--env-file", "no-such.env"], ["cannot read env_file no-such.env: No such file"]),
        ([HELLO, "--log-config", "no-such.ini"], ["cannot read log_config no-such.ini: No such"]),
        ([HELLO, "--port", "x", "--fd", "y"], ["port (--port)", "fd (--fd)"]),
        ([HELLO, "--impl", "fast", "--loop", "trio"], ["contradict each other"]),
        ([], ["missing APP"]),
        (["nowhere:app", "--port", "x"], ["port (--port)", "module 'nowhere' not found"]),
        (["nowhere:app", "--port", "x", "--impl", "fast", "--loop", "trio"], ["port", "impl"]),
    ],
)
def test_check_config_tells_everything(
    arguments: list[str], said: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_here(*arguments, "--check-config") == 3
    output = capsys.readouterr()
    assert output.out == ""
    lines = output.err.splitlines()
    assert len(lines) == len(said)
    for line, wanted in zip(sorted(lines, reverse=True), said, strict=True):
        assert wanted in line


def test_check_that_is_interrupted(
    write_module: WriteModule, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_module("interrupted", "raise KeyboardInterrupt\n")
    assert run_here("interrupted:app", "--app-dir", str(folder), "--check-config") == 130
    assert not capsys.readouterr().err.strip()


@pytest.mark.parametrize(
    ("given", "notice"),
    [
        (("--http", "h11"), "--http h11 is taken as --impl pure"),
        (("--h11-max-incomplete-event-size", "4096"), "is taken as --limit-head-size 4096"),
    ],
)
def test_options_of_uvicorn(given: tuple[str, ...], notice: str, serve: Serve) -> None:
    server = serve(*given, "--reset-contextvars", row=None)
    assert server.stderr.matching(notice)


def test_bad_usage_of_the_command() -> None:
    """The same from a shell's point of view."""
    done = run_esg(HELLO, "--port", "65536")
    assert done.returncode == 2
    assert done.stderr.splitlines() == [
        "esg: port (--port): must be at most 65535, got 65536 (see esg --help)"
    ]


def run_on_a_full_disk(stream: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `esg` with one of its standard streams on a device that takes nothing."""
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        return subprocess.run(
            [*ESG, *arguments],
            stdout=full if stream == "stdout" else subprocess.PIPE,
            stderr=full if stream == "stderr" else subprocess.PIPE,
            text=True,
            timeout=EXIT_BOUND,
            check=False,
            env=environment(),
            cwd=REPOSITORY,
        )


needs_full_device = pytest.mark.skipif(sys.platform != "linux", reason="/dev/full is Linux's")


@needs_full_device
@pytest.mark.parametrize(
    ("arguments", "code"),
    [((HELLO, "--port", "65536"), 2), (("nowhere:app",), 3), ((HELLO, "--check-config"), 0)],
    ids=["usage", "start-up", "good"],
)
def test_exit_code_where_standard_error_takes_nothing(
    arguments: tuple[str, ...], code: int
) -> None:
    assert run_on_a_full_disk("stderr", *arguments).returncode == code


@needs_full_device
@pytest.mark.parametrize(
    "arguments", [("--help",), ("--version",), (HELLO, "--print-config")], ids=lambda a: a[-1]
)
def test_standard_output_that_takes_nothing(arguments: tuple[str, ...]) -> None:
    done = run_on_a_full_disk("stdout", *arguments)
    assert done.returncode == 1
    assert done.stderr == "esg: cannot write: No space left on device\n"


def failure(*arguments: str, cwd: Path | None = None) -> str:
    """Run `esg` with what cannot start; return what it wrote to standard error."""
    done = run_esg("--port", "0", *arguments, cwd=cwd or Path.cwd())
    assert done.returncode == 3, done.stderr
    assert done.stdout == ""
    return done.stderr


def test_module_missing() -> None:
    assert failure("nowhere:app") == "esg: module 'nowhere' not found (app 'nowhere')\n"


def test_attribute_missing() -> None:
    said = failure("examples.hello:application")
    assert said == "esg: module 'examples.hello' has no attribute 'application' (it has app)\n"


def test_not_callable() -> None:
    said = failure("examples.hello:BODY")
    assert said == "esg: 'examples.hello:BODY' is not callable: it is a bytes, not an application\n"


def test_own_module_that_raises(write_module: WriteModule) -> None:
    folder = write_module("broken", "def make():\n    raise ValueError('mine')\n\nmake()\n")
    said = failure("broken:app", cwd=folder)
    first, *traceback = said.splitlines()
    assert first == "esg: importing 'broken' failed: ValueError: mine"
    frames = [line for line in traceback if line.startswith("  File ")]
    assert [line.rpartition(", ")[2] for line in frames] == ["in <module>", "in make"]
    assert all("broken.py" in line for line in frames)


def test_lifespan_failure() -> None:
    said = failure("tests.apps.lifespans:failed")
    assert said == "esg: application start-up failed: the database is away\n"


def test_lifespan_required() -> None:
    said = failure("--lifespan", "on", "tests.apps.lifespans:unsupported")
    assert "NotImplementedError: lifespan" in said
    assert said.splitlines()[-1] == "esg: application start-up failed"


def test_lifespan_that_breaks() -> None:
    said = failure("--lifespan", "on", "tests.apps.lifespans:broken")
    assert "ValueError: start-up is broken" in said
    assert said.splitlines()[-1] == "esg: application start-up failed"


def test_port_in_use() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = failure("--port", str(port), HELLO)
    assert said == f"esg: cannot bind 127.0.0.1:{port}: Address already in use\n"


def test_host_unknown() -> None:
    assert failure("--host", "host.invalid", HELLO).startswith("esg: cannot bind host.invalid: ")


def test_descriptor_that_is_none() -> None:
    assert failure("--fd", "99", HELLO) == "esg: cannot serve descriptor 99: Bad file descriptor\n"


def test_descriptor_that_is_no_socket() -> None:
    said = failure("--fd", "0", HELLO)
    assert said.startswith("esg: cannot serve descriptor 0: ")
    assert len(said.splitlines()) == 1


def inherited_failure(inherited: socket.socket) -> str:
    """Run `esg` with a descriptor that cannot listen; return the reason that it gives."""
    number = inherited.fileno()
    done = run_esg("--fd", str(number), HELLO, pass_fds=[number])
    assert done.returncode == 3, done.stderr
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"esg: cannot serve descriptor {number}: ")
    return line.partition(f"{number}: ")[2]


def test_descriptor_of_an_unbound_socket() -> None:
    """To listen on it would serve the world, at a port of chance."""
    with socket.socket() as unbound:
        assert inherited_failure(unbound) == "it is not bound to an address"


def test_descriptor_of_a_connection() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        assert inherited_failure(ours) == "it is a connection, not a listener"


@pytest.mark.skipif(sys.platform != "linux", reason="abstract names are Linux's")
def test_abstract_unix_socket_is_shown_as_users_write_it(serve: Serve) -> None:
    name = f"esg-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"\0{name}")
        server = serve("--fd", str(listener.fileno()), pass_fds=[listener.fileno()])
    assert server.stderr.matching(f"listening on unix:@{name}$")


def test_unix_path_that_cannot_be(tmp_path: Path) -> None:
    path = tmp_path / "missing" / "socket"
    said = failure("--uds", str(path), HELLO)
    assert said == f"esg: cannot bind unix:{path}: No such file or directory\n"


def test_unix_path_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("precious")
    said = failure("--uds", str(path), HELLO)
    assert said == f"esg: cannot bind unix:{path}: a file that is no socket is there\n"
    assert path.read_text() == "precious"


def test_unix_path_of_a_live_server(serve: Serve, tmp_path: Path) -> None:
    path = tmp_path / "socket"
    server = serve("--uds", str(path))
    said = failure("--uds", str(path), HELLO)
    assert said == f"esg: cannot bind unix:{path}: Address already in use\n"
    with server.connect() as client:
        assert client.get("/").status == 200


@pytest.mark.skipif(
    importlib.util.find_spec("esg.accel.server") is not None
    if importlib.util.find_spec("esg.accel")
    else False,
    reason="the fast implementation is built",
)
def test_fast_not_built() -> None:
    said = failure("--impl", "fast", HELLO)
    assert said == "esg: --impl fast: the fast implementation is not built\n"


def test_unix_socket_comes_and_goes(serve: Serve, tmp_path: Path) -> None:
    path = tmp_path / "socket"
    with socket.socket(socket.AF_UNIX) as dead:  # its file stays when it closes
        dead.bind(str(path))
    assert path.is_socket()
    server = serve("--uds", str(path))
    with server.connect() as client:
        assert '"server": "(\'' + str(path) + "', None)\"" in client.get("/scope").text
    server.stdout.wait_for('INFO:     unix - "GET /scope HTTP/1.1" 200')
    assert server.stop() == 0
    assert not path.exists()


def test_inherited_listener_survives_the_server(serve: Serve) -> None:
    """Its other owner may go on with it: nothing is shut down."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        number = listener.fileno()
        for _ in range(2):
            server = serve("--fd", str(number), pass_fds=[number])
            with server.connect() as client:
                assert client.get("/").status == 200
            assert server.stop() == 0


def test_inherited_unix_listener_keeps_its_file(serve: Serve, tmp_path: Path) -> None:
    path = str(tmp_path / "socket")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen()
        server = serve("--fd", str(listener.fileno()), pass_fds=[listener.fileno()])
        with server.connect() as client:
            assert client.get("/").status == 200
        assert server.stop() == 0
        assert Path(path).is_socket()


@pytest.mark.parametrize("literal", ["::1", "[::1]"])
def test_ipv6_literal(serve: Serve, literal: str) -> None:
    server = serve("--host", literal)
    assert server.stderr.matching(rf"listening on http://\[::1\]:{server.port}$")
    with server.connect() as client:
        assert client.get("/").status == 200
    server.stdout.wait_for(r"INFO:     \[::1\]:\d+ - ")


def test_host_name_binds_all_its_addresses(serve: Serve) -> None:
    server = serve("--host", "localhost")
    found = {str(a[4][0]) for a in socket.getaddrinfo("localhost", 0, type=socket.SOCK_STREAM)}
    assert len(server.stderr.matching("listening on")) == len(found)
    for host in found:
        with socket.create_connection((host, server.port)):
            pass


def test_console_script(serve: Serve) -> None:
    script = shutil.which("esg", path=str(Path(sys.executable).parent))
    assert script, "the package is not installed"
    server = serve(command=[script], app=STAGE)
    with server.connect() as client:
        assert client.get("/").status == 200


def test_app_is_found_in_the_current_directory(serve: Serve, write_module: WriteModule) -> None:
    """As installed, too, where the script's own folder comes first in the path."""
    script = str(Path(sys.executable).parent / "esg")
    folder = write_module("placed_here", "from tests.apps.stage import app\n")
    server = serve(command=[script], app="placed_here:app", cwd=folder)
    with server.connect() as client:
        assert client.get("/").status == 200


def test_warnings_of_none(serve: Serve) -> None:
    """The server runs without a word where warnings are errors and asyncio is in debug mode."""
    server = serve(env={"PYTHONASYNCIODEBUG": "1", "PYTHONDEVMODE": "1"})
    with server.connect() as client:
        assert client.get("/").status == 200
    assert server.stop() == 0
    assert not [line for line in server.stderr() if not line.startswith("INFO: ")]
    assert os.environ.get("PYTHONDEVMODE") is None


PASS_DOWN = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1", LISTEN_FDNAMES="web")
os.execv(sys.argv[2], sys.argv[2:])
"""


def test_sockets_that_systemd_has_opened(serve: Serve) -> None:
    """A socket that is passed down as systemd does, to the process that it names."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        number = listener.fileno()
        command = (sys.executable, "-c", PASS_DOWN, str(number), *ESG)
        server = serve("--bind", "systemd:web", command=command, pass_fds=[number])
        assert server.port == listener.getsockname()[1]
        with server.connect() as client:
            assert client.get("/").status == 200


def test_no_sockets_of_systemd() -> None:
    said = failure_of_bind("systemd")
    assert said == "esg: cannot bind systemd: no sockets were passed to this process\n"


def failure_of_bind(address: str) -> str:
    done = run_esg("--bind", address, HELLO)
    assert done.returncode == 3
    return done.stderr
