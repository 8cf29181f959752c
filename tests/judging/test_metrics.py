"""Every metric equals scikit-learn's on what it covers; what is undefined is left out and counted."""

import tracemalloc

import numpy as np
import pytest
from sklearn import metrics as sk

from rarelabels.judging.metrics import (
    LOWER_IS_BETTER,
    calibration_bins,
    calibration_edges,
    counts,
    decision_metrics,
    macro_average_precision,
    ranking_metrics,
)
from rarelabels.judging.metrics.ece import calibration_error
from rarelabels.judging.metrics.label_table import per_label
from rarelabels.judging.rules.definition import Rule
from rarelabels.judging.sweeps import ordered


def hard_cases():
    """(name, truth, scores): ties, labels and rows without or with all positives, one row, float32, edge scores."""
    rng = np.random.default_rng(0)
    truth = rng.random((60, 7)) < [0.5, 0.3, 0.2, 0.1, 0.1, 0.05, 0.3]  # the sixth happens to have no positive
    scores = np.clip(0.35 * truth + 0.65 * rng.random((60, 7)), 0, 1)
    yield "random", truth, scores
    yield "ties", truth, np.round(scores * 4) / 4
    yield "constant", truth, np.full(truth.shape, 0.3)
    yield "certain", truth, (scores > 0.5).astype(float)
    yield "float32", truth, scores.astype(np.float32)
    near = np.float32(0.4) + np.spacing(np.float32(0.4)) * rng.integers(0, 3, truth.shape)
    yield "neighbouring float32", truth, near.astype(np.float32)
    holes = truth.copy()
    holes[:, 2], holes[:, 4] = False, True
    yield "holes in columns", holes, np.round(scores, 1)
    holes = truth.copy()
    holes[5:9], holes[9:11] = False, True
    yield "holes in rows, integers", holes.astype(int), np.round(scores, 1)
    yield "one row", np.array([[1, 0, 1, 0]]), np.array([[0.9, 0.8, 0.3, 0.3]])
    yield "all ones", np.ones((5, 3)), rng.random((5, 3))
    yield "all zeros", np.zeros((5, 3)), rng.random((5, 3))
    for case in range(60):
        shape = int(rng.integers(1, 9)), int(rng.integers(2, 6))
        yield f"small {case}", rng.random(shape) < rng.random(), rng.integers(0, 5, shape) / 4


CASES = [pytest.param(truth, scores, id=name) for name, truth, scores in hard_cases()]


def check(found, wanted, **covered):
    """Compare with scikit-learn's; where nothing is covered the key must be missing."""
    for name, value in wanted.items():
        if covered.get(name, True):
            assert found[name] == pytest.approx(value, abs=1e-9), name
        else:
            assert name not in found


@pytest.mark.parametrize(("truth", "scores"), CASES)
def test_decision_metrics_equal_scikit_learn(truth, scores):
    y, p = np.asarray(truth).astype(int), (scores >= 0.5).astype(int)
    found = decision_metrics(truth, p)
    assert np.isfinite(list(found.values())).all()
    wanted = {
        "binary_accuracy": 1 - sk.hamming_loss(y, p),
        "hamming_loss": sk.hamming_loss(y, p),
        "subset_accuracy": sk.accuracy_score(y, p),
        "samples_jaccard": sk.jaccard_score(y, p, average="samples", zero_division=0),
    }
    for average in ("micro", "samples", "weighted"):
        values = sk.precision_recall_fscore_support(y, p, average=average, zero_division=0)
        wanted |= {f"{average}_{name}": v for name, v in zip(("precision", "recall", "f1"), values, strict=False)}
    covered = y.any(axis=0)
    values = sk.precision_recall_fscore_support(y, p, average=None, zero_division=0)
    for name, value in zip(("precision", "recall", "f1"), values, strict=False):
        wanted[f"macro_{name}"] = value[covered].mean() if covered.any() else None
    undefined = {name: False for name in wanted if name.startswith(("macro", "weighted")) and not covered.any()}
    check(found, wanted, **undefined)


@pytest.mark.parametrize(("truth", "scores"), CASES)
@pytest.mark.filterwarnings("ignore:No positive class found")
def test_ranking_metrics_equal_scikit_learn(truth, scores):
    y, s = np.asarray(truth).astype(int), scores.astype(np.float64)
    found = ranking_metrics(truth, scores)
    assert np.isfinite(list(found.values())).all()
    some, all_ = y.any(axis=0), y.all(axis=0)
    labelled, mixed = y.any(axis=1), y.any(axis=1) & ~y.all(axis=1)
    flat = y.ravel(), s.ravel()
    both = 0 < y.sum() < y.size
    precisions = [sk.average_precision_score(y[:, label], s[:, label]) for label in np.flatnonzero(some)]
    areas = [sk.roc_auc_score(y[:, label], s[:, label]) for label in np.flatnonzero(some & ~all_)]
    wanted = {
        "macro_average_precision": np.mean(precisions) if precisions else None,
        "macro_roc_auc": np.mean(areas) if areas else None,
        "micro_average_precision": sk.average_precision_score(*flat) if y.any() else None,
        "micro_roc_auc": sk.roc_auc_score(*flat) if both else None,
        "lrap": sk.label_ranking_average_precision_score(y[labelled], s[labelled]) if labelled.any() else None,
        "ranking_loss": sk.label_ranking_loss(y[mixed], s[mixed]) if mixed.any() else None,
        "coverage": sk.coverage_error(y, s),
        "brier": sk.brier_score_loss(*flat, pos_label=1, labels=[0, 1]),
        "log_loss": sk.log_loss(*flat, labels=[0, 1]),
    }
    check(found, wanted, **{name: value is not None for name, value in wanted.items()})
    alone = np.mean(precisions) if precisions else np.nan
    assert macro_average_precision(truth, scores) == pytest.approx(alone, abs=1e-9, nan_ok=True)


def test_macro_averages_are_those_of_scikit_learn_on_the_covered_columns():
    _, truth, scores = next(case for case in hard_cases() if case[0] == "holes in columns")
    covered = truth.any(axis=0)
    ranked = covered & ~truth.all(axis=0)
    found = decision_metrics(truth, scores >= 0.5) | ranking_metrics(truth, scores)
    f1 = sk.f1_score(truth[:, covered], scores[:, covered] >= 0.5, average="macro", zero_division=0)
    assert found["macro_f1"] == pytest.approx(f1, abs=1e-12)
    ap = sk.average_precision_score(truth[:, covered], scores[:, covered], average="macro")
    assert found["macro_average_precision"] == pytest.approx(ap, abs=1e-12)
    auc = sk.roc_auc_score(truth[:, ranked], scores[:, ranked], average="macro")
    assert found["macro_roc_auc"] == pytest.approx(auc, abs=1e-12)


def test_counts_of_what_is_undefined():
    truth = [[1, 0, 1, 0], [1, 0, 0, 0], [1, 0, 1, 0]]
    assert counts(truth) == {
        "labels_without_positives": 2,
        "labels_without_negatives": 1,
        "rows_without_labels": 0,
        "rows_with_all_labels": 0,
    }
    rows = counts([[0, 0], [1, 1], [1, 1], [1, 0]])
    assert (rows["rows_without_labels"], rows["rows_with_all_labels"]) == (1, 2)


def test_worked_example_of_the_three_classes_thread():
    truth = [[1, 0, 0], [0, 1, 1], [1, 0, 1]]
    assigned = [[1, 0, 1], [0, 1, 1], [0, 0, 1]]
    found = decision_metrics(truth, assigned)
    assert found["binary_accuracy"] == pytest.approx(7 / 9)
    assert found["subset_accuracy"] == pytest.approx(1 / 3)


def test_macro_covers_the_same_labels_whatever_is_predicted():
    truth = np.array([[1, 0, 0], [0, 1, 0], [1, 1, 0]])
    nothing, everything = decision_metrics(truth, np.zeros((3, 3))), decision_metrics(truth, np.ones((3, 3)))
    assert nothing["macro_precision"] == 0.0  # predicted nowhere: 0, not left out
    assert everything["macro_precision"] == pytest.approx(2 / 3)  # the third label is not averaged in
    assert everything["micro_precision"] == pytest.approx(4 / 9)  # but its false positives count here


def test_head_medium_and_tail_pool_their_labels():
    rng = np.random.default_rng(1)
    positives = np.array([150, 100, 99, 10, 9, 2, 0])
    truth = np.zeros((200, 7), dtype=int)
    for label, n in enumerate(positives):
        truth[rng.permutation(200)[:n], label] = 1
    assigned = truth ^ (rng.random((200, 7)) < 0.1)
    found = decision_metrics(truth, assigned)
    for group, members in {"head": [0, 1], "medium": [2, 3], "tail": [4, 5, 6]}.items():
        wanted = sk.precision_recall_fscore_support(truth[:, members], assigned[:, members], average="micro")
        values = [found[f"{group}_{name}"] for name in ("precision", "recall", "f1")]
        np.testing.assert_allclose(values, wanted[:3], atol=1e-12)
    assert "head_f1" not in decision_metrics(truth[:, 4:], assigned[:, 4:])
    kept = decision_metrics(truth[:100], assigned[:100], positives=positives)
    assert kept["head_recall"] == pytest.approx(sk.recall_score(truth[:100, :2], assigned[:100, :2], average="micro"))


def test_precision_at_k_by_hand_and_for_ties_as_expected_over_random_orders():
    truth = np.array([[1, 0, 0, 1, 0]])
    found = ranking_metrics(truth, [[0.9, 0.8, 0.7, 0.6, 0.5]])
    assert [found[f"precision_at_{k}"] for k in (1, 3, 5)] == pytest.approx([1, 1 / 3, 2 / 5])
    # 0.9 is surely in; the other two seats go to three labels tied at 0.5, one of them right: (1 + 2/3) / 3.
    tied = ranking_metrics(truth, [[0.9, 0.5, 0.5, 0.5, 0.1]])
    assert tied["precision_at_3"] == pytest.approx(5 / 9)
    assert ranking_metrics(truth, np.full((1, 5), 0.5))["precision_at_1"] == pytest.approx(2 / 5)
    assert "precision_at_5" not in ranking_metrics([[1, 0, 0, 1]], [[0.1, 0.2, 0.3, 0.4]])


@pytest.mark.parametrize(("truth", "scores"), CASES[:8])
def test_order_of_rows_and_columns_does_not_matter(truth, scores):
    rng = np.random.default_rng(2)
    rows, columns = rng.permutation(len(truth)), rng.permutation(truth.shape[1])
    moved = truth[rows][:, columns], scores[rows][:, columns]
    before, after = ranking_metrics(truth, scores), ranking_metrics(*moved)
    assert before.keys() == after.keys()
    del before["categorical_accuracy"]  # the one that depends on the columns, and is here to show it
    assert after == pytest.approx(before | {"categorical_accuracy": after["categorical_accuracy"]}, abs=1e-12)
    assert decision_metrics(moved[0], moved[1] >= 0.5) == pytest.approx(decision_metrics(truth, scores >= 0.5))


def test_calibration_error_of_distinct_scores_is_the_mean_over_fifteen_equal_bins():
    rng = np.random.default_rng(3)
    scores = rng.permutation(np.linspace(0.01, 0.99, 150)).reshape(50, 3)
    truth = rng.random((50, 3)) < 0.4
    order = np.argsort(scores.ravel())
    bins = np.split(order, 15)
    gaps = [abs(truth.ravel()[b].mean() - scores.ravel()[b].mean()) for b in bins]
    assert ranking_metrics(truth, scores)["ece"] == pytest.approx(np.mean(gaps), abs=1e-12)
    own = []
    for label in range(3):  # 50 rows: bins of 3 and 4
        cuts = [i * 50 // 15 for i in range(1, 15)]
        y, s = (values[np.argsort(scores[:, label]), label] for values in (truth, scores))
        own.append(sum(abs(b.sum()) for b in np.split(y - s, cuts)) / 50)
    assert ranking_metrics(truth, scores)["macro_ece"] == pytest.approx(np.mean(own), abs=1e-12)


@pytest.mark.parametrize("at_once", [1 << 18, 50])
def test_calibration_errors_are_those_of_scores_put_into_bins_one_by_one(at_once, monkeypatch):
    monkeypatch.setattr(ordered, "CELLS_AT_ONCE", at_once)
    rng = np.random.default_rng(6)
    y = rng.random((300, 40)) < np.linspace(0.5, 0.01, 40)
    y[0] = True
    for s in (rng.random(y.shape), np.round(rng.random(y.shape), 1), rng.random(y.shape).astype(np.float32) ** 9):

        def error(truth, scores):
            bins = calibration_bins(scores, calibration_edges(scores))
            surplus = np.bincount(bins, weights=truth - scores.astype(float), minlength=15)
            return calibration_error(surplus, scores.size)

        found = ranking_metrics(y, s)
        assert found["ece"] == pytest.approx(error(y.ravel(), s.ravel()), abs=1e-12)
        of_labels = [error(y[:, label], s[:, label]) for label in range(40)]
        assert found["macro_ece"] == pytest.approx(np.mean(of_labels), abs=1e-12)


@pytest.mark.parametrize("decimals", [17, 2, 1])
def test_metrics_of_many_blocks_equal_scikit_learn(decimals, monkeypatch):
    """Equal scores that go over the ends of rows, labels and what is looked at in one go."""
    monkeypatch.setattr(ordered, "CELLS_AT_ONCE", 200)
    monkeypatch.setattr("rarelabels.judging.metrics.ranked_rows.SCORES_AT_ONCE", 300)
    rng = np.random.default_rng(7)
    y = rng.random((150, 40)) < np.linspace(0.6, 0.02, 40)
    y[:, :2] |= ~y.any(axis=1, keepdims=True)
    y[0], y[1:3] = True, [[True] + [False] * 39]
    s = np.round(np.clip(0.2 * y + 0.8 * rng.random(y.shape), 0, 1), decimals)
    found = ranking_metrics(y, s)
    some = ~y.all(axis=1)
    wanted = {
        "macro_average_precision": sk.average_precision_score(y, s, average="macro"),
        "micro_average_precision": sk.average_precision_score(y, s, average="micro"),
        "macro_roc_auc": sk.roc_auc_score(y, s, average="macro"),
        "micro_roc_auc": sk.roc_auc_score(y, s, average="micro"),
        "lrap": sk.label_ranking_average_precision_score(y, s),
        "coverage": sk.coverage_error(y, s),
        "ranking_loss": sk.label_ranking_loss(y[some], s[some]),
    }
    check(found, wanted)
    assert macro_average_precision(y, s) == found["macro_average_precision"]


def test_extra_memory_of_ranking_metrics_stays_below_twice_the_scores():
    rng = np.random.default_rng(0)
    y, s = rng.random((20_000, 200)) < 0.04, rng.random((20_000, 200))
    tracemalloc.start()
    ranking_metrics(y, s)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2 * s.nbytes


def test_calibration_error_of_a_constant_score_is_its_distance_from_the_prevalence():
    truth = np.array([[1, 0], [0, 0], [0, 0], [0, 0]])
    found = ranking_metrics(truth, np.full((4, 2), 0.5))
    assert found["ece"] == pytest.approx(0.5 - 1 / 8)
    assert found["macro_ece"] == pytest.approx(0.5 - 1 / 4)  # the label without positives is left out


def test_lower_is_better_names_exactly_the_metrics_that_fall_when_the_scores_are_right():
    rng = np.random.default_rng(4)
    truth = rng.random((300, 8)) < 0.4
    right, wrong = np.where(truth, 0.9, 0.1), np.where(truth, 0.1, 0.9)
    good, bad = (decision_metrics(truth, s >= 0.5) | ranking_metrics(truth, s) for s in (right, wrong))
    assert {name for name in good if good[name] < bad[name]} == LOWER_IS_BETTER
    assert all(good[name] != bad[name] for name in good)


def test_one_label_is_a_binary_problem():
    rng = np.random.default_rng(5)
    truth, scores = rng.random((40, 1)) < 0.3, np.round(rng.random((40, 1)), 1)
    found = ranking_metrics(truth, scores) | decision_metrics(truth, scores >= 0.5)
    assert found["macro_average_precision"] == pytest.approx(sk.average_precision_score(truth, scores))
    assert found["micro_roc_auc"] == pytest.approx(sk.roc_auc_score(truth, scores))
    assert found["macro_f1"] == pytest.approx(sk.f1_score(truth, scores >= 0.5))
    assert "ranking_loss" not in found  # every row has all labels or none


def test_table_per_label_equals_scikit_learn_and_leaves_undefined_missing():
    _, truth, scores = next(case for case in hard_cases() if case[0] == "ties")
    truth = truth.copy()
    truth[:, 1], truth[:, 2], truth[0, 5] = False, True, True
    thresholds = np.linspace(0.2, 0.8, 7)
    rules = {
        "half": Rule("half", np.full(7, 0.5), fallbacks=0),
        "own": Rule("own", thresholds, fallbacks=0),
        "first": Rule("first", np.full(7, -1.0), fallbacks=0, at_most=1),
    }
    table = per_label(truth, scores, rules, labels=list("abcdefg"))
    assert list(table["label"]) == list("abcdefg")
    np.testing.assert_array_equal(table["positives"], truth.sum(axis=0))
    np.testing.assert_allclose(table["prevalence"], truth.mean(axis=0))
    assert list(table["average_precision"].isna()) == [label == 1 for label in range(7)]
    assert list(table["roc_auc"].isna()) == [label in (1, 2) for label in range(7)]
    assert table["roc_auc"][4] == pytest.approx(sk.roc_auc_score(truth[:, 4], scores[:, 4]))
    matrices = sk.multilabel_confusion_matrix(truth, scores >= thresholds)
    cells = table[["own/tn", "own/fp", "own/fn", "own/tp"]].to_numpy()
    np.testing.assert_array_equal(cells, matrices.reshape(7, 4))
    f1 = sk.f1_score(truth, scores >= 0.5, average=None, zero_division=0)
    np.testing.assert_allclose(table["half/f1"], f1, atol=1e-12)
    np.testing.assert_array_equal(table["own/threshold"], thresholds)
    highest = scores == scores.max(axis=1, keepdims=True)
    np.testing.assert_array_equal(table["first/tp"], (truth & highest).sum(axis=0))


@pytest.mark.parametrize(
    ("scores", "message"),
    [
        ([[0.5, 1.5]], r"probabilities in \[0, 1\]; got 1.5"),
        ([[0.5, -2.0]], "got -2.0"),
        ([[0.5, np.nan]], "must be finite"),
        ([[0.5]], "must have the shape of y_true"),
    ],
)
def test_errors_say_what_is_wrong(scores, message):
    with pytest.raises(ValueError, match=message):
        ranking_metrics([[0, 1]], scores)


def test_assigned_labels_must_be_labels():
    with pytest.raises(ValueError, match=r"y_pred: must be 0 or 1; got .*0\.3"):
        decision_metrics([[0, 1]], [[0.3, 1]])
    with pytest.raises(ValueError, match="y_pred: must have the shape of y_true"):
        decision_metrics([[0, 1]], [[0], [1]])
