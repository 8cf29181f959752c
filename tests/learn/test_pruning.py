"""Pruning: the schedule and the masks by hand; what a training leaves is in test_training.py."""

from __future__ import annotations

import numpy as np
import pytest

from rarelabels.declare.training import Pruning
from rarelabels.learn import pruning


def test_the_schedule_by_hand() -> None:
    spec = Pruning(sparsity=0.8, end_epoch=11)
    # t = 0.1: 0.8 (1 - 0.9^3) = 0.2168; t = 0.5: 0.8 (1 - 1/8) = 0.7
    shares = [pruning.sparsity(spec, epoch) for epoch in (1, 2, 6, 11, 15)]
    assert shares == pytest.approx([0, 0.2168, 0.7, 0.8, 0.8])
    assert pruning.sparsity(Pruning(sparsity=0.8, end_epoch=1), 1) == 0.8


def test_the_smallest_by_magnitude_are_cut() -> None:
    weights = np.array([[0.1, -3.0], [-0.2, 0.0], [2.0, -0.1]], np.float32)
    assert pruning.largest(weights, 0.5).tolist() == [[0, 1], [1, 0], [1, 0]]
    assert pruning.largest(weights, 0.0).all()
    assert pruning.largest(np.zeros((2, 2), np.float32), 0.5).all()  # equals are kept, whichever comes first
    assert pruning.largest(np.array([[0, 2], [0, 1]], np.float32), 0.75).tolist() == [[0, 1], [0, 0]]
