"""A headless Chromium, told what to do on its command line."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
# Measures the page from within, and leaves the findings in an attribute that the dumped page shows.
PROBE = """<script>addEventListener("load", () => {{ {steps}
document.documentElement.dataset.found = JSON.stringify({{
  width: document.documentElement.scrollWidth, window: innerWidth, text: document.body.innerText,
  ground: getComputedStyle(document.body).backgroundColor, ink: getComputedStyle(document.body).color,
  figures: [...document.querySelectorAll("main svg")].map(each => each.getBoundingClientRect().width),
  captions: [...document.querySelectorAll("main table caption")].map(each => each.textContent.trim()),
  heads: document.querySelectorAll("main th:not([scope])").length,
  images: [...document.images].map(each => each.naturalWidth),
  ids: [...document.querySelectorAll("[id]")].map(each => each.id),
  links: [...document.querySelectorAll("a[href^='#']")].map(each => each.hash.slice(1)),
}}); }});</script>"""


@dataclass(frozen=True)
class Visit:
    """What a page did.

    Attributes:
        found: what the probe saw.
        console: what the page wrote to the console, and what went wrong in it.
        asked: addresses that were asked for, beside the page itself and data within it.
    """

    found: dict[str, Any]
    console: list[str]
    asked: list[str]


def browser() -> str | None:
    """A Chromium of this machine."""
    return next(filter(None, map(shutil.which, NAMES)), None)


def run(folder: Path, address: str, *options: str) -> subprocess.CompletedProcess[str]:
    """Start the browser, let it load an address, and let it end."""
    words = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--disable-dev-shm-usage"]
    words += ["--no-first-run", "--disable-background-networking", "--disable-component-update"]
    words += [f"--user-data-dir={folder / 'profile'}", "--enable-logging=stderr", *options, address]
    return subprocess.run([str(browser()), *words], capture_output=True, text=True, check=True, timeout=60)


def visit(page: Path, folder: Path, *, width: int = 1100, dark: bool = False, steps: str = "") -> Visit:
    """Load a page from disk and look at it.

    Args:
        page: the HTML file.
        folder: for what the browser leaves.
        width: of the window, in CSS pixels.
        dark: whether the system prefers dark.
        steps: JavaScript to run before looking.
    """
    probed = folder / "probed.html"
    html = page.read_text()
    probed.write_text(html.replace("</body>", PROBE.format(steps=steps) + "</body>"))
    log = folder / "net.json"
    options = [f"--window-size={width},900", f"--log-net-log={log}", "--dump-dom"]
    options += ["--blink-settings=preferredColorScheme=0"] if dark else []
    done = run(folder, probed.as_uri(), *options)
    attribute = re.search(r'data-found="([^"]*)"', done.stdout)
    assert attribute, done.stdout[:500]
    text = attribute.group(1)
    for escaped, plain in (
        ("&quot;", '"'),
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&nbsp;", "\u00a0"),
        ("&amp;", "&"),
    ):
        text = text.replace(escaped, plain)
    console = re.findall(r"CONSOLE[^\]]*\] (.*)", done.stderr)
    addresses = set(re.findall(r'"url":"([^"]+)"', log.read_text()))
    asked = sorted(each for each in addresses if each != probed.as_uri() and not each.startswith("data:"))
    return Visit(json.loads(text), console, asked)
