"""Cells in order, the cuts between them, and thresholds that part even neighbouring floats."""

import json

import numpy as np
import pytest

from brute_force import COMMON, KINDS, assign, best, random_parts
from rarelabels.judging.sweeps import ordered
from rarelabels.judging.sweeps.common_threshold import best_common_threshold
from rarelabels.judging.sweeps.each_label import best_thresholds
from rarelabels.judging.sweeps.ordered import (
    ALWAYS,
    NEVER,
    find_cuts,
    highest_of_each,
    known_of_rows,
    labels_in_order,
    order_cells,
    rows_in_order,
    rows_of_each_size,
    slices,
    threshold,
    thresholds_for_counts,
)
from rarelabels.judging.sweeps.together import best_micro_f1_thresholds, best_top_k


def test_threshold_is_finite_and_strictly_above_the_next_lower_score():
    for y, s in random_parts(240, seed=1):
        sweep = best_thresholds(y, s)
        assert sweep.thresholds.dtype == np.float64
        assert np.isfinite(sweep.thresholds).all()
        for cut, scores in zip(sweep.thresholds, s.T.astype(np.float64), strict=True):
            lower, upper = scores[scores < cut], scores[scores >= cut]
            if lower.size and upper.size and np.nextafter(lower.max(), np.inf) < upper.min():
                assert lower.max() < cut < upper.min()


def test_threshold_lies_in_the_middle_of_the_gap():
    assert best([1, 1, 0], [0.9, 0.7, 0.2]) == pytest.approx(0.45)
    assert best([1, 0], [1.6e308, 1.2e308]) == pytest.approx(1.4e308)  # their sum is not a float


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_neighbouring_floats_are_told_apart_also_after_json(dtype):
    low = dtype(0.3)
    high = np.nextafter(low, dtype(1))
    scores = np.array([high, low, low], dtype=dtype)
    for y, wanted in (([1, 0, 0], [True, False, False]), ([0, 1, 1], [True, True, True])):
        threshold = json.loads(json.dumps(best(y, scores)))
        np.testing.assert_array_equal(assign(scores, threshold), wanted)


def test_scores_beyond_probabilities_still_have_finite_thresholds():
    assert best([1, 1], [-50.0, -70.0]) < -70.0
    assert 70 < best([0, 0], [50.0, 70.0]) < np.inf


def test_input_is_left_alone():
    rng = np.random.default_rng(15)
    for offset in (0.0, -0.5):  # the way of probabilities, and that of logits
        y, s = rng.random((20, 5)) < 0.5, np.asfortranarray(rng.random((20, 5)) + offset)
        kept = y.copy(), s.copy()
        best_thresholds(y, s)
        best_micro_f1_thresholds(y, s)
        best_top_k(y, s)
        for metric in COMMON:
            best_common_threshold(y, s, metric, at_least_one=True)
        np.testing.assert_array_equal(y, kept[0])
        np.testing.assert_array_equal(s, kept[1])


@pytest.mark.parametrize("kind", KINDS)
def test_cells_rise_with_their_scores_and_positives_come_first_among_equals(kind):
    rng = np.random.default_rng(20)
    truth, scores = rng.random((3, 40)) < 0.4, KINDS[kind](rng, (3, 40))
    found = order_cells(truth, scores)
    for group in range(3):
        wanted = sorted(zip(scores[group].astype(np.float64).tolist(), (~truth[group]).tolist(), strict=True))
        assert found.all_scores()[group].tolist() == [score for score, _ in wanted]
        assert found.positives()[group].tolist() == [not is_negative for _, is_negative in wanted]


def two_groups(offset=0.0):
    """In order: 0.1+ 0.1− 0.5+ 0.5+ 0.5− 0.9−, and six positives at 0.2; with an offset below 0 they are logits."""
    truth = np.array([[0, 1, 0, 1, 1, 0], [1] * 6]) == 1
    return order_cells(truth, np.array([[0.5, 0.5, 0.1, 0.1, 0.5, 0.9], [0.2] * 6]) + offset)


@pytest.mark.parametrize("offset", [0.0, -2.0])
def test_places_of_cells_by_hand(offset):
    cells = two_groups(offset)
    assert cells.positive_places().tolist() == [0, 2, 3, *range(6, 12)]
    assert cells.first_of_equals().tolist() == [[0, 0, 2, 2, 2, 5], [0] * 6]
    assert cells.first_places_of_equals(np.array([1, 4, 5, 6, 11])).tolist() == [0, 2, 5, 6, 6]
    negatives = np.array([1, 4])
    assert cells.places_above(np.zeros(2, int), cells.keys.reshape(-1)[negatives]).tolist() == [2, 5]
    assert (cells.lowest() - offset).tolist() == pytest.approx([0.1, 0.2])
    assert (cells.highest() - offset).tolist() == pytest.approx([0.9, 0.2])


@pytest.mark.parametrize("at_once", [1 << 18, 5, 1])
def test_what_is_looked_at_in_one_go_changes_no_place_and_no_sum(at_once, monkeypatch):
    monkeypatch.setattr(ordered, "CELLS_AT_ONCE", at_once)
    assert two_groups().positive_places().tolist() == [0, 2, 3, *range(6, 12)]
    assert two_groups().sums_from(np.array([0, 2, 6])).tolist() == pytest.approx([0.2, 2.4, 1.2])


@pytest.mark.parametrize("n_groups", [1, 16, 17, 1000])
def test_slices_hold_every_group_once(n_groups):
    held = [number for block in slices(n_groups, 100_000) for number in range(n_groups)[block]]
    assert held == list(range(n_groups))


def test_cuts_are_at_positives_by_hand():
    cuts = find_cuts(order_cells(np.array([[True, False, True]]), np.array([[0.9, 0.7, 0.2]])))
    assert (cuts.places.tolist(), cuts.bounds.tolist(), cuts.positives.tolist()) == ([0, 2], [0, 2], [2])
    assert (cuts.hits.tolist(), cuts.assigned.tolist()) == ([2, 1], [3, 1])
    assert [ends.tolist() for ends in cuts.gap(np.array([0, 1]))] == [[0.2, 0.9], [-np.inf, 0.7]]
    lowest, highest, something, nothing = np.array([0]), np.array([1]), np.array([False]), np.array([True])
    assert cuts.thresholds(highest, something).tolist() == pytest.approx([0.8])
    assert cuts.thresholds(lowest, something).tolist() == [ALWAYS]
    assert cuts.thresholds(lowest, nothing).tolist() == [NEVER]
    assert [counts.tolist() for counts in cuts.counts(lowest, something)] == [[2], [3]]
    assert [counts.tolist() for counts in cuts.counts(lowest, nothing)] == [[0], [0]]


def test_of_equal_merits_the_last_is_taken_and_a_group_without_cuts_has_none():
    best_merits, chosen = highest_of_each(np.array([1, 3, 3, 2]), np.array([0, 3, 3, 4]))
    assert (best_merits.tolist(), chosen.tolist()) == ([3, 0, 2], [2, -1, 3])


def test_a_threshold_is_in_the_gap_or_on_the_upper_score():
    above = np.nextafter(0.3, 1)
    found = threshold(np.array([0.2, 0.3, -np.inf, -np.inf]), np.array([0.7, above, 0.4, -5.0]))
    assert found[0] == pytest.approx(0.45)
    assert found[1:].tolist() == [above, ALWAYS, np.nextafter(-5.0, -np.inf)]


def test_thresholds_for_counts_of_rows_by_hand():
    scores = np.tile([[0.9], [0.5], [0.4]], 4)
    assert thresholds_for_counts(scores, [1, 2, 3, 0]).tolist() == pytest.approx([0.7, 0.45, ALWAYS, NEVER])
    tied = np.array([[0.9], [0.5], [0.5]])
    assert (tied >= thresholds_for_counts(tied, [2])).all()  # the row that ties with the second is assigned too


def test_rows_with_equally_many_known_cells_come_together() -> None:
    known = np.array([[1, 0, 1], [0, 0, 0], [0, 1, 0], [1, 1, 0]], dtype=bool)
    scores = np.arange(12.0).reshape(4, 3)
    assert [rows.tolist() for rows in rows_of_each_size(known)] == [[2], [0, 3]]
    assert known_of_rows(scores, known, np.array([0, 3])).tolist() == [[0, 2], [9, 10]]
    blocks = list(rows_in_order(np.zeros((4, 3), bool), scores, known))
    assert [block.all_scores().tolist() for block in blocks] == [[[7]], [[0, 2], [9, 10]]]


def test_a_label_that_is_known_nowhere_has_no_cells_and_is_never_assigned() -> None:
    known = np.array([[True, False], [True, False]])
    _, nothing = labels_in_order(np.array([[True, False], [False, False]]), np.array([[0.2, 0.4], [0.1, 0.3]]), known)
    assert nothing.keys.shape == (1, 0)
    assert (nothing.lowest().tolist(), nothing.highest().tolist()) == ([np.inf], [-np.inf])
    assert find_cuts(nothing).thresholds(np.array([-1]), np.array([True])).tolist() == [NEVER]
