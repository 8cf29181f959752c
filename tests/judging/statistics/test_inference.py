"""Holm's procedure by hand; the best trial and those that cannot be told from it."""

from __future__ import annotations

import numpy as np
import pytest

from made_up_estimates import ROWS, estimate, rows
from rarelabels.judging.statistics import inference
from rarelabels.judging.statistics.inference import holm, not_worse_than_best


def test_holm_by_hand():
    np.testing.assert_allclose(holm([0.01, 0.04, 0.03]), [0.03, 0.06, 0.06])
    np.testing.assert_allclose(holm([0.005, 0.011, 0.02, 0.04, 0.13]), [0.025, 0.044, 0.06, 0.08, 0.13])
    np.testing.assert_allclose(holm([0.6, 0.7]), [1.0, 1.0])
    assert holm([]).shape == (0,)


def test_best_is_marked_with_all_that_cannot_be_told_from_it():
    shared, own = 0.05 * ROWS, 0.01 * rows(1)
    runs = {
        "best": estimate(0.50, shared),
        "same": estimate(0.50, shared),
        "close": estimate(0.49, shared + own),
        "worse": estimate(0.45, shared + own),  # paired: 5 standard errors below, though all intervals overlap
    }
    assert not_worse_than_best(runs) == {"best", "same", "close"}
    losses = {name: estimate(1 - one.value, -one.influence) for name, one in runs.items()}
    assert not_worse_than_best(losses, higher_is_better=False) == {"best", "same", "close"}
    assert not_worse_than_best({"best": runs["best"]}) == {"best"}


def test_holm_makes_a_borderline_trial_not_told_apart_among_many():
    best, borderline = estimate(0.5), estimate(0.5 - 2.2 * 0.01, 0.01 * ROWS)  # 2.2 standard errors: p = 0.028
    assert not_worse_than_best({"a": best, "b": borderline}) == {"a"}
    others = {f"tied {i}": estimate(0.5, rows(i)) for i in range(4)}
    assert "b" in not_worse_than_best({"a": best, "b": borderline} | others)


def test_what_is_worse_or_better_can_both_be_told_from_a_trial():
    points = {"one": 0.5, "worse": 0.4, "better": 0.6, "near": 0.501}
    runs = {name: estimate(point, 0.01 * k * ROWS) for k, (name, point) in enumerate(points.items())}
    assert inference.not_told_from("one", runs) == {"one", "near"}


def test_errors_say_what_is_wrong():
    with pytest.raises(ValueError, match="must name a trial"):
        not_worse_than_best({})
    with pytest.raises(ValueError, match="same seeds and groups"):
        not_worse_than_best({"a": estimate(0.5), "b": estimate(0.4, seeds=3)})
