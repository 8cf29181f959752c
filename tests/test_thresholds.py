"""Exact sweeps against brute force, and the rules chosen by them."""

import json

import numpy as np
import pytest
from sklearn.metrics import f1_score

from rarelabels.thresholds import (
    UndefinedLabel,
    assign,
    best_f1_threshold,
    best_f1_thresholds,
    best_micro_f1_threshold,
    choose_rules,
    oracle,
)


def f1(y_true, y_pred):
    wrong = np.count_nonzero(y_true != y_pred)
    hits = np.count_nonzero(y_true & y_pred)
    return 2 * hits / (2 * hits + wrong) if hits else 0.0


def every_cut(y_true, y_score):
    """(F1, labels assigned) of every way to cut the scores: above each distinct one, and assigning nothing."""
    cuts = [y_score >= score for score in np.unique(y_score)] + [np.zeros(y_score.shape, dtype=bool)]
    return [(f1(y_true, cut), int(cut.sum())) for cut in cuts]


def random_cases(n_cases, seed=0):
    """Small labels with ties, constants, one positive, no negatives, float32, logits and neighbouring floats."""
    rng = np.random.default_rng(seed)
    for case in range(n_cases):
        n = int(rng.integers(1, 13))
        y = rng.random(n) < rng.choice([0.1, 0.3, 0.7, 1.0])
        y[rng.integers(n)] = True
        kind = case % 6
        if kind == 0:
            s = rng.integers(0, 4, n) / 4
        elif kind == 1:
            s = rng.random(n).astype(np.float32)
        elif kind == 2:
            s = 0.3 + np.spacing(0.3) * rng.integers(0, 4, n)
        elif kind == 3:
            s = (np.float32(0.7) + np.spacing(np.float32(0.7)) * rng.integers(0, 4, n)).astype(np.float32)
        elif kind == 4:
            s = rng.normal(size=n) * 10.0 ** rng.integers(-3, 300)
        else:
            s = np.full(n, rng.random())
        yield y, s


def test_sweep_finds_the_maximum_of_brute_force_and_the_fewest_assigned_of_equals():
    for y, s in random_cases(2400):
        cuts = every_cut(y, s)
        best = max(value for value, _ in cuts)
        fewest = min(size for value, size in cuts if value == best)
        assigned = assign(s, best_f1_threshold(y, s))
        assert (f1(y, assigned), int(assigned.sum())) == (best, fewest), (y, s)


def test_threshold_is_finite_float64_and_strictly_above_the_next_lower_score():
    for y, s in random_cases(1200, seed=1):
        threshold = best_f1_threshold(y, s)
        assert isinstance(threshold, np.float64)
        assert np.isfinite(threshold)
        lower = s[s.astype(np.float64) < threshold].astype(np.float64)
        upper = s[s.astype(np.float64) >= threshold].astype(np.float64)
        if lower.size and np.nextafter(lower.max(), np.inf) < upper.min():
            assert lower.max() < threshold < upper.min()


def test_threshold_lies_in_the_middle_of_the_gap():
    assert best_f1_threshold([1, 1, 0], [0.9, 0.7, 0.2]) == pytest.approx(0.45)
    assert best_f1_threshold([1, 0], [1.6e308, 1.2e308]) == pytest.approx(1.4e308)  # their sum is not a float


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_neighbouring_floats_are_told_apart_also_after_json(dtype):
    low = dtype(0.3)
    high = np.nextafter(low, dtype(1))
    scores = np.array([high, low, low], dtype=dtype)
    for y, wanted in (([1, 0, 0], [True, False, False]), ([0, 1, 1], [True, True, True])):
        threshold = json.loads(json.dumps(best_f1_threshold(y, scores)))
        np.testing.assert_array_equal(assign(scores, threshold), wanted)


def test_of_equal_f1_the_highest_gap_is_taken():
    # Assigning the first gives 2·1/(1+3) = 1/2; assigning the first five 2·2/(5+3) = 1/2; nothing gives more.
    y = [1, 0, 0, 0, 1, 0, 0, 0, 0, 1]
    s = [0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0.0]
    assert best_f1_threshold(y, s) == pytest.approx(0.85)


@pytest.mark.parametrize("y", [[1, 1, 1], [1, 0, 0], [0, 1, 0]])
def test_a_constant_score_assigns_every_row_below_any_probability(y):
    threshold = best_f1_threshold(y, [0.2, 0.2, 0.2])
    assert threshold == -1.0
    assert assign(np.zeros(1), threshold).all()


def test_scores_beyond_probabilities_still_have_finite_thresholds():
    assert best_f1_threshold([1, 1], [-50.0, -70.0]) < -70.0
    sweep = best_f1_thresholds([[0], [0]], [[50.0], [70.0]])
    assert np.isfinite(sweep.thresholds[0])
    assert sweep.thresholds[0] > 70.0


def test_no_positives_has_no_maximum():
    with pytest.raises(UndefinedLabel, match="no positives among 3 rows"):
        best_f1_threshold([0, 0, 0], [0.1, 0.2, 0.3])
    with pytest.raises(UndefinedLabel, match="no positives in 2 labels"):
        best_micro_f1_threshold(np.zeros((3, 2)), np.ones((3, 2)) / 2)


def test_all_labels_at_once_reach_the_f1_of_scikit_learn_and_count_the_undefined():
    rng = np.random.default_rng(2)
    n_labels = 150  # more than one block of columns
    y = rng.random((40, n_labels)) < 0.2
    y[:, [0, 70, 149]] = False
    s = np.round(rng.random((40, n_labels)), 1).astype(np.float32)
    sweep = best_f1_thresholds(y, s)
    reached = f1_score(y, assign(s, sweep.thresholds), average=None, zero_division=0)
    np.testing.assert_allclose(sweep.f1, reached, atol=1e-12)
    np.testing.assert_array_equal(np.flatnonzero(~sweep.defined), [0, 70, 149])
    np.testing.assert_array_equal(sweep.thresholds[~sweep.defined], 2.0)
    for label in (1, 63, 64, 148):
        assert sweep.thresholds[label] == best_f1_threshold(y[:, label], s[:, label])


def test_common_threshold_maximises_micro_f1():
    rng = np.random.default_rng(3)
    for _ in range(300):
        y = rng.random((6, 3)) < 0.3
        y[0, 0] = True
        s = rng.integers(0, 8, (6, 3)) / 8
        best = max(value for value, _ in every_cut(y, s))
        reached = f1_score(y, assign(s, best_micro_f1_threshold(y, s)), average="micro", zero_division=0)
        assert reached == pytest.approx(best, abs=1e-12)


def test_input_is_left_alone():
    y, s = np.array([[0], [1], [0]]), np.array([[0.9], [0.5], [0.1]])
    kept = s.copy()
    choose_rules(y, s, min_positives=1)
    np.testing.assert_array_equal(s, kept)


def validation_part():
    rng = np.random.default_rng(4)
    y = rng.random((60, 4)) < [0.5, 0.3, 0.0, 0.0]
    y[:4, 2] = True  # four positives; the last label has none
    return y, np.clip(y * 0.3 + 0.6 * rng.random((60, 4)), 0, 1)


def test_rules_are_chosen_on_validation_and_fallbacks_counted():
    y, s = validation_part()
    rules = choose_rules(y, s, min_positives=5)
    assert list(rules) == ["half", "global", "per_label"]
    assert [rules[name].fallbacks for name in rules] == [0, 0, 2]
    common = best_micro_f1_threshold(y, s)
    np.testing.assert_array_equal(rules["half"].thresholds, 0.5)
    np.testing.assert_array_equal(rules["global"].thresholds, common)
    own = [best_f1_threshold(y[:, label], s[:, label]) for label in (0, 1)]
    np.testing.assert_array_equal(rules["per_label"].thresholds, [*own, common, common])


@pytest.mark.parametrize(("min_positives", "fallbacks"), [(0, 1), (1, 1), (4, 1), (5, 2), (1000, 4)])
def test_a_label_with_exactly_min_positives_has_its_own_threshold_and_one_with_none_never(min_positives, fallbacks):
    y, s = validation_part()
    assert choose_rules(y, s, min_positives=min_positives)["per_label"].fallbacks == fallbacks


def test_validation_without_positives_falls_back_to_half_everywhere():
    rules = choose_rules(np.zeros((5, 3)), np.full((5, 3), 0.7), min_positives=1)
    for rule in rules.values():
        np.testing.assert_array_equal(rule.thresholds, 0.5)
    assert (rules["global"].fallbacks, rules["per_label"].fallbacks) == (3, 3)


def test_oracle_is_best_per_label_and_never_assigns_an_undefined_one():
    y, s = validation_part()
    rule = oracle(y, s)
    assert (rule.name, rule.fallbacks) == ("oracle", 1)
    assigned = rule.assign(s)
    assert not assigned[:, 3].any()
    for label in range(3):
        assert f1(y[:, label], assigned[:, label]) == max(value for value, _ in every_cut(y[:, label], s[:, label]))


@pytest.mark.parametrize(
    ("y", "s", "message"),
    [
        ([0, 1], [0.1, np.nan], "must be finite"),
        ([0, 1], [0.1, np.inf], "must be finite"),
        ([0, 2], [0.1, 0.2], "must be 0 or 1; got .*2"),
        ([0, 1], [0.1, 0.2, 0.3], r"shape of y_true, \(2,\); got \(3,\)"),
        ([[0, 1]], [[0.1, 0.2]], r"shape \(n,\)"),
        ([], [], "not be empty"),
    ],
)
def test_errors_say_what_is_wrong(y, s, message):
    with pytest.raises(ValueError, match=message):
        best_f1_threshold(y, s)
