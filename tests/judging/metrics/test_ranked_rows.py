"""Means over rows of scores: how a row's labels are ranked, ties as expected."""

import numpy as np
import pytest

from rarelabels.judging.metrics import ranked_rows, ranking_metrics


def test_precision_at_k_by_hand_and_for_ties_as_expected_over_random_orders():
    truth = np.array([[1, 0, 0, 1, 0]])
    found = ranking_metrics(truth, [[0.9, 0.8, 0.7, 0.6, 0.5]])
    assert [found[f"precision_at_{k}"] for k in (1, 3, 5)] == pytest.approx([1, 1 / 3, 2 / 5])
    # 0.9 is surely in; the other two seats go to three labels tied at 0.5, one of them right: (1 + 2/3) / 3.
    tied = ranking_metrics(truth, [[0.9, 0.5, 0.5, 0.5, 0.1]])
    assert tied["precision_at_3"] == pytest.approx(5 / 9)
    assert ranking_metrics(truth, np.full((1, 5), 0.5))["precision_at_1"] == pytest.approx(2 / 5)
    assert "precision_at_5" not in ranking_metrics([[1, 0, 0, 1]], [[0.1, 0.2, 0.3, 0.4]])


def test_values_of_each_row_by_hand():
    # In order 1 0 1 0; all tied; no label: LRAP (1 + 2/3) / 2, one of 2 · 2 pairs wrong, the lowest right one third.
    truth = np.array([[1, 0, 1, 0], [0, 0, 1, 0], [0, 0, 0, 0]]) == 1
    scores = np.array([[0.9, 0.8, 0.7, 0.1], [0.5] * 4, [0.2] * 4])
    found = ranked_rows.ranked_rows(truth, scores)
    assert found["lrap"].tolist() == pytest.approx([5 / 6, 1 / 4, np.nan], nan_ok=True)
    assert found["ranking_loss"].tolist() == pytest.approx([1 / 4, 1, np.nan], nan_ok=True)
    assert found["coverage"].tolist() == [3, 4, 0]
    assert found["categorical_accuracy"].tolist() == [1, 0, 1]
    assert found["brier"].tolist() == pytest.approx([(0.01 + 0.64 + 0.09 + 0.01) / 4, 0.25, 0.04])
    assert found["log_loss"].tolist()[1:] == pytest.approx([np.log(2), -np.log(0.8)])
    assert found["precision_at_1"].tolist() == [1, 0.25, 0]
    assert "precision_at_5" not in found


def test_rows_looked_at_in_one_go_do_not_change_them(monkeypatch):
    rng = np.random.default_rng(8)
    truth, scores = rng.random((50, 6)) < 0.3, np.round(rng.random((50, 6)), 1)
    whole = ranked_rows.ranked_rows(truth, scores)
    monkeypatch.setattr(ranked_rows, "SCORES_AT_ONCE", 20)
    for name, values in ranked_rows.ranked_rows(truth, scores).items():
        np.testing.assert_array_equal(values, whole[name])
