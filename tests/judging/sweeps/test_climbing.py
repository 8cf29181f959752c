"""Coordinate ascent: it ends where no single threshold can be moved for the better."""

import numpy as np
import pytest

from brute_force import assign, every_cut, measured, random_parts
from rarelabels.judging.sweeps.climbing import coordinate_ascent
from rarelabels.judging.sweeps.each_label import best_thresholds
from rarelabels.judging.sweeps.ordered import UndefinedLabel


@pytest.mark.parametrize("metric", ["macro_f1", "samples_f1", "subset_accuracy"])
def test_ascent_ends_where_no_single_threshold_can_be_moved_for_the_better(metric):
    rng, moved = np.random.default_rng(12), 0
    for y, s in random_parts(240, seed=13, max_rows=7, max_labels=4):
        if not y.any():
            continue
        start = rng.choice(s.ravel(), s.shape[1]).astype(np.float64)
        kept = start.copy()
        found = coordinate_ascent(y, s, metric, start)
        np.testing.assert_array_equal(start, kept)
        assigned = assign(s, found.thresholds)
        assert np.isfinite(found.thresholds).all()
        assert found.value == pytest.approx(measured(metric, y, assigned), abs=1e-12)
        assert found.value >= measured(metric, y, assign(s, start)) - 1e-12
        for label in range(y.shape[1]):
            for cut in every_cut(s[:, label]):
                other = assigned.copy()
                other[:, label] = cut
                assert measured(metric, y, other) <= found.value + 1e-9
        moved += found.sweeps > 1
    assert moved > 100


def test_ascent_of_macro_f1_is_the_maximum():
    for y, s in random_parts(120, seed=14):
        if y.any():
            found = coordinate_ascent(y, s, "macro_f1", np.full(y.shape[1], 0.5))
            sweep = best_thresholds(y, s)
            assert found.value == pytest.approx(sweep.values[sweep.defined].mean(), abs=1e-12)


def test_without_a_positive_there_is_no_way_up_but_in_subset_accuracy():
    y, s = np.zeros((3, 2)), np.full((3, 2), 0.5)
    for metric in ("macro_f1", "samples_f1"):
        with pytest.raises(UndefinedLabel, match=f"no positives in 2 labels; {metric} has no maximum"):
            coordinate_ascent(y, s, metric, np.zeros(2))
    found = coordinate_ascent(y, s, "subset_accuracy", np.array([0.0, 0.9]))
    assert not assign(s, found.thresholds).any()
    assert (found.value, found.sweeps) == (1.0, 2)
