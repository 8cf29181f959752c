"""A row for each label, by scikit-learn; what is undefined is missing."""

import numpy as np
import pytest
from sklearn import metrics as sk

from hard_cases import hard_cases
from rarelabels.judging.metrics.label_table import per_label
from rarelabels.judging.rules.definition import Rule


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


def test_labels_without_names_are_numbered_and_logits_are_refused():
    assert list(per_label([[1, 0], [0, 1]], [[0.9, 0.1], [0.4, 0.6]], {})["label"]) == [0, 1]
    with pytest.raises(ValueError, match="must be probabilities"):
        per_label([[1, 0], [0, 1]], [[2.0, 0.1], [0.4, 0.6]], {})
