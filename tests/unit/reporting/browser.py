"""A headless Chromium, driven by the DevTools protocol over a pair of pipes."""

from __future__ import annotations

import base64
import json
import os
import select
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
SECONDS = 60
# What the page looks like from within.
PROBE = """({
  width: document.documentElement.scrollWidth, window: innerWidth, text: document.body.innerText,
  ground: getComputedStyle(document.body).backgroundColor, ink: getComputedStyle(document.body).color,
  figures: [...document.querySelectorAll("main svg")].map(each => each.getBoundingClientRect().width),
  captions: [...document.querySelectorAll("main table caption")].map(each => each.textContent.trim()),
  heads: document.querySelectorAll("main th:not([scope])").length,
  images: [...document.images].map(each => each.naturalWidth),
  ids: [...document.querySelectorAll("[id]")].map(each => each.id),
  links: [...document.querySelectorAll("a[href^='#']")].map(each => each.hash.slice(1)),
})"""


@dataclass(frozen=True)
class Visit:
    """What a page did.

    Attributes:
        found: what the probe saw.
        console: what the page wrote to the console, and what went wrong in it.
        asked: addresses that the page asked for, beside itself and data within it.
        picture: the window as a PNG.
    """

    found: dict[str, Any]
    console: list[str]
    asked: list[str]
    picture: bytes


def browser() -> str | None:
    """A Chromium of this machine."""
    return next(filter(None, map(shutil.which, NAMES)), None)


class Tab:
    """One tab; commands wait for their answers, events are kept in their order."""

    def __init__(self, read: int, write: int) -> None:
        self._read, self._write = read, write
        self._heard, self._number = b"", 0
        self._session: str | None = None
        self.events: list[dict[str, Any]] = []
        target = self("Target.createTarget", url="about:blank")["targetId"]
        self._session = self("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]

    def __call__(self, method: str, **params: Any) -> dict[str, Any]:
        """The result of a command."""
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        while True:
            heard = self._next()
            if heard.get("id") == self._number:
                assert "error" not in heard, heard
                return dict(heard["result"])
            self.events.append(heard)

    def wait(self, event: str) -> None:
        """Until an event has come."""
        while not any(each.get("method") == event for each in self.events):
            self.events.append(self._next())

    def _next(self) -> dict[str, Any]:
        end = time.monotonic() + SECONDS
        while b"\0" not in self._heard:
            ready, _, _ = select.select([self._read], [], [], max(0.0, end - time.monotonic()))
            assert ready, "the browser does not answer"
            self._heard += os.read(self._read, 1 << 16)
        message, _, self._heard = self._heard.partition(b"\0")
        return dict(json.loads(message))


@contextmanager
def opened(folder: Path) -> Iterator[Tab]:
    """A tab of a fresh browser."""
    to_browser, from_browser = os.pipe(), os.pipe()

    def connect() -> None:
        # Where the browser looks for its pipes; the copies first, since either may lie at 3 or 4.
        read, write = os.dup(to_browser[0]), os.dup(from_browser[1])
        os.dup2(read, 3)
        os.dup2(write, 4)

    words = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--disable-dev-shm-usage"]
    words += ["--no-first-run", "--disable-background-networking", "--disable-component-update"]
    words += ["--remote-debugging-pipe", f"--user-data-dir={folder / 'profile'}"]
    process = subprocess.Popen(
        [str(browser()), *words],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        preexec_fn=connect,
        close_fds=False,
    )
    try:
        yield Tab(from_browser[0], to_browser[1])
    finally:
        process.kill()
        process.wait()
        for end in (*to_browser, *from_browser):
            os.close(end)


def visit(
    page: Path, folder: Path, *, width: int = 1100, height: int = 900, dark: bool = False, steps: str = ""
) -> Visit:
    """Load a page from disk and look at it.

    Args:
        page: the HTML file.
        folder: for what the browser leaves.
        width: of the window, in CSS pixels.
        height: of the window, in CSS pixels.
        dark: whether the system prefers dark.
        steps: JavaScript to run before looking.
    """
    with opened(folder) as tab:
        for domain in ("Page", "Runtime", "Log", "Network"):
            tab(f"{domain}.enable")
        tab(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        tab("Emulation.setEmulatedMedia", features=[scheme])
        tab("Page.navigate", url=page.as_uri())
        tab.wait("Page.loadEventFired")
        if steps:
            tab("Runtime.evaluate", expression=steps)
        found = tab("Runtime.evaluate", expression=PROBE, returnByValue=True)["result"]["value"]
        picture = base64.b64decode(tab("Page.captureScreenshot")["data"])
        addresses = {url for event in tab.events if (url := _asked(event))}
        console = [text for event in tab.events if (text := _said(event))]
    asked = sorted(each for each in addresses if each != page.as_uri() and not each.startswith("data:"))
    return Visit(found, console, asked, picture)


def _asked(event: dict[str, Any]) -> str | None:
    """The address that an event says the page asked for."""
    if event.get("method") != "Network.requestWillBeSent":
        return None
    return str(event["params"]["request"]["url"])


def _said(event: dict[str, Any]) -> str | None:
    """What an event says of the console."""
    params = event.get("params", {})
    if event.get("method") == "Log.entryAdded":
        return str(params["entry"]["text"])
    if event.get("method") == "Runtime.consoleAPICalled":
        return " ".join(str(each.get("value")) for each in params["args"])
    if event.get("method") == "Runtime.exceptionThrown":
        thrown = params["exceptionDetails"]
        return str(thrown.get("exception", {}).get("description") or thrown["text"])
    return None
