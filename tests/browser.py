"""A real browser for tests: Chromium, without a window, told what to do by the DevTools protocol.

Over a pair of pipes, so that it takes no port, no driver and no package.
https://chromedevtools.github.io/devtools-protocol/
"""

from __future__ import annotations

import base64
import itertools
import json
import os
import select
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "chrome")
KEYS = {"Enter": 13, "PageUp": 33, "PageDown": 34, "End": 35, "Home": 36, "Delete": 46}
KEYS |= {"ArrowLeft": 37, "ArrowUp": 38, "ArrowRight": 39, "ArrowDown": 40}
SIZES = {"laptop": (1280, 720), "projector": (1920, 1080), "phone": (390, 844)}
PATIENCE = 30.0  # seconds to wait for an answer


def find_browser() -> str | None:
    """The program that ``GDFIT_BROWSER`` names, or the first of Chromium's names on the path."""
    named = os.environ.get("GDFIT_BROWSER")
    return named or next(filter(None, map(shutil.which, NAMES)), None)


class Browser:
    """A browser process. Its pages are opened one by one and share nothing."""

    def __init__(self, program: str, folder: Path) -> None:
        to_browser, self._to = os.pipe()
        self._from, from_browser = os.pipe()
        # The protocol is spoken on the descriptors 3 and 4. Root needs --no-sandbox, as in CI.
        command = (
            f'exec "$0" --headless --no-sandbox --disable-gpu --disable-dev-shm-usage '
            f"--no-first-run --hide-scrollbars --remote-debugging-pipe "
            f'--user-data-dir="$1" 3<&{to_browser} 4>&{from_browser}'
        )
        self._process = subprocess.Popen(
            ["/bin/bash", "-c", command, program, str(folder)],
            pass_fds=(to_browser, from_browser),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(to_browser)
        os.close(from_browser)
        self._numbers = itertools.count(1)
        self._read = b""
        self.events: list[dict[str, Any]] = []

    def send(self, method: str, session: str | None = None, **params: Any) -> dict[str, Any]:
        """Call a method of the protocol and return its result."""
        number = next(self._numbers)
        message = {"id": number, "method": method, "params": params}
        if session:
            message["sessionId"] = session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        deadline = time.monotonic() + PATIENCE
        while True:
            answer = self._receive(deadline)
            if answer.get("id") == number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']['message']}")
                result: dict[str, Any] = answer["result"]
                return result
            self.events.append(answer)

    def _receive(self, deadline: float) -> dict[str, Any]:
        while b"\0" not in self._read:
            ready, _, _ = select.select([self._from], [], [], max(deadline - time.monotonic(), 0))
            part = os.read(self._from, 1 << 20) if ready else b""
            if not part:
                raise TimeoutError("the browser does not answer")
            self._read += part
        message, self._read = self._read.split(b"\0", 1)
        answer: dict[str, Any] = json.loads(message)
        return answer

    @contextmanager
    def page(self, path: Path, width: int = 1280, height: int = 720, **look: Any) -> Iterator[Page]:
        """A page that shows the file at `path`."""
        context = self.send("Target.createBrowserContext")["browserContextId"]
        target = self.send("Target.createTarget", url="about:blank", browserContextId=context)
        try:
            page = Page(self, target["targetId"])
            page.look(width, height, **look)
            page.open(path)
            yield page
        finally:
            self.send("Target.disposeBrowserContext", browserContextId=context)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.send("Browser.close")
        os.close(self._to)
        os.close(self._from)
        self._process.wait(PATIENCE)


class Page:
    """A page in the browser, used as a person does."""

    def __init__(self, browser: Browser, target: str) -> None:
        self._browser = browser
        self._session: str = browser.send("Target.attachToTarget", targetId=target, flatten=True)[
            "sessionId"
        ]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.send(f"{domain}.enable")

    def send(self, method: str, **params: Any) -> dict[str, Any]:
        return self._browser.send(method, self._session, **params)

    def look(self, width: int, height: int, dark: bool = False, touch: bool = False) -> None:
        """The size of the screen, its colours, and whether it is touched."""
        self.send(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=2 if touch else 1,
            mobile=touch,
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.send("Emulation.setEmulatedMedia", features=[scheme])
        self.send("Emulation.setTouchEmulationEnabled", enabled=touch)

    def open(self, path: Path) -> None:
        """Load a file, and wait until it has drawn itself."""
        self.send("Page.navigate", url=path.resolve().as_uri())
        self.until("document.readyState === 'complete'")
        self.rest()

    def rest(self) -> None:
        """Wait for what has been asked for to be drawn."""
        self.run("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")

    def run(self, script: str) -> Any:
        """The value of a JavaScript expression."""
        answer = self.send(
            "Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True
        )
        if "exceptionDetails" in answer:
            raise RuntimeError(answer["exceptionDetails"]["exception"]["description"])
        return answer["result"].get("value")

    def until(self, condition: str) -> None:
        """Wait until a JavaScript expression is true."""
        deadline = time.monotonic() + PATIENCE
        while not self.run(condition):
            if time.monotonic() > deadline:
                raise TimeoutError(f"never so: {condition}")
            time.sleep(0.02)

    def text(self, selector: str) -> str:
        """What an element says."""
        return str(self.run(f"document.querySelector({json.dumps(selector)}).textContent"))

    def place(self, selector: str) -> tuple[float, float]:
        """The middle of an element, once it has been scrolled to."""
        x, y = self.run(
            f"(() => {{ const found = document.querySelector({json.dumps(selector)});"
            "found.scrollIntoView({block: 'center'});"
            "const box = found.getBoundingClientRect();"
            "return [box.x + box.width / 2, box.y + box.height / 2]; })()"
        )
        return x, y

    def click(self, selector: str) -> None:
        """Press and release the mouse in the middle of an element."""
        self.drag(self.place(selector))

    def drag(self, *points: tuple[float, float]) -> None:
        """Press the mouse at the first of `points`, move it to the others, and release it."""
        (x, y), *rest = points
        button: dict[str, Any] = {"button": "left", "clickCount": 1}
        self.send("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)
        self.send("Input.dispatchMouseEvent", type="mousePressed", x=x, y=y, **button)
        for x, y in rest:
            self.send("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y, buttons=1, **button)
        self.send("Input.dispatchMouseEvent", type="mouseReleased", x=x, y=y, **button)
        self.rest()

    def touch(self, *points: tuple[float, float]) -> None:
        """Put a finger on the first of `points`, move it to the others, and take it off."""
        for place, (x, y) in enumerate(points):
            kind = "touchMove" if place else "touchStart"
            self.send("Input.dispatchTouchEvent", type=kind, touchPoints=[{"x": x, "y": y}])
        self.send("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])
        self.rest()

    def press(self, key: str) -> None:
        """Press a key: one of those with a name, or a character."""
        code = KEYS.get(key)
        text = None if code and key != "Enter" else {"Enter": "\r"}.get(key, key)
        known: dict[str, Any] = {"key": key}
        if code:
            known |= {"code": key, "windowsVirtualKeyCode": code}
        self.send(
            "Input.dispatchKeyEvent", type="keyDown", **known, **({"text": text} if text else {})
        )
        self.send("Input.dispatchKeyEvent", type="keyUp", **known)
        self.rest()

    def picture(self, path: Path, whole: bool = False) -> None:
        """A screenshot, of what is on the screen or of the whole page."""
        answer = self.send("Page.captureScreenshot", captureBeyondViewport=whole)
        path.write_bytes(base64.b64decode(answer["data"]))

    def events(self, method: str) -> list[dict[str, Any]]:
        """The params of the events of a kind so far."""
        return [
            event["params"]
            for event in self._browser.events
            if event.get("sessionId") == self._session and event["method"] == method
        ]
