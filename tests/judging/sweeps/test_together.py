"""Thresholds that are best together, and the best number of labels, against every combination."""

import itertools
from fractions import Fraction

import numpy as np
import pytest
from sklearn import metrics as sk

from brute_force import assign, every_cut, measured, random_parts
from rarelabels.judging.sweeps.common_threshold import best_common_threshold
from rarelabels.judging.sweeps.ordered import UndefinedLabel
from rarelabels.judging.sweeps.together import best_micro_f1_thresholds, best_top_k


def test_micro_f1_thresholds_are_the_best_of_all_combinations_of_cuts():
    iterations = []
    for y, s in random_parts(300, seed=8, max_rows=5, max_labels=4):
        if not y.any():
            continue
        by_label = [
            [(int((own & cut).sum()), int(cut.sum())) for cut in every_cut(scores)]
            for own, scores in zip(y.T, s.T, strict=True)
        ]
        values = [
            (Fraction(2 * sum(tp for tp, _ in cuts), sum(n for _, n in cuts) + int(y.sum())), -sum(n for _, n in cuts))
            for cuts in itertools.product(*by_label)
        ]
        found = best_micro_f1_thresholds(y, s)
        assigned = assign(s, found.thresholds)
        assert found.value == float(max(values)[0])
        assert Fraction(2 * int((y & assigned).sum()), int(assigned.sum() + y.sum())) == max(values)[0]
        assert -assigned.sum() == max(values)[1]
        assert not assigned[:, ~y.any(axis=0)].any()
        iterations.append(found.iterations)
    assert len(iterations) > 200
    assert max(iterations) < 10


def test_micro_f1_per_label_is_scikit_learns_and_above_the_common_threshold():
    rng = np.random.default_rng(9)
    y = rng.random((500, 400)) < np.geomspace(0.3, 0.004, 400)
    s = np.clip(0.3 * y + 0.7 * rng.random(y.shape), 0, 1)
    found = best_micro_f1_thresholds(y, s)
    assert found.value == pytest.approx(sk.f1_score(y, assign(s, found.thresholds), average="micro"), abs=1e-12)
    assert found.value > best_common_threshold(y, s, "micro_f1").value + 0.005


def test_top_k_is_the_best_of_every_k_whatever_the_order_of_the_columns():
    checked = 0
    for y, s in random_parts(1200, seed=11, max_rows=6):
        if not y.any():
            continue
        values = []
        for k in range(1, y.shape[1] + 1):
            last = np.sort(s, axis=1)[:, ::-1][:, k - 1 : k]
            values.append(measured("samples_f1", y, s >= last))
        found = best_top_k(y, s)
        assert found.value == pytest.approx(max(values), abs=1e-12)
        assert found.k == 1 + int(np.argmax(np.array(values) > max(values) - 1e-9))
        assert best_top_k(y[:, ::-1], s[:, ::-1]).k == found.k
        checked += 1
    assert checked > 300


@pytest.mark.parametrize("sweep", [best_micro_f1_thresholds, best_top_k])
def test_without_a_positive_nothing_is_best_together(sweep):
    with pytest.raises(UndefinedLabel, match="no positives in 2 labels"):
        sweep(np.zeros((3, 2)), np.full((3, 2), 0.5))
