"""Thresholds of labels with few positives: drawn towards the global one, and medians over folds."""

import numpy as np
import pytest
from sklearn.metrics import f1_score

from choosing_rows import OBJECTIVES, part
from rarelabels.judging.rules.choose import choose_rules
from rarelabels.judging.rules.folds import folds
from rarelabels.judging.rules.shrunk import STRENGTHS
from rarelabels.judging.settings import F1
from rarelabels.judging.sweeps.common_threshold import best_common_threshold
from rarelabels.judging.sweeps.each_label import best_thresholds


def shrunk_with(strength, y, s, monkeypatch, objective=F1):
    monkeypatch.setattr("rarelabels.judging.rules.shrunk.STRENGTHS", (strength,))
    rule = choose_rules(y, s, min_positives=5, objective=objective)["per_label_shrunk"]
    assert rule.strength == strength
    return rule


@pytest.mark.parametrize("objective", OBJECTIVES, ids=str)
def test_strength_0_decides_like_the_own_thresholds_and_infinity_is_the_global_one(monkeypatch, objective):
    y, s = part()
    own = best_thresholds(y, s, objective).thresholds
    np.testing.assert_array_equal(shrunk_with(0.0, y, s, monkeypatch, objective).assign(s), s >= own)
    common = best_common_threshold(y, s, "micro_f1").threshold
    np.testing.assert_array_equal(shrunk_with(np.inf, y, s, monkeypatch, objective).thresholds, common)


def test_a_threshold_is_shrunk_by_its_positives(monkeypatch):
    # Four labels of 2, 3, 5 and 0 positives; "always", for the second, counts as its lowest score, 0.3.
    y = np.zeros((10, 4), dtype=int)
    y[:2, 0] = y[:3, 1] = y[:5, 2] = 1
    s = np.full((10, 4), 0.1)
    s[:2, 0], s[2:, 0] = 0.8, 0.4
    s[:, 1] = 0.3
    s[:5, 2], s[5:, 2] = 0.9, 0.1
    common = best_common_threshold(y, s, "micro_f1").threshold
    own = np.array([0.6, 0.3, 0.5])
    weights = np.array([2 / 12, 3 / 13, 5 / 15])
    wanted = [*(weights * own + (1 - weights) * common), common]
    rule = shrunk_with(10.0, y, s, monkeypatch)
    np.testing.assert_allclose(rule.thresholds, wanted)
    assert rule.fallbacks == 1


def left_out_macro_f1(y, s, strength):
    """Macro-F1 of decisions on each fold by thresholds of the others, written out label by label."""
    assigned, numbers = np.zeros_like(y), folds(y)
    for fold in range(5):
        others = numbers != fold
        common = best_common_threshold(y[others], s[others], "micro_f1").threshold
        own = best_thresholds(y[others], s[others])
        for label in range(y.shape[1]):
            scores, positives = s[others, label], y[others, label].sum()
            weight = positives / (positives + strength) if positives else 0.0
            mine = min(max(own.thresholds[label], scores.min()), np.nextafter(scores.max(), 2))
            assigned[~others, label] = s[~others, label] >= weight * mine + (1 - weight) * common
    there = y.any(axis=0)
    return f1_score(y[:, there], assigned[:, there], average="macro", zero_division=0)


def test_the_strength_is_the_best_on_folds_left_out():
    picked = set()
    for seed in range(6):
        y, s = part(seed=seed, n_rows=(60, 300)[seed % 2], offset=(0.0, 0.02, 0.3)[seed % 3])
        reached = [left_out_macro_f1(y, s, strength) for strength in STRENGTHS]
        strength = choose_rules(y, s, min_positives=5)["per_label_shrunk"].strength
        assert reached[STRENGTHS.index(strength)] == pytest.approx(max(reached), abs=1e-12)
        assert strength == max(c for c, value in zip(STRENGTHS, reached, strict=True) if value > max(reached) - 1e-10)
        picked.add(strength)
    assert len(picked) > 1


def test_of_strengths_that_are_equally_good_the_largest_is_taken():
    y = np.tile([[1], [0]], (20, 1))
    assert choose_rules(y, y * 0.8, min_positives=5)["per_label_shrunk"].strength == np.inf


def test_crossfitted_thresholds_are_medians_of_five():
    y, s = part()
    chosen = [best_thresholds(y[folds(y) != fold], s[folds(y) != fold]) for fold in range(5)]
    medians = np.median([one.thresholds for one in chosen], axis=0)
    rule = choose_rules(y, s, min_positives=5)["per_label_crossfit"]
    many = y.sum(axis=0) >= 5
    assert 1 <= (~many).sum() == rule.fallbacks
    np.testing.assert_array_equal(rule.thresholds[many], medians[many])
    # Two rows, two folds: the one positive is missing where it is left out, and "never" is no choice.
    alone = choose_rules([[1], [0]], [[0.8], [0.2]], min_positives=1)["per_label_crossfit"]
    assert (alone.thresholds[0], alone.fallbacks) == (-1.0, 0)
