"""A page in headless Chromium, driven through its debugging pipe: keys, what stands on it, pictures."""

from __future__ import annotations

import base64
import json
import os
import select
import shutil
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Any

BROWSER = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
PATIENCE = 60
"""seconds for an answer"""


class Chromium:
    """One tab. Remembers errors of the console and every request but that for the page itself."""

    def __init__(self, profile: Path) -> None:
        assert BROWSER is not None
        theirs, self._out = os.pipe()
        self._in, answers = os.pipe()
        os.set_inheritable(theirs, True)
        os.set_inheritable(answers, True)

        def place() -> None:
            # Chromium reads commands from descriptor 3 and answers on 4; the way round keeps both apart.
            low, high = os.dup(theirs), os.dup(answers)
            os.dup2(low, 3)
            os.dup2(high, 4)

        options = ["--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe"]
        options += [f"--user-data-dir={profile}", "--no-first-run", "--disable-dev-shm-usage"]
        self._process = subprocess.Popen(
            [BROWSER, *options, "about:blank"],
            preexec_fn=place,
            close_fds=False,
            stderr=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )
        os.close(theirs)
        os.close(answers)
        self._left = b""
        self._number = 0
        self._session: str | None = None
        self.errors: list[str] = []
        self.requests: list[str] = []
        made = self.call("Target.createTarget", url="about:blank")
        found = self.call("Target.attachToTarget", targetId=made["targetId"], flatten=True)
        self._session = found["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def __enter__(self) -> Chromium:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
        os.close(self._out)
        os.close(self._in)

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        """Send a command of the DevTools protocol and wait for its answer."""
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        left = json.dumps(message).encode() + b"\0"
        while left:
            left = left[os.write(self._out, left) :]
        end = time.monotonic() + PATIENCE
        while True:
            answer = self._read(end)
            if answer.get("id") == self._number:
                if "error" in answer:
                    raise AssertionError(f"{method}: {answer['error']}")
                return dict(answer["result"])
            self._note(answer)

    def _read(self, end: float) -> dict[str, Any]:
        while b"\0" not in self._left:
            ready, _, _ = select.select([self._in], [], [], max(0.0, end - time.monotonic()))
            part = os.read(self._in, 1 << 20) if ready else b""
            if not part:
                raise AssertionError("Chromium does not answer")
            self._left += part
        line, _, self._left = self._left.partition(b"\0")
        return dict(json.loads(line))

    def _note(self, event: dict[str, Any]) -> None:
        params = event.get("params", {})
        if event.get("method") == "Runtime.exceptionThrown":
            self.errors.append(json.dumps(params["exceptionDetails"])[:800])
        elif event.get("method") == "Runtime.consoleAPICalled" and params["type"] in (
            "error",
            "warning",
            "assert",
        ):
            self.errors.append(json.dumps(params["args"])[:800])
        elif event.get("method") == "Log.entryAdded" and params["entry"]["level"] in (
            "error",
            "warning",
        ):
            self.errors.append(params["entry"]["text"])
        elif event.get("method") == "Network.requestWillBeSent":
            self.requests.append(params["request"]["url"])

    def open(self, path: Path, route: str = "", width: int = 1200, height: int = 900) -> None:
        """Open a file at that width and wait until its script is ready."""
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width, height=height, deviceScaleFactor=1, mobile=False,
        )  # fmt: skip
        self.call("Page.navigate", url="about:blank")
        self.requests.clear()
        self.call("Page.navigate", url=path.resolve().as_uri() + route)
        self.wait("document.body && document.body.classList.contains('ready')")

    def wait(self, condition: str, seconds: float = 20) -> None:
        """Until an expression is true."""
        end = time.monotonic() + seconds
        while not self.value(condition):
            if time.monotonic() > end:
                raise AssertionError(f"not true in time: {condition}; errors: {self.errors}")
            time.sleep(0.05)

    def value(self, expression: str) -> Any:
        """The value of an expression in the page (run beside its policy, as the tools do)."""
        found = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        if "exceptionDetails" in found:
            raise AssertionError(f"{expression}: {json.dumps(found['exceptionDetails'])[:400]}")
        return found["result"].get("value")

    def key(self, *names: str) -> None:
        """Press keys: `ArrowDown`, `Enter`, `/`, `a`."""
        codes = {"Enter": 13, "Escape": 27, " ": 32, "Tab": 9, "Home": 36, "End": 35,
                 "ArrowLeft": 37, "ArrowUp": 38, "ArrowRight": 39, "ArrowDown": 40}  # fmt: skip
        for name in names:
            text = {"Enter": "\r"}.get(name, name if len(name) == 1 else "")
            about = {"key": name, "windowsVirtualKeyCode": codes.get(name, 0)}
            down = {"text": text, "unmodifiedText": text} if text else {}
            self.call(
                "Input.dispatchKeyEvent", type="keyDown" if text else "rawKeyDown", **about, **down
            )
            self.call("Input.dispatchKeyEvent", type="keyUp", **about)

    def media(self, **features: str) -> None:
        """`prefers_color_scheme="dark"`, or `media="print"`."""
        kind = features.pop("media", "")
        chosen = [{"name": n.replace("_", "-"), "value": v} for n, v in features.items()]
        self.call("Emulation.setEmulatedMedia", media=kind, features=chosen)

    def picture(self, path: Path, whole: bool = False) -> None:
        """A screenshot."""
        found = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        path.write_bytes(base64.b64decode(found["data"]))
