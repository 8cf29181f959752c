"""Truth and scores that are hard to measure, and the comparison with what scikit-learn measures."""

import numpy as np
import pytest


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
