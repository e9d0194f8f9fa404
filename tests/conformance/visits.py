"""A real browser makes the visits of the plan that the suite's scripted browser cannot make."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from playwright.sync_api import Error, Page

from tests.chromium import open_chromium
from tests.conformance.pages import LOGIN_ID, PASSWORD

_SUBMIT = "main form.flow button[type=submit]"
#: A page of the suite goes on by itself, sometimes in the moment the next visit begins.
_OVERTAKEN = "interrupted by another navigation"
_PRESSED = (
    "button[name=decision][value=allow]",
    "button[name=decision][value=logout]",
)


@dataclass(frozen=True)
class Visitor:
    """One person in one browser: the cookies stay between the visits of a module."""

    page: Page

    def visit(self, address: str) -> None:
        """Open an address and go on as far as our pages ask for something."""
        self._open(address)
        if self.page.locator("input[name=login_id]").is_visible():
            self.page.fill("input[name=login_id]", LOGIN_ID)
            self.page.fill("input[name=password]", PASSWORD)
            self.page.click(_SUBMIT)
        for button in _PRESSED:
            if self.page.locator(button).is_visible():
                self.page.click(button)

    def _open(self, address: str) -> None:
        try:
            self.page.goto(address)
        except Error as error:
            if _OVERTAKEN not in error.message:
                raise
            self.page.wait_for_load_state()
            self.page.goto(address)


@contextmanager
def open_visitor(*, trusts_everyone: bool) -> Iterator[Visitor]:
    """Start the browser; it cannot be told of a private authority, so it then asks for none."""
    with open_chromium() as browser:
        context = browser.new_context(ignore_https_errors=trusts_everyone)
        yield Visitor(context.new_page())
        context.close()
