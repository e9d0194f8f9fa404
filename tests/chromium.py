"""The system's Chromium, and what tests ask a page in it."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")
AXE = Path(__file__).parent / "browser/node_modules/axe-core/axe.min.js"
PHONE = {"width": 360, "height": 740}
DESKTOP = {"width": 1280, "height": 900}
#: WCAG 2.2 AA, and what axe's authors think good besides.
AXE_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@contextmanager
def open_chromium() -> Iterator[Browser]:
    """Start one browser; tests open contexts of their own in it."""
    path = next(filter(None, map(shutil.which, NAMES)), None)
    assert path, "Chromium is missing: `make test` installs it, or says what to install"
    with sync_playwright() as playwright:
        # Root may not use the sandbox; /dev/shm is small in containers.
        browser = playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        yield browser
        browser.close()


@contextmanager
def open_context(browser: Browser, *, viewport=None, language="ja-JP") -> Iterator[BrowserContext]:
    """Open a browser profile of one person; what it loads from elsewhere fails the test."""
    context = browser.new_context(
        viewport=viewport or DESKTOP, locale=language, timezone_id="Asia/Tokyo"
    )
    context.set_default_timeout(10_000)
    foreign = []
    context.on("request", lambda request: _note_foreign(request.url, foreign))
    yield context
    context.close()
    assert foreign == [], f"a page loaded something from elsewhere: {foreign}"


def _note_foreign(url: str, foreign: list[str]) -> None:
    if not url.startswith(("http://127.0.0.1:", "http://localhost:", "data:", "about:", "blob:")):
        foreign.append(url)


def look_at(page: Page, name: str) -> None:
    """Judge the page: no barrier, no sideways scrolling. `make screenshots` keeps its picture."""
    assert find_barriers(page) == []
    assert not is_wider_than_its_window(page), f"{name} is wider than its window"
    folder = os.environ.get("KOSODATE_SCREENSHOTS")
    if folder:
        language = page.evaluate("() => document.documentElement.lang")
        width = page.viewport_size["width"]
        page.screenshot(path=Path(folder) / f"{name}-{language}-{width}.png", full_page=True)


def find_barriers(page: Page) -> list[str]:
    """Return what axe finds on the page: rule, place, and what to do."""
    assert AXE.exists(), "axe-core is missing: run tests/tools/node-packages.sh"
    # Evaluated by the debugger, so the page's Content-Security-Policy stays as it is.
    page.evaluate(AXE.read_text(encoding="utf-8"))
    result = page.evaluate(
        "tags => axe.run(document, {runOnly: {type: 'tag', values: tags}})", AXE_TAGS
    )
    return [
        f"{page.url}: {found['id']}: {node['html']}: {node['failureSummary']}"
        for found in result["violations"]
        for node in found["nodes"]
    ]


def is_wider_than_its_window(page: Page) -> bool:
    """Whether somebody with a phone would have to scroll sideways."""
    return page.evaluate(
        "() => document.documentElement.scrollWidth > document.documentElement.clientWidth"
    )
