"""The page of ``make competence`` says of each table what was measured; the runs behind it are no test."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks import competence

BEHIND = {"bce": 0.40, "linear": 0.41, "gradient_boosting": 0.45}


def _measured(precision: dict[str, float], left_out: dict[str, str] | None = None, warning: str = ""):
    seconds = dict.fromkeys(precision, 30.0)
    commits = frozenset({"abc1234"})
    return competence.Measured(1_000, 5, 0.123, precision, seconds, 120.0, left_out or {}, commits, warning)


def test_a_network_is_compared_with_the_better_baseline() -> None:
    assert _measured(BEHIND).difference == pytest.approx(-0.05)
    assert _measured({"bce": 0.7, "linear": 0.6}).difference == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("bce", "warning", "verdict"),
    [
        (0.445, "", "within 0.01"),
        (0.43, "The networks here are worse", "the line appears"),
        (0.43, "", "**behind, and nothing is said**"),
    ],
)
def test_what_is_said_of_a_network(bce: float, warning: str, verdict: str) -> None:
    assert _measured(BEHIND | {"bce": bce}, warning=warning).verdict == verdict


def test_the_page_has_a_row_for_each_table_and_names_those_that_are_not_run() -> None:
    left_out = {"gradient_boosting": "one label took 3 s"}
    one = _measured({"bce": 0.40, "linear": 0.41}, left_out)
    page = competence.page({"xed": one, "films": None}, "Today.")
    assert "| XED, all sentences | 1,000 | 5 | 12.3 % | 0.400 | **0.410** | left out | −0.010 | 30.0, 30.0 |" in page
    assert "On XED, all sentences, gradient boosting is left out: one label took 3 s." in page
    assert "took 2 minutes" in page
    assert "XED, all sentences: abc1234." in page
    assert page.endswith("Not run: films.\n")


def test_made_up_texts_tell_their_labels_by_two_words() -> None:
    table = competence.made_up(rows=2_000, labels=10, words=50)
    has = table["tags"].str.split("|").map(lambda tags: "tag3" in tags).to_numpy()
    told = table["text"].str.split().map(lambda words: "left3" in words).to_numpy()
    assert has.mean() == pytest.approx(0.01, abs=0.007)  # three standard errors
    assert told[has].mean() == pytest.approx(0.8, abs=0.27)
    assert np.mean(told[~has]) < 0.005
