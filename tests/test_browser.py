"""The watch on a page sees what it must: each kind of problem, and that a missing Chromium fails the test."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

import browser

pytestmark = pytest.mark.long


@pytest.fixture
def served(tmp_path: Path) -> Iterator[str]:
    """A folder with one good page, on loopback."""
    (tmp_path / "good.html").write_text("<link rel=icon href='data:,'><h1>here</h1>", encoding="utf-8")
    (tmp_path / "bad.html").write_text(
        "<link rel=icon href='data:,'><img src=nowhere.png><script>console.error('told');</script>"
        "<script>throw new Error('thrown')</script><h1>here</h1>",
        encoding="utf-8",
    )

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *arguments: object) -> None:
            super().__init__(*arguments, directory=str(tmp_path))

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_a_good_page_has_no_problems_and_a_bad_one_has_all_of_its_own(served):
    with browser.browser() as opened:
        with browser.page(opened) as (page, watch):
            page.goto(f"{served}/good.html")
            assert page.get_by_role("heading").inner_text() == "here"
            assert watch.problems == []
            assert watch.requests == [f"{served}/good.html"]
        with browser.page(opened) as (page, watch):
            page.goto(f"{served}/bad.html", wait_until="load")
            for told in (
                f"console: told ({served}/bad.html)",
                "exception: thrown",
                f"HTTP 404: GET {served}/nowhere.png",
            ):
                assert told in watch.problems
            assert watch.unexpected(["told", "thrown", "404"]) == []
            assert watch.unexpected(["told", "404"]) == ["exception: thrown"]


def test_without_chromium_a_test_fails_and_says_what_to_install(monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(pytest.fail.Exception, match="apt-get install chromium"), browser.browser():
        raise AssertionError("opened")
