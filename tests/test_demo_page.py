"""The demo page in a browser: its panels work, on every row."""

from __future__ import annotations

import shutil
import signal
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.browser import PROGRAMS, Browser, Tab, find_browser
from tests.conftest import Serve, require
from tests.rows import ROWS, Row, in_ci
from tests.server import REPOSITORY, ServerProcess

APP = "examples.demo:app"
# What a run has seen; the README's picture is one of them, in 64 colours.
PICTURES = REPOSITORY / ".cache" / "pictures"
MEBIBYTE = 2**20
ECHO, CHAT = "#echo .state", "#chat .state"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Return a browser; where there is none, fail in CI and skip elsewhere."""
    program = find_browser()
    if program is None and in_ci():
        pytest.fail(f"no browser here, none of {', '.join(PROGRAMS)}")
    if program is None:
        pytest.skip("no Chromium here: apt-get install chromium")
    with Browser(program) as started:
        yield started


@pytest.fixture(scope="module")
def server(serve_module: Serve, row: Row) -> ServerProcess:
    """Return the demo on every row."""
    return serve_module("--no-access-log", row=row, app=APP)


@pytest.fixture
def tab(browser: Browser, server: ServerProcess) -> Iterator[Tab]:
    """Return a tab with the page; at the end nothing was wrong with it."""
    opened = browser.open(f"{server.url}/")
    yield opened
    assert opened.complaints() == []
    opened.close()


@pytest.fixture(
    params=[pytest.param(ROWS[0], marks=pytest.mark.exhaustive), ROWS[-1]], ids=lambda row: row.id
)
def restarted_row(request: pytest.FixtureRequest) -> Row:
    """Return a row of each implementation, for what takes seconds."""
    return require(request.param)


def keep(tab: Tab, row: Row, name: str) -> None:
    """Keep a picture of a tab for whoever looks at the run."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    (PICTURES / f"{row.id}-{name}.png").write_bytes(tab.screenshot())


def open_events(tab: Tab) -> None:
    """Open the stream of events, and see some come."""
    tab.click("#events [data-action=start]")
    wait_for_events(tab, 2)


def wait_for_events(tab: Tab, count: int) -> None:
    figure = "document.querySelector('#events [data-figure=events]').innerText"
    tab.wait_for(f"Number({figure}) >= {count}")


def wait_for_reconnect(tab: Tab) -> None:
    """Wait until the stream has come back by itself, and goes on."""
    tab.wait_for("Number(document.querySelector('#events [data-figure=reconnects]').innerText) > 0")
    tab.wait_for_text("#events .state", "live")
    seen = int(tab.text("#events [data-figure=events]"))
    wait_for_events(tab, seen + 2)


def test_page_says_what_serves_it(tab: Tab, row: Row) -> None:
    tab.wait_for_text("#server-line", "This page is served by ESG")
    assert f" on {row.loop}" in tab.text("#server-line")
    tab.wait_for_text("#request .state", "GET answered")


def test_stream_arrives_word_by_word(tab: Tab) -> None:
    tab.evaluate("document.querySelector('#stream select').value = '0'")
    tab.click("#stream [data-action=start]")
    tab.wait_for_text("#stream .state", "complete")
    assert tab.text("#stream .transcript").endswith("hears of it at once.")


def test_upload_shows_its_progress_and_is_hashed_on_both_sides(tab: Tab) -> None:
    tab.upload_no_faster_than(48 * MEBIBYTE)
    tab.evaluate(
        """(() => {
            const bar = document.querySelector("#upload progress");
            window.shares = [];
            const look = () => window.shares.push(bar.value);
            new MutationObserver(look).observe(bar, { attributes: true });
        })()"""
    )
    tab.click("#upload [data-action=generate]")
    tab.wait_for_text("#upload .state", "received, hashes match")
    shares: list[float] = tab.evaluate("window.shares")
    assert len({share for share in shares if 0 < share < 1}) > 1
    sending = shares[shares.index(0) if 0 in shares else 0 :]
    assert sending == sorted(sending)
    assert sending[-1] == 1
    tab.upload_no_faster_than(0)


def test_events_come(tab: Tab) -> None:
    open_events(tab)
    tab.click("#events [data-action=stop]")
    tab.wait_for_text("#events .state", "stopped by you")


def test_echo_of_text_and_bytes(tab: Tab) -> None:
    tab.write("#echo input", "Grüße, 世界 👋")
    tab.press_enter()
    tab.wait_for_text("#echo .exchanges", "Grüße, 世界 👋")
    assert tab.text(ECHO) == "open, compressed"
    tab.click("#echo [data-action=large]")
    tab.wait_for_text("#echo .exchanges", "1.00 MiB of random data")
    tab.click("#echo [data-action=burst]")
    tab.wait_for_text(ECHO, "500 in ")
    assert tab.text("#echo [data-figure=messages]") == "502"
    tab.click("#echo [data-action=close]")
    tab.wait_for_text(ECHO, "closed by you (4000)")


def test_chat_between_tabs(tab: Tab, browser: Browser, server: ServerProcess, row: Row) -> None:
    tab.write("#chat input", "Ada")
    tab.click("#chat [data-part=entrance] button")
    tab.wait_for_text(CHAT, "you are Ada")
    # This one joins by itself, and gets the name of a bird.
    other = browser.open(f"{server.url}/#chat")
    other.wait_for_text("#chat .people", "Ada")
    name = other.text(CHAT).removeprefix("you are ")
    tab.wait_for_text("#chat .talk", f"{name} has come")
    for speaker, listener, text in ((tab, other, "<b>héllo</b>"), (other, tab, "hi Ada 👋")):
        speaker.write("#chat [data-part=floor] input", text)
        speaker.press_enter()
        for either in (speaker, listener):
            either.wait_for_text("#chat .talk", text)
    late = browser.open(f"{server.url}/#chat")
    late.wait_for_text("#chat .talk", "<b>héllo</b>")
    assert late.evaluate("document.querySelectorAll('#chat .people b').length") == 3
    late.close()
    keep(tab, row, "chat")
    tab.wait_for("document.querySelectorAll('#chat .people b').length === 2")
    other.click("#chat [data-action=leave]")
    tab.wait_for_text("#chat .talk", f"{name} has gone")
    assert other.text(CHAT) == "you have left"
    assert other.complaints() == []
    other.close()


def test_page_is_told_that_the_server_stops(browser: Browser, serve: Serve, row: Row) -> None:
    own = serve("--no-access-log", row=row, app=APP)
    with ExitStack() as closing:
        tabs = [browser.open(f"{own.url}/#chat") for _ in range(3)]
        for tab in tabs:
            closing.callback(tab.close)
            tab.wait_for_text(CHAT, "you are ")
        tabs[0].click("#echo form button")
        tabs[0].wait_for_text(ECHO, "open")
        # It tries to come back after two seconds; the test has to see what is before that.
        told = "state.textContent === 'the server restarts (1012)'"
        watch = f"""(() => {{
            const state = document.querySelector("{CHAT}");
            window.told = false;
            const look = () => {{ window.told ||= {told}; }};
            new MutationObserver(look).observe(state, {{ childList: true }});
        }})()"""
        for tab in tabs:
            tab.evaluate(watch)
        own.send_signal(signal.SIGTERM)
        for tab in tabs:
            tab.wait_for("window.told")
        tabs[0].wait_for_text(ECHO, "(1012)")
        assert own.wait_exit() == 0


def test_events_go_on_over_a_restart_of_the_workers(
    browser: Browser, serve: Serve, restarted_row: Row
) -> None:
    # A worker lets its idle connections be for that long before it stops.
    options = ("--workers", "2", "--timeout-keep-alive", "1")
    own = serve(*options, "--no-access-log", row=restarted_row, app=APP)
    tab = browser.open(f"{own.url}/")
    open_events(tab)
    own.send_signal(signal.SIGHUP)
    wait_for_reconnect(tab)
    keep(tab, restarted_row, "workers-restarted")
    assert tab.complaints() == []
    tab.close()


def test_a_change_of_the_code_reaches_the_page(
    browser: Browser, serve: Serve, restarted_row: Row, tmp_path: Path
) -> None:
    """In development, whoever saves a file has the new one in the page, whose streams come back."""
    shutil.copytree(REPOSITORY / "examples", tmp_path / "examples")
    options = ("--reload", "--reload-dir", str(tmp_path), "--app-dir", str(tmp_path))
    own = serve(*options, "--no-access-log", row=restarted_row, app=APP, cwd=tmp_path)
    tab = browser.open(f"{own.url}/")
    open_events(tab)
    source = tmp_path / "examples" / "demo_api.py"
    source.write_text(source.read_text("utf-8").replace('"at once."', '"with new words."'), "utf-8")
    wait_for_reconnect(tab)
    tab.evaluate("document.querySelector('#stream select').value = '0'")
    tab.click("#stream [data-action=start]")
    tab.wait_for_text("#stream .transcript", "hears of it with new words.")
    keep(tab, restarted_row, "reloaded")
    assert tab.complaints() == []
    tab.close()
