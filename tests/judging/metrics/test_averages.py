"""Precision, recall and F1: which labels a mean covers, and which are pooled."""

import numpy as np
import pytest
from sklearn import metrics as sk

from rarelabels.judging.metrics import decision_metrics
from rarelabels.judging.metrics.averages import LabelCounts, averages, precision_recall_f1


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


def test_nothing_over_nothing_counts_0():
    found = precision_recall_f1(np.array([2, 0, 0]), np.array([4, 0, 3]), np.array([2, 0, 0]))
    assert {name: values.tolist() for name, values in found.items()} == {
        "precision": [0.5, 0, 0],
        "recall": [1, 0, 0],
        "f1": [pytest.approx(2 / 3), 0, 0],
    }


def test_counts_of_resamples_are_averaged_each_by_itself():
    # Two resamples of two labels: F1 1/2 and 1; in the second the second label has no positive.
    counts = LabelCounts(
        true_positives=np.array([[1, 2], [1, 0]]),
        predicted=np.array([[2, 2], [2, 1]]),
        actual=np.array([[2, 2], [2, 0]]),
        positives=np.array([120, 9]),
    )
    found = averages(counts)
    assert found["macro_f1"].tolist() == [0.75, 0.5]
    assert found["weighted_f1"].tolist() == [0.75, 0.5]
    assert found["micro_f1"].tolist() == [0.75, pytest.approx(2 / 5)]
    assert found["head_f1"].tolist() == [0.5, 0.5]
    assert found["tail_f1"].tolist() == [1, 0]
    assert np.isnan(found["medium_f1"]).all()
