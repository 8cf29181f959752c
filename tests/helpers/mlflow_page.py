"""MLflow's page as a user meets it: the server that `rarelabels ui` starts, and what can be done on the page."""

from __future__ import annotations

import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Locator, Page

from project import Project, free_port

# MLflow's own: it asks who the user is where nobody logs in, and Plotly resizes while it draws.
NOISE = ("/mlflow/users/current", "ResizeObserver loop")
CHART = "experiment-view-compare-runs-card"
SECTION = "experiment-view-compare-runs-section-header"


@contextmanager
def served(project: Project, *options: str, **environment: str) -> Iterator[dict[str, str]]:
    """Run `rarelabels ui` on a project's record, give its links by study, and end it as Ctrl-C does."""
    process = project.start("ui", "--port", str(free_port()), *options, **environment)
    try:
        yield _links(process)
        process.send_signal(signal.SIGINT)
        assert process.wait(120) == 0, process.communicate()[1]
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait(120)
        process.communicate()


def _links(process: subprocess.Popen[str]) -> dict[str, str]:
    links = {}
    for line in process.stdout:
        if line.startswith("Ctrl-C"):
            return links
        if "http" in line:
            name, link = line.split()
            links[name] = link
    raise AssertionError(process.communicate()[1])


def open_study(page: Page, link: str) -> None:
    """Open the list of runs; MLflow's assistant, which comes the first time, is closed."""
    page.goto(link)
    page.get_by_role("button", name="Close").first.click()
    page.get_by_role("button", name="Close").first.wait_for(state="detached")
    row(page, "= ").wait_for()


def row(page: Page, name: str) -> Locator:
    """The part of a run's line that has its box and its name."""
    return page.get_by_role("row").filter(has=page.get_by_role("link", name=name))


def names(page: Page) -> list[str]:
    """What the list shows as run names, from above."""
    rows = page.get_by_role("row").filter(has=page.get_by_test_id("experiment-view-table-run-color"))
    found = [(int(one.get_attribute("row-index")), one.get_by_role("link").inner_text()) for one in rows.all()]
    return [name for _, name in sorted(found)]


def unfold(page: Page, name: str) -> None:
    row(page, name).get_by_role("button").click()


def cells(page: Page, metric: str) -> list[str]:
    """What stands in the column of a metric."""
    return page.locator(f"[role=gridcell][col-id='metrics.`{metric}`']").all_inner_texts()


def line_colours(page: Page) -> set[str]:
    """The colours of the curves that are drawn, as #rrggbb."""
    page.locator("path.js-line").first.wait_for()
    strokes = page.locator("path.js-line").evaluate_all("all => all.map(one => getComputedStyle(one).stroke)")
    return {"#" + "".join(f"{int(part):02x}" for part in re.findall(r"\d+", stroke)[:3]) for stroke in strokes}


def choose(page: Page, *trials: str) -> None:
    for name in trials:
        row(page, name).get_by_label("toggle row selection").check()


def compare(page: Page) -> Locator:
    """Press Compare; give the table of metrics, which draws only the lines that are in sight."""
    page.get_by_role("button", name="Compare").click()
    metrics = page.locator("[class*=collapse-item]").filter(has=page.get_by_title("Plot chart"))
    metrics.scroll_into_view_if_needed()
    return metrics


def scroll_to(page: Page, metrics: Locator, name: str) -> Locator:
    """Scroll the table of metrics to one of them, by its values: a grid beside that of the names.

    The names follow one step of scrolling late, so each step has a small one behind it.
    """
    found = metrics.get_by_role("link", name=name, exact=True)
    values = metrics.get_by_role("grid").last
    frame = values.bounding_box()
    for _ in range(100):
        place = found.bounding_box() if found.count() else None  # the table makes some lines more than are in sight
        if place and place["y"] + place["height"] < frame["y"] + frame["height"]:
            return found
        for step in (150, 1):
            values.evaluate("(grid, step) => grid.scrollBy(0, step)", step)
            page.wait_for_timeout(100)
    raise AssertionError(f"no {name} among the metrics")


def draw_charts(page: Page) -> None:
    """Change from the list to its charts; they are drawn once there is a curve."""
    page.locator("label, button").filter(has=page.locator("input[value=CHART]")).first.click()
    page.locator(".scatterlayer .trace").first.wait_for()
