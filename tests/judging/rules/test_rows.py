"""What several rules need of the rows that choose them, each found once."""

from __future__ import annotations

import numpy as np
import pytest

from choosing_rows import rows, small_part
from rarelabels.judging.rules.choose import choose
from rarelabels.judging.rules.rows import Rows
from rarelabels.judging.scores import Scores
from rarelabels.judging.settings import F1
from rarelabels.judging.sweeps.each_label import sweep_labels


def test_what_several_rules_need_is_found_once(monkeypatch: pytest.MonkeyPatch) -> None:
    swept: list[int] = []
    monkeypatch.setattr(
        "rarelabels.judging.rules.rows.sweep_labels",
        lambda scores, objective: swept.append(len(scores.truth)) or sweep_labels(scores, objective),
    )
    choose(rows(0.2))
    assert swept.count(90) == 1  # per_label, per_label_shrunk and per_label_crossfit
    assert len(swept) == 6  # and once with each fold left out


def test_labels_with_too_few_positives_take_the_common_threshold() -> None:
    y, s = small_part()  # about 30, 18, 4 and no positives
    on = Rows(Scores.from_arrays(y, s), F1, min_positives=5)
    assert on.has_own.tolist() == [True, True, False, False]
    assert (on.n_without_own, on.n_without_positives, on.n_undefined) == (2, 1, 1)
    assert on.own_or_common.tolist() == [*on.sweep.thresholds[:2], on.common, on.common]
    assert on.best_common("micro_f1") == on.common


def test_a_threshold_below_all_is_reached_by_every_score_and_every_probability() -> None:
    assert Rows(Scores.from_arrays([[1, 0]], [[0.2, 0.4]]), F1).below_all == -1
    below = Rows(Scores.from_arrays([[1, 0]], [[-7.0, 0.4]]), F1).below_all
    assert -7.001 < below < -7


def test_a_single_threshold_is_that_of_every_label() -> None:
    rule = rows(0.2).rule("name", 0.3, 2, at_most=1)
    assert (rule.thresholds.tolist(), rule.fallbacks, rule.at_most) == ([0.3] * 6, 2, 1)
    assert rows(0.2).rule("name", np.arange(6.0)).thresholds.tolist() == [0, 1, 2, 3, 4, 5]


def test_folds_are_the_rows_of_the_others_and_a_single_row_chooses_for_itself() -> None:
    on = rows(0.2)
    for others, fold in on.by_fold:
        np.testing.assert_array_equal(others.scores.truth, on.scores.truth[~fold])
        assert (others.objective, others.min_positives) == (on.objective, 3)
    ((alone, fold),) = Rows(Scores.from_arrays([[1, 0]], [[0.2, 0.4]]), F1).by_fold
    assert (len(alone.scores.truth), fold.tolist()) == (1, [True])


def test_where_no_row_has_a_label_the_common_threshold_is_half() -> None:
    assert rows(0.0).common == 0.5
