"""The command: its arguments, its choice, and a small measurement of a real server."""

import os
from pathlib import Path

import pytest
import report as reports
import run
from measure import takes_part
from scenarios import ALL_SCENARIOS
from servers import SERVERS

TWO_CORES = len(os.sched_getaffinity(0)) >= 2 if hasattr(os, "sched_getaffinity") else False


def test_patterns_choose_names() -> None:
    assert run.chosen_names("esg-*, floor", ["floor", "esg-a", "b"]) == {"floor", "esg-a"}


def test_unknown_name_ends_it() -> None:
    with pytest.raises(SystemExit, match="nothing is called 'nginy'; there are: floor"):
        run.chosen_names("nginy", ["floor"])


@pytest.mark.parametrize("words", [["--rounds", "0"], ["--duration", "x"], ["--warmup", "-1"]])
def test_numbers_have_bounds(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        run.parse_arguments(words)
    assert ended.value.code == 2
    assert words[0] in capsys.readouterr().err


def test_variants_take_part_in_few_loads_but_in_all_if_they_are_named() -> None:
    few = run.choose(run.parse_arguments([]))
    named = run.choose(run.parse_arguments(["--servers", "esg-pure-trio"]))
    counts = [
        sum(takes_part(server, load) for load in loads)
        for servers, loads in (few, named)
        for server in servers
        if server.name == "esg-pure-trio"
    ]
    assert counts[0] < 8
    assert counts[1] == len(ALL_SCENARIOS)


def test_quick_takes_less_than_five_minutes() -> None:
    options = run.parse_arguments(["--quick", "--rounds", "3", "--duration", "1"])
    servers, loads = run.choose(options)
    cells = run.cells_of(servers, loads)
    # Installing and compiling the first time takes two minutes more.
    assert cells * 3 * (1 + 1 + run.OVERHEAD) < 150
    assert len(servers) < len(SERVERS)


def test_list_names_all(capsys: pytest.CaptureFixture[str]) -> None:
    assert run.main(["--list", "--scenarios", "hello,unix", "--servers", "floor,esg-*"]) == 0
    output = capsys.readouterr().out
    assert "hello, unix" in output
    assert "esg-pure-trio" in output


def test_nothing_to_resume(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="no result to go on with"):
        run.resumed(tmp_path)


def test_newest_result_is_resumed(tmp_path: Path) -> None:
    for name in ("2026-01-02.json", "2026-01-03.json", "2026-01-03.md"):
        (tmp_path / name).touch()
    assert run.resumed(tmp_path) == tmp_path / "2026-01-03.json"


@pytest.mark.skipif(not TWO_CORES, reason="server and load need a core each")
def test_real_server_is_measured_and_a_run_is_resumed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "run.json"
    chosen = ["--servers", "esg-pure-asyncio", "--scenarios", "hello,ws-idle", "--here"]
    cores = sorted(os.sched_getaffinity(0))
    place = ["--server-core", str(cores[0]), "--load-core", str(cores[1])]
    bounds = ["--rounds", "1", "--duration", "1", "--warmup", "0"]
    assert run.main([*chosen, *place, *bounds, "--output", str(path)]) == 0
    assert "## hello, 13 bytes (64 connections)" in capsys.readouterr().out
    result = reports.read(path)
    hello = result.median("esg-pure-asyncio", "hello", "requests")
    idle = result.median("esg-pure-asyncio", "ws-idle", "each")
    assert hello is not None
    assert idle is not None
    assert hello > 10
    assert 1 < idle < 1000
    assert (tmp_path / "run" / "hello.svg").exists()

    result.cells = [cell for cell in result.cells if cell.scenario == "hello"]
    kept = result.cells[0].samples
    result.store(path)
    assert run.main([*chosen, "--resume", str(path)]) == 0
    resumed = reports.read(path)
    assert resumed.cells[0].samples == kept
    assert resumed.median("esg-pure-asyncio", "ws-idle", "each") is not None
