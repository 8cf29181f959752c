"""Threshold rules of other packages."""

from __future__ import annotations

import doctest
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from rarelabels.errors import UserError
from rarelabels.judging.rules import own
from rarelabels.judging.rules.choose import choose
from rarelabels.judging.rules.crossfit import decide_by_folds
from rarelabels.judging.rules.own import OwnRule
from rarelabels.judging.rules.rows import Rows
from rarelabels.judging.scores import Scores
from rarelabels.judging.settings import F1

MEAN = OwnRule(
    name="mean_score",
    words="the mean score of each label",
    thresholds=lambda _, scores, __: scores.mean(axis=0),
    package="mine 1.2",
)
ROWS = Rows(Scores.from_arrays([[1, 0], [0, 1]], [[0.9, 0.2], [0.5, 0.6]]), F1)


def test_the_example() -> None:
    assert doctest.testmod(own).failed == 0


def test_it_is_chosen_beside_ours() -> None:
    rules = choose(ROWS, ["half"], [MEAN])
    assert list(rules) == ["half", "mean_score"]
    assert rules["mean_score"].thresholds.tolist() == [0.7, 0.4]
    assert rules["mean_score"].fallbacks == 0
    assert list(choose(ROWS)) == list(choose(ROWS, own=()))


def test_nan_is_the_common_threshold_and_a_fallback() -> None:
    some = replace(MEAN, thresholds=lambda *_: [np.nan, 0.25])
    chosen = choose(ROWS, ["global"], [some])
    assert chosen["mean_score"].thresholds.tolist() == [chosen["global"].thresholds[0], 0.25]
    assert chosen["mean_score"].fallbacks == 1


def test_rows_without_a_positive_choose_half() -> None:
    none = Rows(Scores.from_arrays([[0, 0]], [[0.9, 0.2]]), F1)
    chosen = choose(none, [], [replace(MEAN, thresholds=lambda *_: pytest.fail("not asked"))])["mean_score"]
    assert (chosen.thresholds.tolist(), chosen.fallbacks) == ([0.5, 0.5], 2)


def test_a_row_is_decided_by_the_thresholds_of_the_other_folds() -> None:
    """Five rows are five folds, so that each is decided by the mean of the other four."""
    draw = np.random.default_rng(3)
    scores = draw.random((5, 2))
    rows = Rows(Scores.from_arrays([[1, 1]] * 5, scores), F1)
    decided = decide_by_folds(rows, own=[MEAN])
    expected = [scores[row] >= np.delete(scores, row, axis=0).mean(axis=0) for row in range(5)]
    assert decided["mean_score"].tolist() == np.array(expected).tolist()
    assert "mean_score" not in decide_by_folds(rows)


def test_it_sees_what_is_known_and_can_change_nothing() -> None:
    seen = []

    def look(truth: Any, scores: Any, known: Any) -> Any:
        seen.append((truth.tolist(), known.tolist()))
        scores[0, 0] = 1.0
        return scores[0]

    rows = Rows(Scores.from_arrays([[1, np.nan]], [[0.9, 0.2]]), F1)
    with pytest.raises(UserError, match=r"mine 1\.2: its rule 'mean_score' failed: ValueError: assignment"):
        choose(rows, [], [replace(MEAN, thresholds=look)])
    assert seen == [([[True, False]], [[True, False]])]


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (lambda *_: 1 / 0, "failed: ZeroDivisionError: division by zero"),
        (lambda *_: ["high", "low"], "failed: ValueError: could not convert string to float: 'high'"),
        (lambda *_: 0.5, r"gave thresholds of shape \(\); they must be one a label, \(2,\)"),
        (lambda *_: [0.5] * 3, r"gave thresholds of shape \(3,\); they must be one a label, \(2,\)"),
        (lambda *_: [0.5, np.inf], "gave a threshold that is infinite; allowed are finite ones, and NaN for none"),
    ],
)
def test_what_fails_is_one_line_that_names_the_package(given: Any, reason: str) -> None:
    with pytest.raises(UserError, match=f"^mine 1.2: its rule 'mean_score' {reason}$"):
        choose(ROWS, [], [replace(MEAN, thresholds=given)])
