"""The best threshold of all labels against brute force over every cut, and against scikit-learn."""

import numpy as np
import pytest
from sklearn import metrics as sk

from brute_force import COMMON, assign, every_cut, measured, random_parts
from rarelabels.judging.sweeps import ordered
from rarelabels.judging.sweeps.common_threshold import best_common_threshold
from rarelabels.judging.sweeps.ordered import NEVER, UndefinedLabel


def repaired(s, assigned):
    """Rows without a label get their highest-scored ones."""
    return assigned | (~assigned.any(axis=1, keepdims=True) & (s == s.max(axis=1, keepdims=True)))


@pytest.mark.parametrize("at_least_one", [False, True])
@pytest.mark.parametrize("metric", COMMON)
def test_common_threshold_is_the_best_of_brute_force_and_assigns_the_fewest_of_equals(metric, at_least_one):
    checked = 0
    for y, s in random_parts(1200, seed=3, max_rows=7, max_labels=4):
        if not y.any() and metric != "subset_accuracy":
            continue
        decide = (lambda cut, s=s: repaired(s, cut)) if at_least_one else (lambda cut: cut)
        decisions = [decide(cut) for cut in every_cut(s)]
        values = [measured(metric, y, assigned) for assigned in decisions]
        found = best_common_threshold(y, s, metric, at_least_one=at_least_one)
        assigned = decide(assign(s, found.threshold))
        assert isinstance(found.threshold, np.float64)
        assert np.isfinite(found.threshold)
        assert found.value == pytest.approx(max(values), abs=1e-12)
        assert measured(metric, y, assigned) == pytest.approx(max(values), abs=1e-12), (y, s)
        fewest = min(cut.sum() for cut, value in zip(decisions, values, strict=True) if value > max(values) - 1e-12)
        assert assigned.sum() == fewest, (y, s)
        checked += 1
    assert checked > 300


@pytest.mark.parametrize("metric", COMMON)
def test_common_threshold_reaches_what_scikit_learn_measures(metric):
    rng = np.random.default_rng(5)
    y = rng.random((600, 30)) < np.linspace(0.3, 0.01, 30)
    y[0] = True
    s = np.clip(0.3 * y + 0.7 * rng.random(y.shape), 0, 1).astype(np.float32)
    found = best_common_threshold(y, s, metric)
    assigned = assign(s, found.threshold)
    if metric == "subset_accuracy":
        wanted = sk.accuracy_score(y, assigned)
    else:
        wanted = sk.f1_score(y, assigned, average=metric.removesuffix("_f1"), zero_division=0)
    assert found.value == pytest.approx(wanted, abs=1e-12)


def shapes_of_scores(y, rng):
    """Scores of many cells: even, crowded near 0 as those of rare labels, all but decided, rounded, of float32."""
    even = np.clip(0.3 * y + 0.7 * rng.random(y.shape), 0, 1)
    yield from (even, even**9, even**0.1, 1 / (1 + np.exp(40 * (0.5 - even))), np.round(even, 2), np.round(even**4, 3))
    yield from (even.astype(np.float32), (even**30).astype(np.float32), rng.random(y.shape), even * 1e300)


@pytest.mark.parametrize("share", [0.002, 0.05, 0.6])
def test_common_threshold_for_micro_f1_is_the_best_of_all_cells_in_order(share, monkeypatch):
    monkeypatch.setattr(ordered, "CELLS_AT_ONCE", 1000)
    rng = np.random.default_rng(8)
    for _ in range(3):
        y = rng.random((700, 20)) < share
        for s in shapes_of_scores(y, rng):
            distinct, which = np.unique(s, return_inverse=True)
            hits, assigned = (
                np.cumsum(np.bincount(which.reshape(-1), weights=w)[::-1])[::-1] for w in (y.reshape(-1), None)
            )
            f1 = 2 * hits / (y.sum() + assigned)
            best = int(np.flatnonzero(f1 == f1.max())[-1])
            found = best_common_threshold(y, s, "micro_f1")
            assert found.value == f1[best]
            assert np.count_nonzero(assign(s, found.threshold)) == assigned[best]
            lower = float(distinct[best - 1]) if best else -np.inf
            assert lower < found.threshold <= distinct[best]


def test_only_what_may_hold_the_best_common_threshold_is_sorted(monkeypatch):
    rng, sorted_cells, order_cells = np.random.default_rng(9), [], ordered.order_cells
    monkeypatch.setattr(
        "rarelabels.judging.sweeps.common_threshold.order_cells",
        lambda truth, scores: sorted_cells.append(truth.size) or order_cells(truth, scores),
    )
    y = rng.random((2000, 50)) < 0.05
    best_common_threshold(y, 0.3 * y + 0.7 * rng.random(y.shape), "micro_f1")
    assert 0 < sum(sorted_cells) < y.size / 20


def test_no_positives_have_no_best_f1_but_a_subset_accuracy():
    y, s = np.zeros((3, 2)), np.full((3, 2), 0.5)
    for metric in COMMON[:3]:
        with pytest.raises(UndefinedLabel, match=f"no positives in 2 labels; {metric} has no maximum"):
            best_common_threshold(y, s, metric)
    found = best_common_threshold(y, s, "subset_accuracy")
    assert (found.threshold, found.value) == (NEVER, 1.0)
