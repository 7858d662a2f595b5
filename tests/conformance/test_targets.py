"""The suite as others run it: on a server that is wrong on purpose, by its command line."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.conformance import matrix
from tests.conformance.cases import ALL_CASES
from tests.conformance.conftest import sample
from tests.conformance.model import Level
from tests.conformance.peers import PEERS
from tests.conformance.process import ServerProcess
from tests.conformance.runner import Observation
from tests.conformance.side_channel import SideChannel
from tests.conformance.suite import Outcome, Result, Suite
from tests.conformance.targets import REPOSITORY, WHOLE, foreign_target, target_named
from tests.conformance.verdict import violations as judged

WRONG = f"{sys.executable} -m tests.apps.wrong_server {{app}} {{port}}"
SOUND = "request_syntax/method-get"
SMUGGLED = "message_framing/both-length-then-coding"
LENIENT = "request_syntax/bare-lf-everywhere"
SILENT = "request_syntax/method-put"
DEADLY = "request_syntax/method-delete"
ECHOED = "asgi_receive/content"
UPGRADED = "websocket_session/send-text"
BOUND = 250.0  # seconds


def pytest_on(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the suite in a process of its own."""
    command = [sys.executable, "-m", "pytest", "tests/conformance/test_conformance.py", "-q"]
    return subprocess.run(
        [*command, "-p", "no:cacheprovider", *arguments],
        cwd=REPOSITORY,
        env={**os.environ, "COLUMNS": "100"},
        capture_output=True,
        text=True,
        check=False,
        timeout=BOUND,
    )


@pytest.fixture(scope="module")
def wrong(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, list[dict[str, Any]]]:
    """Return what pytest says of the wrong server, and the runs that the JSON file tells."""
    path = tmp_path_factory.mktemp("wrong") / "results.json"
    chosen = " or ".join(
        f"{name}[" for name in (SOUND, SMUGGLED, LENIENT, SILENT, DEADLY, UPGRADED)
    )
    done = pytest_on(
        *("--target-command", WRONG, "--patience", "3", "--json", str(path), "-k", chosen)
    )
    assert done.returncode == 1, done.stdout + done.stderr
    told = json.loads(path.read_text("utf-8"))
    assert told["schema"] == 1
    runs: list[dict[str, Any]] = told["runs"]
    return done.stdout, runs


def results(runs: list[dict[str, Any]], case: str) -> dict[str, str]:
    """Return the results of one case by mode."""
    return {run["mode"]: run["result"] for run in runs if run["case"] == case}


def test_a_wrong_server_is_caught(wrong: tuple[str, list[dict[str, Any]]]) -> None:
    _, runs = wrong
    assert results(runs, SOUND) == {"whole": "passed", "split": "passed"}
    assert results(runs, SMUGGLED) == {"whole": "failed", "split": "failed"}


def test_a_case_that_ends_the_server_fails_no_other(
    wrong: tuple[str, list[dict[str, Any]]],
) -> None:
    _, runs = wrong
    assert results(runs, DEADLY) == {"whole": "failed", "split": "failed"}
    (deadly,) = [run for run in runs if run["case"] == DEADLY and run["mode"] == "whole"]
    assert any("has died with 0" in problem for problem in deadly["problems"])
    assert results(runs, SOUND) == {"whole": "passed", "split": "passed"}


def test_a_server_that_says_nothing_takes_bounded_time(
    wrong: tuple[str, list[dict[str, Any]]],
) -> None:
    _, runs = wrong
    (silent,) = [run for run in runs if run["case"] == SILENT and run["mode"] == "whole"]
    assert any("waited 3 s" in problem for problem in silent["problems"])


def test_another_choice_is_no_failure(wrong: tuple[str, list[dict[str, Any]]]) -> None:
    said, runs = wrong
    assert results(runs, LENIENT) == {"whole": "differs", "split": "differs"}
    assert LENIENT not in said


def test_a_server_is_not_asked_for_a_protocol_that_it_does_not_offer(
    wrong: tuple[str, list[dict[str, Any]]],
) -> None:
    runs = [run for run in wrong[1] if run["case"] == UPGRADED]
    assert {run["result"] for run in runs} == {"inapplicable"}
    assert {run["because"] for run in runs} == {"the server does not offer WebSocket"}


def by_case(runs: Iterable[Outcome]) -> dict[str, Result]:
    """Return what the runs have come to."""
    return {outcome.seen.case.id: outcome.result for outcome in runs}


def test_a_server_that_names_no_clients_is_judged_call_by_call() -> None:
    chosen = [case for case in ALL_CASES if case.id in (SOUND, SMUGGLED, ECHOED)]
    target = replace(foreign_target(f"{WRONG} anonymous"), patience=3.0)
    with contextlib.closing(Suite()) as suite:
        suite.outcome(target, chosen[0], WHOLE, chosen)
        assert by_case(suite.outcomes()) == {
            SOUND: Result.PASSED,
            ECHOED: Result.PASSED,
            SMUGGLED: Result.FAILED,
        }


def test_a_fault_of_the_suite_fails_its_case_and_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = [case for case in ALL_CASES if case.id in (SOUND, LENIENT)]

    def violations(seen: Observation, exact: bool) -> list[str]:
        if seen.case.id == LENIENT:
            raise ValueError("never thought of that")
        return judged(seen, exact)

    monkeypatch.setattr("tests.conformance.suite.violations", violations)
    with contextlib.closing(Suite()) as suite:
        suite.outcome(foreign_target(WRONG), chosen[0], WHOLE, chosen)
        assert by_case(suite.outcomes()) == {SOUND: Result.PASSED, LENIENT: Result.FAILED}
        (broken,) = suite.outcomes_of(next(c for c in chosen if c.id == LENIENT), WHOLE)
        assert "the suite itself has failed" in broken.report()
        assert "ValueError: never thought of that" in broken.report()


def test_what_ends_with_the_server_may_have_ended_by_it() -> None:
    process = ServerProcess(foreign_target(WRONG), SideChannel(), "token")
    assert not process.was_ending(100.0)
    process.ended = 100.0
    assert process.was_ending(99.5)
    assert process.was_ending(100.5)
    assert not process.was_ending(90.0)
    asyncio.run(process.stop())


def test_a_failure_is_told_in_words_octets_and_messages(
    wrong: tuple[str, list[dict[str, Any]]],
) -> None:
    said, runs = wrong
    (failed,) = [run for run in runs if run["case"] == SMUGGLED and run["mode"] == "whole"]
    assert failed["level"] == "MUST"
    for part in (
        failed["says"],
        failed["clause"],
        "Transfer-Encoding: chunked\\r\\n",
        "HTTP/1.1 200 OK\\r\\n",
        "send http.response.start",
        failed["reproduce"],
    ):
        assert part in said


def test_the_command_of_a_report_runs_the_case_alone(
    wrong: tuple[str, list[dict[str, Any]]],
) -> None:
    _, runs = wrong
    (failed,) = [run for run in runs if run["case"] == SMUGGLED and run["mode"] == "whole"]
    done = subprocess.run(
        failed["reproduce"].replace("pytest", f"{sys.executable} -m pytest -p no:cacheprovider"),
        cwd=REPOSITORY,
        shell=True,
        capture_output=True,
        text=True,
        check=False,
        timeout=BOUND,
    )
    assert "1 failed" in done.stdout, done.stdout + done.stderr
    assert "passed" not in done.stdout


def test_every_field_of_the_results_is_documented(wrong: tuple[str, list[dict[str, Any]]]) -> None:
    documented = (REPOSITORY / "docs" / "running-conformance.md").read_text("utf-8")
    failed = next(run for run in wrong[1] if run["result"] == "failed" and run["calls"])
    connection, call = failed["connections"][0], failed["calls"][0]
    for name in (*failed, *connection, *connection["sent"], *call, *Result):
        assert f"`{getattr(name, 'value', name)}`" in documented, name


@pytest.mark.parametrize("template", ["server {app}", "server {port}"])
def test_a_command_without_a_place_is_refused(template: str) -> None:
    with pytest.raises(pytest.UsageError, match="has no"):
        foreign_target(template)


def test_an_unknown_target_is_refused() -> None:
    with pytest.raises(pytest.UsageError, match="uvicorn-h11"):
        target_named("uvicorn-h12")


def test_peers_are_targets_held_to_the_specifications_alone() -> None:
    for peer in PEERS:
        target = target_named(peer.id)
        assert not target.exact
        assert target.patience < 60  # The keep-alive timeout that the commands ask for.


def test_the_suite_is_as_large_as_it_says() -> None:
    grammar = {"request_syntax", "request_fields", "message_framing", "persistence"}
    assert len(ALL_CASES) >= 400
    assert sum(case.group in grammar for case in ALL_CASES) >= 200
    assert sample() < {case.id for case in ALL_CASES}


def run(case: str, level: Level, result: str, mode: str = "whole") -> matrix.Run:
    """Write one run as the JSON document tells it."""
    told = {"sent": {"size": 5, "latin1": "G\r\n\r\n"}, "received": {"size": 0, "latin1": ""}}
    return {
        "case": case,
        "group": case.partition("/")[0],
        "level": level.value,
        "result": result,
        "mode": mode,
        "clause": "RFC 9112 section 2.2",
        "says": "a case",
        "problems": ["status `200`, expected 400"],
        "connections": [{"name": "a", "ended": "FIN", **told}],
        "calls": [{"on": "a", "trace": ["receive http.request"]}],
        "reproduce": "pytest here",
    }


def test_the_matrix_counts_cases_and_not_runs() -> None:
    runs = [
        run("request_syntax/a", Level.MUST, "passed"),
        run("request_syntax/a", Level.MUST, "failed", "split"),
        run("request_syntax/b", Level.MUST, "passed"),
        run("lifespan/c", Level.CHOICE, "differs"),
    ]
    left = ({**run("lifespan/d", Level.MUST, "inapplicable"), "because": "no lifespan"},)
    server = matrix.Server("other", "other 1.0", "other {app}", matrix.verdicts(runs), left)
    assert server.score(Level.MUST) == "1/2"
    assert server.score(Level.CHOICE, "lifespan") == "0/1"
    assert server.score(Level.SHOULD) == ""
    overview = matrix.overview([server])
    assert "| [other](conformance/other.md) | other 1.0 | 1/2 |  | 0/1 |" in overview
    assert "| request_syntax | 1/2 |" in overview
    page = matrix.page(server)
    assert "- not asked (no lifespan): 1" in page
    assert "### request_syntax/a" in page
    assert "Failed split" in page
    assert "G\\r\\n" in page
    assert "`lifespan/c`" in page.partition("## Other choices")[2]
    assert "lifespan/c" not in page.partition("## Other choices")[0]


def test_the_matrix_names_no_path_of_this_machine(tmp_path: Path) -> None:
    server = matrix.Server("fast", "ESG", "{python} -m esg {app}", ())
    assert str(REPOSITORY) not in matrix.overview([server])
