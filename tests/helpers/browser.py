"""A real browser for tests of pages: Debian's Chromium, driven by Playwright, with what it complains of."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, Response, expect, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")
WAIT = 90_000  # milliseconds: two cores may be busy with other tests
expect.set_options(timeout=WAIT)


@contextmanager
def browser() -> Iterator[Browser]:
    """Start Chromium and end it; without one the test fails and says what to install."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if not found:
        pytest.fail("no Chromium on this machine: apt-get install chromium", pytrace=False)
    # root in a container has no sandbox; a small /dev/shm would end a large page
    arguments = ["--no-sandbox", "--disable-dev-shm-usage"]
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=found, args=arguments)
        try:
            yield opened
        finally:
            opened.close()


@dataclass
class Watch:
    """What a page asked for and what went wrong in it.

    Attributes:
        problems: errors on the console, exceptions of scripts, requests without a good answer; one line each.
        requests: every URL that was asked for.
    """

    problems: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def _console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.problems.append(f"console: {message.text} ({message.location.get('url', '')})")

    def _response(self, response: Response) -> None:
        if response.status >= 400:
            self.problems.append(f"HTTP {response.status}: {response.request.method} {response.url}")

    def _failed(self, request: Request) -> None:
        # a page that is left, or a list that is filtered anew, takes its requests back
        if request.failure != "net::ERR_ABORTED":
            self.problems.append(f"{request.failure}: {request.method} {request.url}")

    def unexpected(self, known: Sequence[str] = ()) -> list[str]:
        """Return the problems in which no text of ``known`` occurs."""
        return [problem for problem in self.problems if not any(text in problem for text in known)]


@contextmanager
def page(opened: Browser, width: int = 1600, height: int = 1000) -> Iterator[tuple[Page, Watch]]:
    """Open an empty page of a profile of its own, and watch it."""
    context = opened.new_context(viewport={"width": width, "height": height})
    context.set_default_timeout(WAIT)
    made, watch = context.new_page(), Watch()
    made.on("console", watch._console)
    made.on("pageerror", lambda error: watch.problems.append(f"exception: {error}"))
    made.on("request", lambda request: watch.requests.append(request.url))
    made.on("response", watch._response)
    made.on("requestfailed", watch._failed)
    try:
        yield made, watch
    finally:
        context.close()
