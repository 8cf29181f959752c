"""The calibration error: bins of equal mass, in which equal scores stay together."""

import numpy as np
import pytest

from rarelabels.judging.metrics import calibration_bins, calibration_edges, ranking_metrics
from rarelabels.judging.metrics.ece import CALIBRATION_BINS, calibration_error
from rarelabels.judging.sweeps import ordered


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


def test_calibration_error_of_a_constant_score_is_its_distance_from_the_prevalence():
    truth = np.array([[1, 0], [0, 0], [0, 0], [0, 0]])
    found = ranking_metrics(truth, np.full((4, 2), 0.5))
    assert found["ece"] == pytest.approx(0.5 - 1 / 8)
    assert found["macro_ece"] == pytest.approx(0.5 - 1 / 4)  # the label without positives is left out


def test_bins_have_equal_mass_but_for_ties():
    scores = np.arange(45) / 45
    sizes = np.bincount(calibration_bins(scores, calibration_edges(scores)), minlength=CALIBRATION_BINS)
    assert sizes.tolist() == [3] * 15
    tied = np.where(scores < 0.53, 0.2, scores)  # the first 24 of 45 share a bin
    sizes = np.bincount(calibration_bins(tied, calibration_edges(tied)), minlength=CALIBRATION_BINS)
    assert sizes[sizes > 0].tolist() == [24, 3, 3, 3, 3, 3, 3, 3]


def test_the_error_weighs_bins_by_their_share():
    # Two bins of 10 scores: 2 positives too many in one, 1 too few in the other, of two resamples.
    assert calibration_error(np.array([[2.0, 0.0], [-1.0, 0.5]]), np.array([10, 5])).tolist() == pytest.approx(
        [0.3, 0.1]
    )
