"""The curves that the report's panels draw have the right numbers."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import precision_recall_curve

from rarelabels.judging.scores import Scores
from rarelabels.show.report import panels


@pytest.mark.parametrize("levels", [3, 50, 100_000])
def test_precision_at_a_recall_is_scikit_learns(levels: int) -> None:
    random = np.random.default_rng(levels)
    y = (random.random(500) < 0.1).astype(np.uint8)
    scores = random.integers(0, levels, 500) / levels + 0.1 * y
    recalls = np.array([0.01, 0.3, 0.5, 0.999, 1.0])
    precision, recall, _ = precision_recall_curve(y, scores)
    expected = [precision[np.flatnonzero(recall >= wanted - 1e-9).max()] for wanted in recalls]
    np.testing.assert_allclose(panels.precision_at(y, scores, recalls), expected)


def test_curves_of_two_seeds_have_a_row_each() -> None:
    random = np.random.default_rng(0)
    y = (random.random((60, 4)) < 0.3).astype(np.uint8)
    parts = [Scores(np.arange(60), y, random.random((60, 4))) for _ in range(2)]
    drawn = panels.Curves.of(parts)
    assert drawn.precision.shape == (2, len(panels.RECALLS))
    np.testing.assert_allclose(drawn.precision[:, -1], y.mean(), atol=0.05)  # to find all is to take nearly all
    assert [bins.shape for bins in drawn.reliability] == [(2, 15), (2, 15)]
    assert drawn.prevalence == y.mean()
