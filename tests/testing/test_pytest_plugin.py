"""The plugin in projects of its users: each test is a project, run by a pytest of its own."""

from __future__ import annotations

import subprocess
import sys
import textwrap

import pytest

from esg.testing import available_rows
from tests.testing.projects import run

ROWS = available_rows()
TWO_ROWS = ("--esg-rows", "pure-asyncio,pure-trio")
USES_SERVER = """
import httpx
from site_app import app

def test_it(esg_server):
    server = esg_server(app)
    assert httpx.get(server.url + "/a").text == "/a"
    assert "/a" in server.logs.wait_for("GET")
"""


def test_a_test_runs_once_on_every_row(project: pytest.Pytester) -> None:
    project.makepyfile(USES_SERVER)
    result = run(project, "-v")
    result.assert_outcomes(passed=len(ROWS))
    for row in ROWS:
        result.stdout.fnmatch_lines([f"*::test_it?{row}? PASSED*"])


def test_rows_are_chosen_by_name(project: pytest.Pytester) -> None:
    project.makepyfile(USES_SERVER)
    result = run(project, "-v", "--esg-rows", "pure-asyncio")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["*::test_it?pure-asyncio? PASSED*"])


def test_rows_are_chosen_for_a_project(project: pytest.Pytester) -> None:
    project.makeini("[pytest]\nesg_rows = pure-asyncio\n")
    project.makepyfile(USES_SERVER)
    run(project).assert_outcomes(passed=1)


@pytest.mark.parametrize(
    ("rows", "what"),
    [
        ("pure-asyncio,fast-trio", "there is no row 'fast-trio'; the rows are pure-asyncio, *"),
        ("", "there is no row ''; *"),
    ],
)
def test_a_row_that_is_none(project: pytest.Pytester, rows: str, what: str) -> None:
    project.makepyfile("def test_nothing(): pass")
    result = run(project, "--esg-rows", rows)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: --esg-rows: {what}"])


def test_a_row_that_cannot_run(project: pytest.Pytester) -> None:
    project.makeconftest(
        "import esg.implementation\n"
        "esg.implementation._installed = lambda module: module != 'trio'\n"
    )
    project.makepyfile(USES_SERVER)
    result = run(project, "--esg-rows", "pure-trio")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: --esg-rows: the row pure-trio cannot run: *esg?trio?*"])
    run(project).assert_outcomes(passed=len(ROWS) - 1)


def test_a_marker_leaves_rows_out(project: pytest.Pytester) -> None:
    project.makepyfile(
        """
        import pytest

        @pytest.mark.esg_rows("*-asyncio")
        def test_it(esg_row, esg_rows):
            assert esg_row in esg_rows
            assert all(row.endswith("-asyncio") for row in esg_rows)
        """
    )
    run(project).assert_outcomes(passed=sum(row.endswith("-asyncio") for row in ROWS))


def test_a_marker_that_matches_nothing(project: pytest.Pytester) -> None:
    project.makepyfile(
        """
        import pytest

        @pytest.mark.esg_rows("asyncio")
        def test_it(esg_row):
            pass
        """
    )
    result = run(project)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*test_it: esg_rows: 'asyncio' matches no row; the rows are *"])


def test_all_rows_in_one_test(project: pytest.Pytester) -> None:
    project.makepyfile(
        f"""
        def test_it(esg_rows):
            assert esg_rows == {ROWS!r}
        """
    )
    run(project).assert_outcomes(passed=1)


def test_a_fixture_of_the_users_for_a_whole_module(project: pytest.Pytester) -> None:
    project.makepyfile(
        """
        import httpx, pytest
        from esg.testing import serve

        @pytest.fixture(scope="module")
        def server(esg_row):
            with serve("site_app:app", esg_row) as server:
                yield server

        def test_one(server):
            assert httpx.get(server.url + "/1").text == "/1"

        def test_two(server):
            assert httpx.get(server.url + "/2").text == "/2"
        """
    )
    run(project, *TWO_ROWS).assert_outcomes(passed=4)


ASYNC = """
import httpx, pytest
from site_app import app

{mark}
async def test_it(esg_server):
    server = esg_server(app)
    async with httpx.AsyncClient() as client:
        assert (await client.get(server.url + "/a")).text == "/a"
"""


def test_async_tests_by_anyio(project: pytest.Pytester) -> None:
    project.makepyfile(ASYNC.format(mark="@pytest.mark.anyio"))
    # anyio runs them on asyncio and on trio, whatever the server runs on
    run(project, *TWO_ROWS).assert_outcomes(passed=4)


def test_async_tests_by_pytest_asyncio(project: pytest.Pytester) -> None:
    loop = ("-o", "asyncio_default_fixture_loop_scope=function")
    project.makepyfile(ASYNC.format(mark="@pytest.mark.asyncio"))
    run(project, "-p", "asyncio", *loop, *TWO_ROWS).assert_outcomes(passed=2)


@pytest.mark.exhaustive
def test_by_xdist(project: pytest.Pytester) -> None:
    project.makepyfile(USES_SERVER)
    run(project, "-n", "2", *TWO_ROWS).assert_outcomes(passed=2)


def test_what_a_server_leaves_behind_is_an_error_of_its_test(project: pytest.Pytester) -> None:
    project.makepyfile(
        """
        import anyio, httpx

        async def app(scope, receive, send):
            if scope["type"] != "http":
                raise NotImplementedError
            await send({"type": "http.response.start", "status": 200})
            await send({"type": "http.response.body", "body": b"x"})
            await anyio.sleep_forever()

        def test_it(esg_server):
            server = esg_server(app, stop_timeout=0.2)
            assert httpx.get(server.url + "/leaves").text == "x"

        def test_next():
            pass
        """
    )
    result = run(project, "--esg-rows", "pure-asyncio")
    result.assert_outcomes(passed=2, errors=1)
    result.stdout.fnmatch_lines(
        ["E *NotStopped: the server has not stopped in 0.2 s: still running: GET /leaves*"]
    )


def test_a_violation_is_an_error_of_its_test(project: pytest.Pytester) -> None:
    project.makepyfile(
        """
        import httpx
        from esg.testing import validate

        @validate
        async def app(scope, receive, send):
            if scope["type"] != "http":
                raise NotImplementedError
            await send({"type": "http.response.start", "status": 200, "headers": [("a", "b")]})

        def test_it(esg_server):
            assert httpx.get(esg_server(app).url).status_code == 500
        """
    )
    result = run(project, "--esg-rows", "pure-asyncio")
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["E *'headers' has an item that must be a byte string, got 'a'*"])


def test_what_a_server_logs_is_shown_with_a_failure(project: pytest.Pytester) -> None:
    project.makepyfile(
        """
        import httpx

        async def app(scope, receive, send):
            raise LookupError("nothing there")

        def test_it(esg_server):
            assert httpx.get(esg_server(app).url).status_code == 200
        """
    )
    result = run(project, "--esg-rows", "pure-asyncio")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*Captured log call*", "*LookupError: nothing there"])


def test_those_who_do_not_use_it_do_not_pay_for_it(project: pytest.Pytester) -> None:
    project.makepyfile(
        """
        import sys

        def test_it():
            assert "_esg_pytest_plugin" in sys.modules
            assert not [name for name in sys.modules if name.split(".")[0] == "esg"]
        """
    )
    run(project).assert_outcomes(passed=1)


def test_the_options_are_documented(project: pytest.Pytester) -> None:
    result = run(project, "--help")
    result.stdout.fnmatch_lines(["ESG:", "  --esg-rows=ROWS *", "*  esg_rows (args): *"])
    run(project, "--markers").stdout.fnmatch_lines(["@pytest.mark.esg_rows(?patterns): *"])
    run(project, "--fixtures").stdout.fnmatch_lines(
        ["esg_server -- *_esg_pytest_plugin.py:*", "*serves an application*"]
    )


@pytest.mark.parametrize("module", ["esg.testing", "esg.testing.validator", "esg.testing.rows"])
def test_everything_but_the_plugin_works_without_pytest(module: str) -> None:
    program = f"import sys; sys.modules['pytest'] = None; import {module}"
    subprocess.run([sys.executable, "-W", "error", "-c", textwrap.dedent(program)], check=True)
