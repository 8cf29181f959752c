"""`make ui` in a real browser: what the run list, Compare, the charts and a run's files show of a real record."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

import browser
import mlflow_page
from project import Project
from rarelabels import results, tracking, ui

pytestmark = pytest.mark.long

STUDY = "your_table"
TRIALS = ("floor_prior", "linear", "bce")
SEEDS = (0, 1)
CURVE = "curve/val_macro_average_precision"
COLUMNS = ("test/half/macro_f1", "test/per_label/macro_f1", "test/ranking/macro_average_precision")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    made = Project(tmp_path_factory.mktemp("ui"))
    seeds = ",".join(map(str, SEEDS))
    names = [f"{STUDY}/{name}" for name in TRIALS]
    (made.folder / "docs").symlink_to(Path(__file__).parents[1] / "docs")
    made.call("run", *names, "--seeds", seeds)
    return made


@pytest.fixture(scope="module")
def link(project: Project) -> Iterator[str]:
    with mlflow_page.served(project) as links:
        assert list(links) == [STUDY]
        yield links[STUDY]
    assert project.processes() == []


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser.browser() as opened:
        yield opened


@pytest.fixture
def page(chromium: Browser, link: str) -> Iterator[Page]:
    """The study's runs; whatever goes wrong in the browser fails the test."""
    with browser.page(chromium) as (opened, watch):
        mlflow_page.open_study(opened, link)
        yield opened
        assert watch.unexpected(mlflow_page.NOISE) == []
        assert {request.split("/")[2] for request in watch.requests if request.startswith("http")} == {
            link.split("/")[2]
        }, "the page asks nobody but the server on this machine"


def means(project: Project, trial: str) -> dict[str, float]:
    """The trial's numbers as its parent run has them."""
    return next(run.data.metrics for run in project.runs("trial", STUDY) if run.info.run_name == trial)


def test_the_list_has_one_line_per_trial_with_numbers_and_its_seeds_below(page, project):
    assert sorted(mlflow_page.names(page)) == sorted([f"= {STUDY}", *TRIALS])
    for column in COLUMNS:
        expect(page.get_by_role("columnheader", name=column)).to_be_visible()
    shown = page.locator(f"[role=gridcell][col-id='metrics.`{COLUMNS[0]}`']").all_inner_texts()
    told = [means(project, trial)[COLUMNS[0]] for trial in TRIALS]
    assert sorted(float(text) for text in shown if text != "-") == pytest.approx(sorted(told), abs=1e-4)
    mlflow_page.unfold(page, "bce")
    expect(page.get_by_role("link", name="seed 0")).to_be_visible()
    names = mlflow_page.names(page)
    place = names.index("bce")
    assert sorted(names[place + 1 : place + 1 + len(SEEDS)]) == [f"seed {seed}" for seed in SEEDS]
    assert len(names) == 1 + len(TRIALS) + len(SEEDS)


def test_compare_draws_the_mean_curves_of_the_trials_that_were_chosen(page, project):
    mlflow_page.choose(page, *TRIALS)
    metrics = mlflow_page.compare(page)
    expect(page.get_by_role("heading", name="Comparing 3 Runs")).to_be_visible()
    mlflow_page.scroll_to(page, metrics, CURVE).click()
    expect(page.get_by_role("heading", name=CURVE).first).to_be_visible()
    curves = page.locator(".scatterlayer .trace")
    expect(curves.first).to_be_visible()
    assert len([one for one in curves.all() if one.locator("path.js-line").count()]) == 1, "only the net has curves"
    client = tracking.connect(project.record)
    children = [run.info.run_id for run in project.runs("run", STUDY) if run.data.tags["trial"].endswith("/bce")]
    seeds = results.curves(client, children)
    mean = seeds[seeds["curve"] == CURVE].groupby("epoch")["value"].mean()
    expect(page.get_by_role("row", name=re.compile("^bce"))).to_contain_text(f"{mean.max():.8f}"[:9])


def test_charts_begin_with_the_curves_and_are_grouped_by_part_and_rule(page):
    mlflow_page.draw_charts(page)
    sections = page.get_by_test_id(mlflow_page.SECTION)
    titles = [text.split("\n")[0] for text in sections.all_inner_texts()]
    assert titles[: len(ui.SECTIONS)] == list(ui.SECTIONS)
    assert {"validation/half", "crossfit/per_label", "floor/zeros"} <= set(titles)
    first = page.get_by_test_id(mlflow_page.CHART).first
    expect(first).to_contain_text("curve/")
    expect(first).to_contain_text("bce")


def test_the_page_draws_what_the_view_of_trials_alone_says(page):
    page.get_by_test_id("saved-views-trigger").click()
    page.get_by_text("Trials alone").click()
    expect(page.get_by_text(f"{len(TRIALS)} matching runs")).to_be_visible()
    assert sorted(mlflow_page.names(page)) == sorted(TRIALS)


def test_figures_and_tables_of_a_trial_are_previewed(page, project):
    page.get_by_role("link", name="bce").click()
    question = next(run for run in project.runs("trial", STUDY) if run.info.run_name == "bce").data.tags[tracking.NOTE]
    expect(page.get_by_text(question.split("\n")[0])).to_be_visible()
    page.get_by_role("tab", name="Artifacts").click()
    page.get_by_text("summary.csv").click()
    expect(page.get_by_role("columnheader", name="mean")).to_be_visible()
    row = page.get_by_role("row").nth(1)
    assert row.inner_text().startswith("test/"), "what has an interval comes first"
    page.get_by_text("figures", exact=True).click()
    page.get_by_text("learning_curves.png").click()
    picture = page.get_by_role("img", name=re.compile("learning_curves|")).and_(page.locator("img[src^=blob], img"))
    expect(picture.last).to_be_visible()
    assert picture.last.evaluate("image => image.complete && image.naturalWidth") > 600


def test_files_of_a_seed_are_previewed(page):
    mlflow_page.unfold(page, "bce")
    page.get_by_role("link", name="seed 1").click()
    page.get_by_role("tab", name="Artifacts").click()
    page.get_by_text("per_label.csv").click()
    expect(page.get_by_role("columnheader", name="label").first).to_be_visible()
    page.get_by_text("trial.yaml").click()
    expect(page.get_by_text("kind: bce").first).to_be_visible()
