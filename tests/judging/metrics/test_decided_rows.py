"""Means over rows of assigned labels, by hand."""

import numpy as np
import pytest

from rarelabels.judging.metrics import decision_metrics
from rarelabels.judging.metrics.decided_rows import DecidedRows, decided_rows


def test_worked_example_of_the_three_classes_thread():
    truth = [[1, 0, 0], [0, 1, 1], [1, 0, 1]]
    assigned = [[1, 0, 1], [0, 1, 1], [0, 0, 1]]
    found = decision_metrics(truth, assigned)
    assert found["binary_accuracy"] == pytest.approx(7 / 9)
    assert found["subset_accuracy"] == pytest.approx(1 / 3)


TRUTH = np.array([[1, 1, 0], [0, 0, 0], [0, 0, 1]]) == 1
ASSIGNED = np.array([[0, 1, 1], [0, 0, 0], [0, 0, 1]]) == 1


def test_counts_of_a_row():
    rows = DecidedRows.of(TRUTH, ASSIGNED)
    assert (rows.hits.tolist(), rows.predicted.tolist(), rows.actual.tolist()) == ([1, 0, 1], [2, 0, 1], [2, 0, 1])
    assert (rows.wrong.tolist(), rows.n_labels) == ([2, 0, 0], 3)


def test_values_of_each_row_and_a_row_without_any_label_has_0():
    found = decided_rows(TRUTH, ASSIGNED)
    assert found["binary_accuracy"].tolist() == pytest.approx([1 / 3, 1, 1])
    assert found["hamming_loss"].tolist() == pytest.approx([2 / 3, 0, 0])
    assert found["subset_accuracy"].tolist() == [0, 1, 1]
    assert found["samples_jaccard"].tolist() == pytest.approx([1 / 3, 0, 1])
    for name in ("precision", "recall", "f1"):
        assert found[f"samples_{name}"].tolist() == [0.5, 0, 1]
