"""The report's page: its words follow the verdicts; of real runs, it is whole in a real browser."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from browser import browser
from browser import page as opened_page
from project import Project
from rarelabels.compare.comparison import Row
from rarelabels.compare.verdicts import Finding
from rarelabels.declare.study import StudySpec
from rarelabels.record import connection
from rarelabels.show.report import page as report_page
from rarelabels.show.report.contents import Contents
from small_report import finding, small

MINI = """
title: A small study of <films> & more
question: What does a page say of it?
thread: none
hypotheses:
  - name: accuracy
    claim: All zeros are as accurate as base rates, "or so".
    source: here
    trial: zeros
    against: prior
    metric: test/half/binary_accuracy
    direction: equal
    margin: 0.05
    advice: {about: metric, upheld: Do not trust accuracy., refuted: Trust accuracy in full.}
  - name: net
    claim: The network ranks better than base rates do.
    source: here
    trial: net
    against: prior
    metric: test/ranking/macro_average_precision
    direction: greater
    margin: 0.01
  - name: absent
    claim: What was not run cannot be told.
    source: here
    trial: linear
    against: prior
    metric: test/ranking/macro_average_precision
    direction: greater
    margin: 0.01
    advice: {about: loss, upheld: Take the one., refuted: Take the other.}
"""
TRIALS = {
    "zeros": "model: {kind: floor, predicts: zeros}",
    "prior": "model: {kind: floor, predicts: prior}",
    "linear": "model: {kind: linear}",
    "net": "training: {epochs: 2}\nloss: {kind: bce}",
}


def rendered(page: Contents) -> str:
    return report_page.render([page])


def test_advice_follows_the_verdict_and_is_silent_where_nothing_was_measured() -> None:
    def told(*findings: Finding) -> list[str]:
        return [line.text for lines in report_page.advice([small(*findings)]).values() for line in lines]

    assert told(finding("upheld")) == ["Take the one."]
    assert told(finding("refuted")) == ["Take the other."]
    assert told(finding("undecided")) == ["Not decided here: One is better & <so on>."]
    assert told(finding("undecided", reason="not run: a")) == []
    assert told(finding("upheld", advice=False)) == []


def test_text_is_escaped_and_numbers_are_signed() -> None:
    page = rendered(small(finding("upheld"), finding("refuted", "other", advice=False)))
    assert "One is better &amp; &lt;so on&gt;." in page
    assert "<so on>" not in page
    assert 'alt="What &#34;it&#34; shows."' in page
    assert "+0.100" in page
    assert "1 upheld, 1 refuted, 0 undecided." in re.sub(r"\s+", " ", page)
    assert "So, what should I use?" in page
    assert "2026-11-24 to 2026-11-25" in re.sub(r"\s+", " ", page)


def test_what_searches_found_stands_on_the_page_with_their_budget() -> None:
    page = small()
    (part,) = page.parts
    plain = replace(part.comparison.rows[0], found="loss.gamma = 5 (12 trials); the best may lie beyond: loss.gamma")
    half = replace(plain, name="a searched for half", found="loss.gamma = 1 (validation/half/macro_f1 0.5)")

    def told(*rows: Row) -> str:
        tuned = StudySpec(title="Small", question="What is it?", thread="none", protocol="each_tuned")
        parts = [replace(part, comparison=replace(part.comparison, rows=list(rows)))]
        return re.sub(r"\s+", " ", rendered(replace(page, study=tuned, parts=parts)))

    assert "What each search found" not in rendered(page)
    assert "12 trainings for crossfit/per_label/macro_f1" in told(plain)
    assert "<li><strong>a</strong>: loss.gamma = 5 (12 trials); the best may lie beyond: loss.gamma</li>" in told(plain)
    assert "Hypotheses about decisions at 0.5 compare" not in told(plain)
    assert "about decisions at 0.5 compare trials that were searched for validation/half/macro_f1" in told(half)


def test_what_has_no_result_is_on_the_page_with_its_reason() -> None:
    page = small()
    (part,) = page.parts
    lacking = replace(
        part.comparison,
        missing=["b"],
        skipped=["c: no such file"],
        left_out=["d seed 0: left out: it would take 9 minutes"],
    )
    told = rendered(replace(page, parts=[replace(part, comparison=lacking)]))
    for line in ("Without a result: b", "c: no such file", "d seed 0: left out: it would take 9 minutes"):
        assert f"<li>{line}</li>" in told


def test_no_style_for_print_gives_text_an_edge() -> None:
    edged = re.findall(r"([^{}]*)\{[^{}]*border-left", rendered(small()))
    assert [selector.strip() for selector in edged] == [".warning", ".bound"]


class Outline(HTMLParser):
    """The ids of a page, where its links lead, and its images."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.images: list[dict[str, str | None]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.ids += [given["id"]] if given.get("id") else []
        self.links += [given["href"]] if tag == "a" and given.get("href") else []
        self.images += [given] if tag == "img" else []

    def dangling(self) -> list[str]:
        return [link for link in self.links if link.removeprefix("#") not in self.ids]


def test_studies_of_odd_names_have_links_that_lead_to_them() -> None:
    names = ("my study", "my_study", 'a "b" <i>', "a.1", "a")
    page = report_page.render([replace(small(finding("upheld")), name=name) for name in names])
    outline = Outline(page)
    assert outline.dangling() == []
    assert len(set(outline.ids)) == len(outline.ids)
    assert "<i>" not in page


def test_without_advice_and_without_findings_a_page_is_whole() -> None:
    page = rendered(small())
    assert "So, what should I use?" not in page
    assert "Verdicts" not in page
    assert Outline(page).dangling() == []


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """A small study that was run: two floors and a network, two seeds."""
    project = Project(tmp_path_factory.mktemp("report"), plain=True, genres=5, draws=True)
    folder = project.folder / "experiments" / "mini"
    folder.mkdir()
    (folder / "study.yaml").write_text(MINI, encoding="utf-8")
    for name, block in TRIALS.items():
        text = (
            f"extends: ../movies/_base.yaml\nquestion: What does {name} score?\nthread: none\nseeds: [0, 1]\n{block}\n"
        )
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    project.do("run", "mini/zeros", "mini/prior", "mini/net", "--workers", "2")
    return project


def test_nothing_recorded_is_one_line_and_no_file(tmp_path: Path) -> None:
    project = Project(tmp_path)
    _, err = project.do("report", code=2)
    assert err.splitlines()[-1].startswith("rarelabels: nothing is recorded of ")
    assert not (tmp_path / "runs").exists()
    _, err = project.do("report", "movie", code=2)
    assert "did you mean 'movies'" in err


def test_the_page_of_a_record_is_whole_and_on_the_run_of_the_study(recorded: Project) -> None:
    out, _ = recorded.do("report")
    assert out == "runs/report.html: mini\n"
    page = (recorded.folder / "runs" / "report.html").read_text(encoding="utf-8")
    outline = Outline(page)
    assert outline.dangling() == []
    assert len(set(outline.ids)) == len(outline.ids)
    assert {"mini.verdicts", "mini.1.rules", "mini.1.price"} | {
        f"mini.hypothesis.{name}" for name in ("accuracy", "net", "absent")
    } <= set(outline.ids)
    kinds = ("comparison", "learning_curves", "ranking_curves", "precision_recall", "reliability", "f1_by_positives")
    assert {f"mini.1.{name}" for name in kinds} <= set(outline.ids)
    assert len(outline.images) == len(kinds)
    assert all((one["src"] or "").startswith("data:image/webp;base64,") for one in outline.images)
    assert all(len(one["alt"] or "") > 40 for one in outline.images)
    assert not re.findall(r'(?:src|href)="(?!data:|#)', page)  # nothing is loaded from elsewhere
    assert "Do not trust accuracy." in page
    assert "Take the one." not in page
    assert "not run: linear" in page
    (study,) = recorded.runs("study", "mini")
    files = {file.path for file in connection.connect(recorded.record).list_artifacts(study.info.run_id)}
    assert {"report.html", "comparison.csv"} <= files


def test_a_file_that_cannot_be_written_is_one_line(recorded: Project) -> None:
    (recorded.folder / "taken").write_text("a file", encoding="utf-8")
    _, err = recorded.do("report", "mini", "--output", "taken/report.html", code=2)
    assert "taken/report.html: cannot be written" in err.splitlines()[-1]


@pytest.mark.long
@pytest.mark.parametrize("width", [390, 1280])
def test_a_browser_shows_it_at_both_widths(recorded: Project, width: int) -> None:
    recorded.do("report")
    with browser() as chromium, opened_page(chromium, width=width, height=844) as (page, watch):
        page.goto((recorded.folder / "runs" / "report.html").as_uri())
        assert watch.problems == []
        assert {url.partition(":")[0] for url in watch.requests} <= {"file", "data"}
        assert page.evaluate("document.documentElement.scrollWidth") <= width  # only tables and figures scroll
        images = page.locator("img")
        assert images.count() == 6
        for number in range(images.count()):
            assert images.nth(number).evaluate("image => image.complete && image.naturalWidth > 300")
        page.get_by_role("link", name="Precision and recall").click()
        figure = page.locator('[id="mini.1.precision_recall"]')
        page.wait_for_function("document.getElementById('mini.1.precision_recall').getBoundingClientRect().top < 400")
        assert figure.get_by_role("img").is_visible()
        assert page.locator('tr[id="mini.hypothesis.net"] .verdict').inner_text().strip() in (
            "✓ upheld",
            "✗ refuted",
            "? undecided",
        )
        page.emulate_media(media="print")
        assert page.locator("table.verdicts thead").is_visible()
