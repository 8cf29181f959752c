"""Every metric equals scikit-learn's on what it covers; what is undefined is left out and counted."""

import tracemalloc

import numpy as np
import pytest
from sklearn import metrics as sk

from hard_cases import CASES, check, hard_cases
from rarelabels.judging.metrics import counts, decision_metrics, macro_average_precision, ranking_metrics
from rarelabels.judging.sweeps import ordered


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


def test_one_label_is_a_binary_problem():
    rng = np.random.default_rng(5)
    truth, scores = rng.random((40, 1)) < 0.3, np.round(rng.random((40, 1)), 1)
    found = ranking_metrics(truth, scores) | decision_metrics(truth, scores >= 0.5)
    assert found["macro_average_precision"] == pytest.approx(sk.average_precision_score(truth, scores))
    assert found["micro_roc_auc"] == pytest.approx(sk.roc_auc_score(truth, scores))
    assert found["macro_f1"] == pytest.approx(sk.f1_score(truth, scores >= 0.5))
    assert "ranking_loss" not in found  # every row has all labels or none


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
