"""Chromium without a window, driven over the DevTools protocol.

One connection carries the commands for all tabs and their answers; a tab's commands name its
session (https://chromedevtools.github.io/devtools-protocol/, "Target.attachToTarget").
"""

from __future__ import annotations

import itertools
import json
import re
import shutil
import subprocess
import tempfile
import time
from base64 import b64decode
from contextlib import ExitStack
from types import TracebackType
from typing import IO, Any, Self, cast

from websockets.sync.client import connect

from tests.server import Lines

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# Seconds; what takes longer is taken for a hang. Generous: the machine may be busy.
START_BOUND = 90.0
ANSWER_BOUND = 60.0
END_BOUND = 20.0

OPTIONS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"),
    *("--no-first-run", "--disable-background-networking", "--disable-component-update"),
    *("--disable-sync", "--disable-default-apps", "--disable-extensions", "--mute-audio"),
    # Every tab but one is in the background, and must not be slowed down for it.
    *("--disable-background-timer-throttling", "--disable-renderer-backgrounding"),
    *("--disable-backgrounding-occluded-windows", "--remote-debugging-port=0"),
)
LISTENING = r"DevTools listening on (ws://\S+)"


def find_browser() -> str | None:
    """Return the path of the first browser of this kind that is installed."""
    return next(filter(None, map(shutil.which, PROGRAMS)), None)


class Browser:
    """A browser with a profile of its own, gone with the browser.

    Args:
        program: what to run.
    """

    def __init__(self, program: str) -> None:
        self._profile = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        self._process = subprocess.Popen(
            [program, *OPTIONS, f"--user-data-dir={self._profile.name}", "about:blank"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        self._stderr = Lines(cast("IO[bytes]", self._process.stderr))
        self._numbers = itertools.count(1)
        self.events: list[dict[str, Any]] = []

    def __enter__(self) -> Self:
        found = self._stderr.wait_for(LISTENING, within=START_BOUND)
        self._closing = ExitStack()
        self._connection = self._closing.enter_context(connect(found[1], max_size=None))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._closing.close()
        self._process.terminate()
        try:
            self._process.wait(END_BOUND)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._stderr.finish()
        self._profile.cleanup()

    def open(self, url: str) -> Tab:
        """Open a tab and wait until its page is loaded."""
        target = self.command("Target.createTarget", url="about:blank")["targetId"]
        attached = self.command("Target.attachToTarget", targetId=target, flatten=True)
        tab = Tab(self, target, attached["sessionId"])
        tab.load(url)
        return tab

    def command(self, method: str, session: str | None = None, **parameters: Any) -> Any:
        """Give a command and return its result; events that come before it are kept.

        Raises:
            AssertionError: the browser refuses it.
            TimeoutError: it does not answer.
        """
        number = next(self._numbers)
        place = {} if session is None else {"sessionId": session}
        request = {"id": number, "method": method, "params": parameters, **place}
        self._connection.send(json.dumps(request))
        deadline = time.monotonic() + ANSWER_BOUND
        while True:
            message = json.loads(self._connection.recv(max(0.0, deadline - time.monotonic())))
            if message.get("id") == number:
                assert "error" not in message, f"{method}: {message}"
                return message["result"]
            if "method" in message:
                self.events.append(message)


class Tab:
    """A tab of the browser."""

    def __init__(self, browser: Browser, target: str, session: str) -> None:
        self._browser = browser
        self._target = target
        self._session = session
        for domain in ("Page", "Runtime", "Log"):
            self._command(f"{domain}.enable")

    def load(self, url: str) -> None:
        """Go to a page and wait until it and all it names is loaded."""
        answer = self._command("Page.navigate", url=url)
        assert "errorText" not in answer, answer
        self.wait_for(f"location.href === {json.dumps(url)} && document.readyState === 'complete'")

    def evaluate(self, expression: str) -> Any:
        """Return the value of an expression in JavaScript, of a promise what it gives.

        Raises:
            AssertionError: it throws.
        """
        answer = self._command(
            "Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True
        )
        assert "exceptionDetails" not in answer, f"{expression}: {answer}"
        return answer["result"].get("value")

    def wait_for(self, condition: str, within: float = ANSWER_BOUND / 2) -> None:
        """Wait until an expression is true.

        Raises:
            AssertionError: it does not become so in time; the text of the page is told.
        """
        program = f"""new Promise((resolve) => {{
            const until = performance.now() + {1000 * within};
            const look = () => {{
                if ({condition}) resolve(true);
                else if (performance.now() > until) resolve(false);
                else setTimeout(look, 20);
            }};
            look();
        }})"""
        if not self.evaluate(program):
            shown = re.sub(r"\n\n+", "\n", self.evaluate("document.body.innerText"))
            raise AssertionError(f"not so within {within:g} s: {condition}; shown is:\n{shown}")

    def text(self, selector: str) -> str:
        """Return the visible text of the first element that a selector names."""
        found: str = self.evaluate(f"document.querySelector({json.dumps(selector)}).innerText")
        return found

    def wait_for_text(self, selector: str, text: str) -> None:
        """Wait until the first element that a selector names shows a text."""
        chosen, wanted = json.dumps(selector), json.dumps(text)
        self.wait_for(f"document.querySelector({chosen})?.innerText.includes({wanted})")

    def click(self, selector: str) -> None:
        """Click in the middle of an element, as a mouse does."""
        x, y = self.evaluate(
            f"""(() => {{
                const element = document.querySelector({json.dumps(selector)});
                element.scrollIntoView({{ block: "center", behavior: "instant" }});
                const box = element.getBoundingClientRect();
                return [box.x + box.width / 2, box.y + box.height / 2];
            }})()"""
        )
        for kind in ("mousePressed", "mouseReleased"):
            details = {"x": x, "y": y, "button": "left", "clickCount": 1}
            self._command("Input.dispatchMouseEvent", type=kind, **details)

    def write(self, selector: str, text: str) -> None:
        """Put a text into a field in place of what is in it."""
        self.evaluate(f"document.querySelector({json.dumps(selector)}).select()")
        self._command("Input.insertText", text=text)

    def press_enter(self) -> None:
        """Press Enter in the field that was written to."""
        key = {"key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 13, "text": "\r"}
        self._command("Input.dispatchKeyEvent", type="keyDown", **key)
        self._command("Input.dispatchKeyEvent", type="keyUp", **key)

    def upload_no_faster_than(self, rate: int) -> None:
        """Bound what the tab sends, in bytes a second; 0 takes the bound away."""
        self._command("Network.enable")
        limits = {"latency": 0, "downloadThroughput": -1, "uploadThroughput": rate or -1}
        self._command("Network.emulateNetworkConditions", offline=False, **limits)

    def screenshot(self, width: int = 1280, height: int = 900) -> bytes:
        """Return a picture of the page as PNG."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self._command("Emulation.setDeviceMetricsOverride", **size)
        picture = self._command("Page.captureScreenshot", captureBeyondViewport=True)
        return b64decode(picture["data"])

    def complaints(self) -> list[str]:
        """Return what the browser has complained of: exceptions, and errors of its log."""
        self.evaluate("0")  # what was reported before comes before its answer
        own = [e for e in self._browser.events if e.get("sessionId") == self._session]
        thrown = [
            json.dumps(event["params"]["exceptionDetails"])
            for event in own
            if event["method"] == "Runtime.exceptionThrown"
        ]
        logged = [event["params"]["entry"] for event in own if event["method"] == "Log.entryAdded"]
        return thrown + [json.dumps(entry) for entry in logged if entry["level"] == "error"]

    def close(self) -> None:
        """Close the tab."""
        self._browser.command("Target.closeTarget", targetId=self._target)

    def _command(self, method: str, **parameters: Any) -> Any:
        return self._browser.command(method, self._session, **parameters)
