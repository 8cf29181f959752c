"""Areas under curves, of a label or of all cells: by hand and by scikit-learn."""

import numpy as np
import pytest
from sklearn import metrics as sk

from rarelabels.judging.metrics import curves
from rarelabels.judging.sweeps.ordered import order_cells

# In order: a positive; a positive tied with a negative; a negative.
TRUTH, SCORES = np.array([[1, 1, 0, 0]]) == 1, np.array([[0.9, 0.5, 0.5, 0.1]])


def test_where_positives_stand_among_negatives():
    cells = order_cells(TRUTH, SCORES)
    (ranks,) = curves.rank_positives(cells, cells.positive_places())
    assert (ranks.hits.tolist(), ranks.above.tolist(), ranks.upto.tolist()) == ([1, 1], [0, 0], [0, 1])
    assert ranks.negatives == 2
    assert curves.average_precision(ranks) == pytest.approx((1 + 2 / 3) / 2)
    assert curves.roc_auc(ranks) == pytest.approx((2 + 1.5) / 4)


def test_weights_of_resamples_are_rows_that_are_repeated():
    # The tied positive three times and the last negative not at all; and no positive at all.
    ranks = curves.PositiveRanks(
        hits=np.array([[1, 0], [3, 0]]),
        above=np.array([[0, 0], [0, 0]]),
        upto=np.array([[0, 0], [1, 1]]),
        negatives=np.array([1, 2]),
    )
    y, s = [1, 1, 1, 1, 0], [0.9, 0.5, 0.5, 0.5, 0.5]
    assert curves.average_precision(ranks)[0] == pytest.approx(sk.average_precision_score(y, s))
    assert curves.roc_auc(ranks)[0] == pytest.approx(sk.roc_auc_score(y, s))
    assert np.isnan([curves.average_precision(ranks)[1], curves.roc_auc(ranks)[1]]).all()


@pytest.mark.parametrize("offset", [0.0, -0.5])
def test_areas_of_each_label_are_those_of_scikit_learn(offset):
    rng = np.random.default_rng(9)
    truth = rng.random((4, 80)) < np.array([[0.5], [0.2], [0.05], [0.3]])
    truth[:, 0] = True
    scores = np.round(np.clip(0.2 * truth + 0.8 * rng.random(truth.shape), 0, 1), 1) + offset
    cells = order_cells(truth, scores)
    found = curves.areas(cells, cells.positive_places())
    for label in range(4):
        wanted = sk.average_precision_score(truth[label], scores[label])
        assert found["average_precision"][label] == pytest.approx(wanted)
        assert found["roc_auc"][label] == pytest.approx(sk.roc_auc_score(truth[label], scores[label]))


def test_what_has_no_positive_or_no_negative_is_undefined():
    truth = np.array([[False] * 3, [True] * 3])
    cells = order_cells(truth, np.array([[0.1, 0.2, 0.3]] * 2))
    found = curves.areas(cells, cells.positive_places())
    assert found["average_precision"].tolist() == pytest.approx([np.nan, 1], nan_ok=True)
    assert np.isnan(found["roc_auc"]).all()
