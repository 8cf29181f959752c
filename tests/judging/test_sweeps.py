"""Exact sweeps against brute force over every cut, in fractions, and against scikit-learn."""

import itertools
import json
import tracemalloc
from fractions import Fraction

import numpy as np
import pytest
from sklearn import metrics as sk

from rarelabels.judging.settings import F1, BalancedAccuracy, Cost, FBeta, Jaccard
from rarelabels.judging.sweeps import ordered
from rarelabels.judging.sweeps.climbing import coordinate_ascent
from rarelabels.judging.sweeps.common_threshold import best_common_threshold
from rarelabels.judging.sweeps.each_label import best_thresholds, objective_values
from rarelabels.judging.sweeps.ordered import ALWAYS, NEVER, UndefinedLabel
from rarelabels.judging.sweeps.together import best_micro_f1_thresholds, best_top_k

COST = Cost(kind="cost", false_positive=1.0, false_negative=4.5, true_positive=-0.5, true_negative=0.25)
DEAR = Cost(kind="cost", false_positive=6.0, false_negative=1.0)
JACCARD, BALANCED = Jaccard(kind="jaccard"), BalancedAccuracy(kind="balanced_accuracy")
OBJECTIVES = [F1, FBeta(kind="f_beta", beta=0.5), FBeta(kind="f_beta", beta=2), JACCARD, BALANCED, COST, DEAR]
COMMON = ("micro_f1", "macro_f1", "samples_f1", "subset_accuracy")


def names(objectives):
    return [str(objective) for objective in objectives]


KINDS = {
    "ties": lambda rng, shape: rng.integers(0, 4, shape) / 4,
    "float32": lambda rng, shape: rng.random(shape).astype(np.float32),
    "neighbours": lambda rng, shape: 0.3 + np.spacing(0.3) * rng.integers(0, 4, shape),
    "float32 neighbours": lambda rng, shape: (np.float32(0.7) + np.float32(2**-24) * rng.integers(0, 4, shape)).astype(
        "f4"
    ),
    "logits": lambda rng, shape: rng.normal(size=shape) * 10.0 ** rng.integers(-3, 300),
    "constant": lambda rng, shape: np.full(shape, rng.random()),
    "two zeros": lambda rng, shape: rng.choice([-0.0, 0.0, 5e-324], shape),
    "two zeros among logits": lambda rng, shape: rng.choice([-1.5, -0.0, 0.0, 2.0], shape).astype(np.float32),
    "integers": lambda rng, shape: rng.integers(-2, 3, shape),
    "float16": lambda rng, shape: rng.integers(0, 3, shape).astype(np.float16),
    "label by label": lambda rng, shape: np.asfortranarray(rng.random(shape)),
    "other byte order": lambda rng, shape: (rng.integers(0, 3, shape) / 2).astype(">f8"),
}


def random_parts(n_parts, seed=0, max_rows=12, max_labels=8):
    """Small parts with few, no and only positives, the kinds of scores in turn."""
    rng = np.random.default_rng(seed)
    kinds = itertools.cycle(KINDS.values())
    for make in itertools.islice(kinds, n_parts):
        shape = int(rng.integers(1, max_rows + 1)), int(rng.integers(1, max_labels + 1))
        yield rng.random(shape) < rng.choice([0.1, 0.3, 0.7, 1.0], shape[1]), make(rng, shape)


def assign(s, thresholds):
    return np.asarray(s) >= np.asarray(thresholds, dtype=np.float64)


def every_cut(s):
    """Every way to cut scores, of any shape: above each distinct one, and assigning nothing; fewest assigned first."""
    return [np.zeros(s.shape, dtype=bool), *(s >= score for score in np.unique(s)[::-1])]


def value_of(objective, y, assigned):
    """The objective of one label as a fraction; None where undefined."""
    tp, fp, fn, tn = (
        int(np.count_nonzero(cells)) for cells in (y & assigned, ~y & assigned, y & ~assigned, ~y & ~assigned)
    )
    match objective:
        case FBeta(beta=beta):
            square = Fraction(beta) ** 2
            return (1 + square) * tp / ((1 + square) * tp + square * fn + fp) if y.any() else None
        case Jaccard():
            return Fraction(tp, tp + fp + fn) if y.any() else None
        case BalancedAccuracy():
            return (Fraction(tp, tp + fn) + Fraction(tn, tn + fp)) / 2 if y.any() and not y.all() else None
        case Cost() as cost:
            cells = {"true_positive": tp, "false_positive": fp, "false_negative": fn, "true_negative": tn}
            return -sum(Fraction(getattr(cost, cell)) * count for cell, count in cells.items()) / y.size
    raise AssertionError(objective)


# The best of each label


@pytest.mark.parametrize("objective", OBJECTIVES, ids=names(OBJECTIVES))
def test_sweep_finds_the_maximum_of_brute_force_and_the_fewest_assigned_of_equals(objective):
    checked = 0
    for y, s in random_parts(960):
        sweep = best_thresholds(y, s, objective)
        assigned = assign(s, sweep.thresholds)
        for label in range(y.shape[1]):
            values = [value_of(objective, y[:, label], cut) for cut in every_cut(s[:, label])]
            assert sweep.defined[label] == (values[0] is not None)
            if values[0] is None:
                assert sweep.values[label] == 0
                continue
            wanted = every_cut(s[:, label])[values.index(max(values))]
            np.testing.assert_array_equal(assigned[:, label], wanted, err_msg=f"{y[:, label]} {s[:, label]}")
            assert sweep.values[label] == pytest.approx(float(max(values)), abs=1e-15)
            checked += 1
    assert checked > 2000


def test_undefined_labels_are_said_and_never_or_always_assigned():
    y = np.array([[0, 1, 1, 0], [0, 1, 0, 0]])
    s = np.array([[0.2, 0.3, 0.9, 5.0], [0.9, 0.4, 0.1, -7.0]])
    for objective in (F1, FBeta(kind="f_beta", beta=3), JACCARD):
        sweep = best_thresholds(y, s, objective)
        assert sweep.defined.tolist() == [False, True, True, False]
        assert sweep.thresholds[0] == NEVER
        assert 5 < sweep.thresholds[3] < 5.001
    balanced = best_thresholds(y, s, BALANCED)
    assert balanced.defined.tolist() == [False, False, True, False]
    assert balanced.thresholds[:2].tolist() == [NEVER, ALWAYS]
    assert balanced.values.tolist() == [0, 0, 1, 0]
    cost = best_thresholds(y, s, DEAR)
    assert cost.defined.all()
    assert cost.thresholds[0] == NEVER


def test_assigning_nothing_can_be_best_where_it_is_worth_something():
    y, s = np.array([[1], [0], [0], [0]]), np.array([[0.1], [0.2], [0.3], [0.4]])
    assert best_thresholds(y, s).thresholds[0] == ALWAYS  # F1 2/5
    for objective, worth in ((BALANCED, 0.5), (DEAR, -0.25)):
        sweep = best_thresholds(y, s, objective)
        assert (sweep.thresholds[0], sweep.values[0]) == (NEVER, worth)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_many_labels_reach_the_value_that_scikit_learn_measures(dtype):
    rng = np.random.default_rng(2)
    n_labels = 3000  # several blocks of labels
    y = rng.random((900, n_labels)) < rng.choice([0.01, 0.3], n_labels)
    s = np.round(np.clip(0.4 * y + 0.6 * rng.random(y.shape), 0, 1), 2).astype(dtype)
    some = rng.choice(np.flatnonzero(y.any(axis=0)), 40)
    for objective, measure in (
        (F1, sk.f1_score),
        (FBeta(kind="f_beta", beta=0.7), lambda a, b: sk.fbeta_score(a, b, beta=0.7)),
        (JACCARD, sk.jaccard_score),
        (BALANCED, sk.balanced_accuracy_score),
    ):
        sweep = best_thresholds(y, s, objective)
        for label in some:
            truth, scores = y[:, label], s[:, label]
            assert measure(truth, assign(scores, sweep.thresholds[label])) == pytest.approx(sweep.values[label])
            others = max(measure(truth, scores >= cut) for cut in np.unique(scores)[:: 5 if label % 2 else 7])
            assert others <= sweep.values[label] + 1e-12
            alone = best_thresholds(y[:, [label]], s[:, [label]], objective)
            assert (alone.thresholds[0], alone.values[0]) == (sweep.thresholds[label], sweep.values[label])


def test_threshold_is_finite_and_strictly_above_the_next_lower_score():
    for y, s in random_parts(240, seed=1):
        sweep = best_thresholds(y, s)
        assert sweep.thresholds.dtype == np.float64
        assert np.isfinite(sweep.thresholds).all()
        for threshold, scores in zip(sweep.thresholds, s.T.astype(np.float64), strict=True):
            lower, upper = scores[scores < threshold], scores[scores >= threshold]
            if lower.size and upper.size and np.nextafter(lower.max(), np.inf) < upper.min():
                assert lower.max() < threshold < upper.min()


def best(y, s):
    """The threshold of one label."""
    return best_thresholds(np.array(y)[:, None], np.array(s)[:, None]).thresholds[0]


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


def test_of_equal_f1_the_highest_gap_is_taken():
    # Assigning the first gives 2·1/(1+3) = 1/2; assigning the first five 2·2/(5+3) = 1/2; nothing gives more.
    y = [1, 0, 0, 0, 1, 0, 0, 0, 0, 1]
    assert best(y, [0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0.0]) == pytest.approx(0.85)


@pytest.mark.parametrize("y", [[1, 1, 1], [1, 0, 0], [0, 1, 0]])
def test_a_constant_score_assigns_every_row_below_any_probability(y):
    assert best(y, [0.2, 0.2, 0.2]) == -1.0


def test_scores_beyond_probabilities_still_have_finite_thresholds():
    assert best([1, 1], [-50.0, -70.0]) < -70.0
    assert 70 < best([0, 0], [50.0, 70.0]) < np.inf


def test_values_from_counts_are_those_of_the_definition():
    rng = np.random.default_rng(7)
    y, a = rng.random((30, 50)) < 0.4, rng.random((30, 50)) < 0.3
    for objective in OBJECTIVES:
        found = objective_values(objective, (y & a).sum(axis=0), a.sum(axis=0), y.sum(axis=0), 30)
        wanted = [float(value_of(objective, y[:, label], a[:, label])) for label in range(50)]
        np.testing.assert_allclose(found, wanted, atol=1e-15)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("share", [0.01, 0.2])
def test_extra_memory_stays_within_four_times_the_scores(dtype, share):
    rng = np.random.default_rng(0)
    y, s = rng.random((20_000, 200)) < share, rng.random((20_000, 200)).astype(dtype)
    tracemalloc.start()
    best_thresholds(y, s)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4 * s.nbytes


# One for all labels


def repaired(s, assigned):
    """Rows without a label get their highest-scored ones."""
    return assigned | (~assigned.any(axis=1, keepdims=True) & (s == s.max(axis=1, keepdims=True)))


def measured(metric, y, assigned):
    """The metric of a whole part by scikit-learn; macro over labels with a positive."""
    if metric == "subset_accuracy":
        return float((y == assigned).all(axis=1).mean())
    if metric == "macro_f1":
        y, assigned = y[:, y.any(axis=0)], assigned[:, y.any(axis=0)]
    hits, wrong = (y & assigned), (y != assigned)
    axis = {"micro_f1": None, "macro_f1": 0, "samples_f1": 1}[metric]
    tp, errors = np.atleast_1d(hits.sum(axis=axis)), np.atleast_1d(wrong.sum(axis=axis))
    return float(np.mean([2 * t / (2 * t + e) if t else 0.0 for t, e in zip(tp, errors, strict=True)]))


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
    for sweep in (best_micro_f1_thresholds, best_top_k):
        with pytest.raises(UndefinedLabel, match="no positives in 2 labels"):
            sweep(y, s)
    with pytest.raises(UndefinedLabel):
        coordinate_ascent(y, s, "samples_f1", np.zeros(2))
    found = best_common_threshold(y, s, "subset_accuracy")
    assert (found.threshold, found.value) == (NEVER, 1.0)


# Together


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


# What is given


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


@pytest.mark.parametrize(
    ("y", "s", "message"),
    [
        ([[0], [1]], [[0.1], [np.nan]], "must be finite"),
        ([[0], [1]], [[0.1], [np.inf]], "must be finite"),
        ([[0], [2]], [[0.1], [0.2]], "must be 0 or 1; got .*2"),
        ([[0], [1]], [[0.1], [0.2], [0.3]], r"shape of y_true, \(2, 1\); got \(3, 1\)"),
        ([0, 1], [0.1, 0.2], r"shape \(n, n_labels\)"),
        ([[]], [[]], "not be empty"),
    ],
)
def test_errors_say_what_is_wrong(y, s, message):
    with pytest.raises(ValueError, match=message):
        best_thresholds(y, s)
