"""A judgement as HTML: a page that needs no other file, and what a notebook shows."""

from __future__ import annotations

import re

import browser
import rarelabels as rl
from judged_arrays import S_VAL, Y_VAL, S, Y
from rarelabels.show.judgement import Judgement


def test_the_page_needs_no_other_file_and_no_name_is_markup(tmp_path, judged):
    path = tmp_path / "new" / "page.html"
    rl.judge(Y, S, validation=(Y_VAL, S_VAL), labels=["<script>alert(1)</script>", "a & b", "c"]).to_html(path)
    with browser.browser() as opened, browser.page(opened) as (page, watch):
        page.goto(path.as_uri())
        assert page.locator("table").count() == 4
        assert page.locator("img").evaluate("image => image.naturalWidth") > 1000
        assert page.locator("script").count() == 0
        assert page.get_by_text("<script>alert(1)</script>").count() == 2  # what it costs, and each label
        assert watch.requests == [path.as_uri()] or all(url.startswith("data:") for url in watch.requests[1:])
        assert watch.problems == []
        assert page.evaluate("document.documentElement.scrollWidth") <= 1600


def test_what_a_notebook_shows_has_the_numbers_of_the_table(judged):
    shown = re.sub(r"<[^>]+>", " ", judged._repr_html_())
    cells = " ".join(shown.partition("macro-F1")[2].split()[:5])
    table = judged.table().loc["macro_f1"]
    assert cells.startswith(" ".join(f"{table[name]:.3f}" for name in ("zeros", "ones", "prior", "half")))
    assert "Each label" in shown
    assert "What each threshold finds and costs" in shown


def test_a_figure_that_fails_is_a_line_of_the_page(judged, monkeypatch):
    def fail(*_):
        raise ValueError("no room")

    monkeypatch.setattr(Judgement, "plot", fail)
    shown = judged._repr_html_()
    assert "<p>The figure: not drawn: ValueError: no room</p>" in shown
    assert "<img" not in shown
    assert "What each threshold finds and costs" in shown


def test_a_notebook_reads_no_formula_in_a_name(judged):
    assert 'class="rarelabels tex2jax_ignore mathjax_ignore"' in judged._repr_html_()
