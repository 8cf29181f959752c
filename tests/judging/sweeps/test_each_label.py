"""The best threshold of each label against brute force over every cut, and against scikit-learn."""

import tracemalloc

import numpy as np
import pytest
from sklearn import metrics as sk

from brute_force import BALANCED, DEAR, JACCARD, OBJECTIVES, assign, best, every_cut, random_parts, value_of
from rarelabels.judging.settings import F1, FBeta
from rarelabels.judging.sweeps.each_label import best_thresholds, objective_values
from rarelabels.judging.sweeps.ordered import ALWAYS, NEVER


@pytest.mark.parametrize("objective", OBJECTIVES, ids=str)
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


def test_of_equal_f1_the_highest_gap_is_taken():
    # Assigning the first gives 2·1/(1+3) = 1/2; assigning the first five 2·2/(5+3) = 1/2; nothing gives more.
    y = [1, 0, 0, 0, 1, 0, 0, 0, 0, 1]
    assert best(y, [0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0.0]) == pytest.approx(0.85)


@pytest.mark.parametrize("y", [[1, 1, 1], [1, 0, 0], [0, 1, 0]])
def test_a_constant_score_assigns_every_row_below_any_probability(y):
    assert best(y, [0.2, 0.2, 0.2]) == -1.0


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
